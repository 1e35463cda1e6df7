"""Reads a whole database as it is at one moment, while others go on changing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection

from proman.database.engines import direct_engine, set_up
from proman.database.sqlite_copy import reading

PATIENCE_SECONDS = 3600
"""How long a server keeps a result that is fetched slowly because the disk it goes to is slow."""


def snapshot(url: URL) -> AbstractContextManager[Connection]:
    """A connection to a database of any engine that sees one moment and can change nothing."""
    if url.get_backend_name() == "sqlite":
        return file_snapshot(Path(url.database or ""))
    return server_snapshot(url)


@contextmanager
def file_snapshot(path: Path) -> Iterator[Connection]:
    """The same for a SQLite file, whose writers are held up by nothing."""
    with reading(path, "mode=ro") as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        yield connection


@contextmanager
def server_snapshot(url: URL) -> Iterator[Connection]:
    """A connection to a server that sees one moment and can change nothing."""
    engine = direct_engine(url)
    set_up(engine)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                yield _pinned_postgresql(connection)
            else:
                yield _pinned_mysql(connection)
    finally:
        engine.dispose()


def _pinned_postgresql(connection: Connection) -> Connection:
    connection = connection.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    return connection


def _pinned_mysql(connection: Connection) -> Connection:
    connection = connection.execution_options(isolation_level="REPEATABLE READ")
    for timeout in ("net_write_timeout", "wait_timeout"):
        connection.exec_driver_sql(f"SET SESSION {timeout} = {PATIENCE_SECONDS}")
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    return connection
