"""Keeps the statistics from which SQLite and PostgreSQL choose how to answer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from proman.database.driver import sqlite3
from proman.database.engines import reopen_connections

ROWS_LOOKED_AT = 1000
"""Of each index; enough to tell a key from a column of few values, in milliseconds at any size."""
# Every table that has no statistics or has grown tenfold, whether this connection asked it or not.
_ALL_TABLES = 0x10002


def refresh_statistics(engine: Engine) -> str:
    """Look again at what has grown since the last time; says what was done.

    For after a night, an import, a restore: call it outside of any transaction of this thread. It
    waits for its turn to write, for milliseconds. PostgreSQL would look by itself, but a minute
    later: until then it takes a table of thousands of new rows for an empty one. MySQL and MariaDB
    look at once.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        return "looked at"
    if engine.dialect.name != "sqlite":
        return "the server keeps its own"
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
        connection.exec_driver_sql(f"PRAGMA optimize = {_ALL_TABLES}")
    # A connection reads the statistics once, when it opens.
    reopen_connections(engine)
    return "looked at"


def make_statistics(path: Path) -> None:
    """The same for a file that nobody else has open: what is rebuilt comes with its statistics."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
        connection.execute("ANALYZE")
    finally:
        connection.close()
