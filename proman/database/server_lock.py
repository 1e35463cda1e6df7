"""The lock on a database server: one for all machines, with a line about who holds it."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import SQLAlchemyError

from proman.database import galera, lease
from proman.database.common_ground import table_options
from proman.database.engines import APPLICATION_ID, connected

TABLE = "proman_operations"
"""Holds one row while the lock is held; part of no backup, no restore and no migration."""
_LOCK = 1
_EVERY_SECONDS = 0.1
SESSION_SECONDS = 7 * 86_400


@contextlib.contextmanager
def taken(url: URL, until: float) -> Iterator[Callable[[str], None] | None]:
    """Holds the lock for the block and gives what keeps a text beside it.

    Gives None when it stays taken until that monotonic moment. The server frees it when the
    process, its machine or the network between them dies; a Galera cluster half a minute later.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(connected(url))
        if galera.nodes(connection):
            yield stack.enter_context(lease.leased(url, until))
            return
        if not _acquire(connection, url, until):
            yield None
            return
        note = stack.enter_context(_Note.of(connection, url))
        try:
            yield note.write
        finally:
            note.remove()


def told(url: URL) -> str | None:
    """What its holder says; empty when it has said nothing yet, None when the lock is free."""
    with connected(url) as connection:
        if galera.nodes(connection):
            return lease.told(url)
        number = _holding_connection(connection, url)
        if number is None:
            return None
        query = text(f"SELECT told FROM {TABLE} WHERE connection = :number")
        with suppress(SQLAlchemyError):
            return str(connection.scalar(query, {"number": number}) or "")
        return ""


class _Note:
    """The row beside the lock, written in autocommit so that others see it at once."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number

    @classmethod
    @contextlib.contextmanager
    def of(cls, holding: Connection, url: URL) -> Iterator[_Note]:
        """The note of the connection that holds the lock, with a connection of its own."""
        is_postgresql = holding.dialect.name == "postgresql"
        number = holding.scalar(
            text("SELECT pg_backend_pid()" if is_postgresql else "SELECT connection_id()")
        )
        assert number is not None
        with connected(url) as connection:
            yield cls(connection.execution_options(isolation_level="AUTOCOMMIT"), number)

    def write(self, told: str) -> None:
        """Keeps the text. One that cannot be kept does not stop the operation it tells of."""
        with suppress(SQLAlchemyError):
            values = {"number": self._number, "told": told}
            change = text(f"UPDATE {TABLE} SET told = :told WHERE connection = :number")
            with suppress(SQLAlchemyError):
                if self._connection.execute(change, values).rowcount:
                    return
            self._connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {TABLE} "
                "(connection BIGINT NOT NULL PRIMARY KEY, told VARCHAR(2000) NOT NULL)"
                f"{table_options(self._connection.dialect)}"
            )
            self._connection.exec_driver_sql(f"DELETE FROM {TABLE}")
            self._connection.execute(text(f"INSERT INTO {TABLE} VALUES (:number, :told)"), values)

    def remove(self) -> None:
        """Forgets the text; what a killed holder left is overwritten by the next."""
        with suppress(SQLAlchemyError):
            self._connection.exec_driver_sql(f"DELETE FROM {TABLE}")


def _acquire(connection: Connection, url: URL, until: float) -> bool:
    if connection.dialect.name == "postgresql":
        # A lock of the transaction, which stays open: behind a pooler in transaction mode a lock
        # of the session would stay with whoever gets that server process next.
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        attempt = text("SELECT pg_try_advisory_xact_lock(:ours, :lock)")
    else:
        connection.exec_driver_sql(f"SET SESSION wait_timeout = {SESSION_SECONDS}")
        attempt = text("SELECT get_lock(:name, 0)")
    while not connection.scalar(attempt.bindparams(**_names(connection, url))):
        if time.monotonic() > until:
            return False
        time.sleep(_EVERY_SECONDS)
    return True


def _holding_connection(connection: Connection, url: URL) -> int | None:
    query = text("SELECT is_used_lock(:name)")
    if connection.dialect.name == "postgresql":
        query = text(
            "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
            "WHERE locktype = 'advisory' AND datname = current_database() AND granted "
            "AND classid = :ours AND objid = :lock AND objsubid = 2"
        )
    found = connection.scalar(query.bindparams(**_names(connection, url)))
    return None if found is None else int(found)


def _names(connection: Connection, url: URL) -> dict[str, int | str]:
    if connection.dialect.name == "postgresql":
        return {"ours": APPLICATION_ID, "lock": _LOCK}
    return {"name": lock_name(url)}


def lock_name(url: URL, purpose: str = "") -> str:
    """A lock's name on MySQL, where locks belong to the whole server and their names are short."""
    database = hashlib.sha256(str(url.database).encode()).hexdigest()[:32]
    return f"proman.{database}{purpose and '.'}{purpose}"
