"""Builds the documentation's site as people do, into a folder of a test."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build_site(folder: Path) -> Path:
    """The built site; a warning of the builder is an error, which fails the test that asks."""
    command = [str(ROOT / "scripts" / "docs"), "--into", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder
