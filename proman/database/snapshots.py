"""Reads a whole database as it is at one moment, while others go on changing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection

from proman.database.engines import direct_engine, set_up

PATIENCE_SECONDS = 3600
"""How long a server keeps a result that is fetched slowly because the disk it goes to is slow."""


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
