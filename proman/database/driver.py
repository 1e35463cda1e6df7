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


__all__ = ["SAFE_SINCE", "library_is_safe", "sqlite3"]
