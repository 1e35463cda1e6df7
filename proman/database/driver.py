"""The SQLite library that ProMan uses: the bundled newer one, else Python's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

# Writers of these versions can lose committed pages in a race of WAL resets (3.7.0 to 3.51.2).
SAFE_SINCE = (3, 51, 3)


def library_is_safe() -> bool:
    """Whether this SQLite is free of the WAL race that loses committed pages."""
    return tuple(sqlite3.sqlite_version_info) >= SAFE_SINCE


def library_faults() -> list[str]:
    """What is known to be wrong with this SQLite, in sentences."""
    if library_is_safe():
        return []
    return [
        f"This SQLite ({sqlite3.sqlite_version}) can lose committed changes in a rare race; "
        f"{'.'.join(map(str, SAFE_SINCE))} or later does not."
    ]


__all__ = ["SAFE_SINCE", "library_faults", "library_is_safe", "sqlite3"]
