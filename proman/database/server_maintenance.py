"""Maintenance on a database server: a gate that each change of every machine passes.

Whoever changes something holds the gate open for the length of the transaction; whoever replaces
the database holds it shut. It is a lock of the server's, so it goes with the one who holds it.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from proman.base.errors import Refused
from proman.database.common_ground import table_options
from proman.database.engines import APPLICATION_ID, connected
from proman.database.server_lock import SESSION_SECONDS

TABLE = "proman_maintenance"
"""Three rows of the tools' own; part of no backup, no restore and no migration."""
GATE, NOTICE, RESTORED = "gate", "notice", "restored"
LOOK_SECONDS = 1.0
_LOCK = 3
"""1 is the lock of the operations, 2 that of a migration."""
_TAKEN = {1205, 3572}
"""ER_LOCK_WAIT_TIMEOUT (what MariaDB says to NOWAIT) and ER_LOCK_NOWAIT."""
_NO_SUCH_TABLE = 1146
_BUSY = "Changes are still under way on another machine. Nothing was changed; try again."


def make_table(connection: Connection) -> None:
    """Makes the table with its rows where they are missing; on MySQL this commits."""
    connection.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS {TABLE} "
        "(name VARCHAR(20) NOT NULL PRIMARY KEY, told VARCHAR(2000) NOT NULL)"
        f"{table_options(connection.dialect)}"
    )
    found = set(connection.scalars(text(f"SELECT name FROM {TABLE}")))
    for name in {GATE, NOTICE, RESTORED} - found:
        connection.execute(text(f"INSERT INTO {TABLE} VALUES (:name, '')"), {"name": name})


@contextlib.contextmanager
def shut(url: URL, notice: str, wait: float) -> Iterator[None]:
    """Keeps the changes of every machine out for the block, and tells them the notice.

    Waits for those under way. Raises Refused when they have not ended after `wait` seconds.
    """
    with connected(url) as telling, connected(url) as holding:
        telling = telling.execution_options(isolation_level="AUTOCOMMIT")
        make_table(telling)
        _tell(telling, NOTICE, notice)
        try:
            _shut(holding, wait)
            yield
        finally:
            holding.rollback()
            _tell(telling, NOTICE, "")


def keep_open(connection: Connection) -> bool:
    """Holds the gate open until the transaction ends; whether it was not shut."""
    return _is_open(connection.dialect, lambda order: connection.exec_driver_sql(order).first())


def notice(engine: Engine) -> str | None:
    """What whoever holds the gate shut says, at most a second old; None while it is open."""
    return _looks.setdefault(engine, _Look()).at(engine)


def note_restored(connection: Connection, stamp: int) -> None:
    """Keeps which restore the database came from; it becomes true with the transaction."""
    _tell(connection, RESTORED, str(stamp))


def restored(url: URL) -> int:
    """The stamp of the restore that the database came from, 0 for none.

    Waits for a restore whose process was killed until the server has ended it one way or the other.
    """
    with connected(url) as connection:
        make_table(connection)
        query = text(f"SELECT told FROM {TABLE} WHERE name = :name FOR UPDATE")
        found = int(connection.scalar(query, {"name": RESTORED}) or 0)
        connection.commit()
        return found


def _tell(connection: Connection, name: str, told: str) -> None:
    order = text(f"UPDATE {TABLE} SET told = :told WHERE name = :name")
    connection.execute(order, {"name": name, "told": told})


def _shut(connection: Connection, wait: float) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(wait * 1000))}")
        order = f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, {_LOCK})"
    else:
        connection.exec_driver_sql(f"SET SESSION wait_timeout = {SESSION_SECONDS}")
        connection.exec_driver_sql(f"SET SESSION innodb_lock_wait_timeout = {max(1, int(wait))}")
        order = f"SELECT name FROM {TABLE} WHERE name = '{GATE}' FOR UPDATE"
    try:
        connection.exec_driver_sql(order)
    except DBAPIError as error:
        raise Refused(_BUSY) from error


def _is_open(dialect: Any, first: Callable[[str], Any]) -> bool:
    """Takes the gate's lock together with all who change something; `first` runs a statement."""
    if dialect.name == "postgresql":
        lock = f"pg_try_advisory_xact_lock_shared({APPLICATION_ID}, {_LOCK})"
        return bool(first(f"SELECT {lock}")[0])
    share = "LOCK IN SHARE MODE" if dialect.is_mariadb else "FOR SHARE"
    try:
        first(f"SELECT name FROM {TABLE} WHERE name = '{GATE}' {share} NOWAIT")
    except Exception as error:
        cause = getattr(error, "orig", error)
        number = cause.args[0] if cause.args else None
        if number not in (*_TAKEN, _NO_SUCH_TABLE):
            raise
        return bool(number == _NO_SUCH_TABLE)
    return True


class _Look:
    """What one process saw last; while one of its threads looks, the others rely on that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: str | None = None
        self._at = float("-inf")

    def at(self, engine: Engine) -> str | None:
        is_old = time.monotonic() - self._at > LOOK_SECONDS
        if is_old and self._lock.acquire(blocking=False):
            try:
                # A database that does not answer is told by the request that needs it.
                self._seen = None
                with contextlib.suppress(Exception):
                    self._seen = _look(engine)
            finally:
                self._at = time.monotonic()
                self._lock.release()
        return self._seen


def _look(engine: Engine) -> str | None:
    raw = engine.raw_connection()
    try:
        with contextlib.closing(raw.cursor()) as cursor:

            def first(order: str) -> Any:
                cursor.execute(order)
                return cursor.fetchone()

            if _is_open(engine.dialect, first):
                return None
            return str(first(f"SELECT told FROM {TABLE} WHERE name = '{NOTICE}'")[0])
    finally:
        raw.close()


_looks: weakref.WeakKeyDictionary[Engine, _Look] = weakref.WeakKeyDictionary()
