"""Chooses a measurement by its name; a new one is a module in this folder."""

import importlib
import pkgutil
import sys
from pathlib import Path

OWN = {"__main__", "clients", "sites"}


def main() -> None:
    """Runs the measurement that was named, or lists them."""
    names = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]))
    names = [
        name.removesuffix("s") if name == "lists" else name for name in names if name not in OWN
    ]
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print("scripts/bench NAME, where NAME is one of:")
        for name in names:
            module = importlib.import_module(f"scripts.benches.{_module(name)}")
            print(f"  {name:<10} {(module.__doc__ or '').splitlines()[0]}")
        sys.exit(0 if len(sys.argv) < 2 else 2)
    importlib.import_module(f"scripts.benches.{_module(sys.argv[1])}").measure(sys.argv[2:])


def _module(name: str) -> str:
    # `list` is a word of Python's own.
    return "lists" if name == "list" else name


if __name__ == "__main__":
    main()
