"""Sets up engines: SQLite for money (WAL, full sync, explicit BEGIN), servers with defaults."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DisconnectionError, OperationalError, SQLAlchemyError

from proman.base.errors import Refused
from proman.base.private import keep_private
from proman.database import common_ground, durable, galera
from proman.database.driver import sqlite3
from proman.database.turns import take_turn
from proman.database.whole_numbers import bring_whole_numbers

APPLICATION_ID = 0x50524D4E
"""What `PRAGMA application_id` says of a database of ProMan's ("PRMN")."""
PAGE_SIZE = 4096
BUSY_SECONDS = 30
CONNECT_SECONDS = 10
_PATIENCE = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A machine that is gone says nothing: libpq would wait for it two minutes, or hours for an answer.

Seconds, the last in milliseconds; DATABASE_URL may say otherwise.
"""
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class WriteOutsideBeginWrite(RuntimeError):
    """A change was sent to the database on a connection that was not opened for writing."""


def engine_options(url: URL) -> dict[str, Any]:
    """What `create_engine` needs beside the URL."""
    if url.get_backend_name() == "sqlite":
        return {
            "module": sqlite3,
            "connect_args": {
                "isolation_level": None,
                "timeout": BUSY_SECONDS,
                "check_same_thread": False,
            },
            "pool_size": 32,
            "max_overflow": 32,
            # The last one used has its pages and answers at hand.
            "pool_use_lifo": True,
            # A connection reads the statistics once: those that another process made it sees so.
            "pool_recycle": 3600,
        }
    options: dict[str, Any] = {
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        # As on SQLite, whoever reads sees one moment until the transaction ends.
        "isolation_level": "REPEATABLE READ",
    }
    if url.get_backend_name() == "postgresql":
        # Behind a pooler in transaction mode a prepared statement may meet another server process.
        # A database in SQL_ASCII would answer in bytes before it can be refused.
        options["connect_args"] = {
            **{name: value for name, value in _PATIENCE.items() if name not in url.query},
            "prepare_threshold": None,
            "client_encoding": "utf8",
        }
    else:
        options["connect_args"] = {"sql_mode": common_ground.SQL_MODE}
        # SQLAlchemy's compiler for MySQL takes a join on a subquery for a cartesian product.
        options["enable_from_linting"] = False
    return options


def direct_engine(url: URL) -> Engine:
    """An engine without a pool, for tools that need a connection of their own.

    An unreachable server is told after ten seconds. The caller disposes of it.
    """
    options = engine_options(url)
    kept = {key: options[key] for key in ("module", "connect_args") if key in options}
    if url.get_backend_name() != "sqlite":
        patience = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
        kept["connect_args"] = {**patience, **kept.get("connect_args", {})}
    return create_engine(url, poolclass=NullPool, **kept)


@contextlib.contextmanager
def connected(url: URL) -> Iterator[Connection]:
    """A connection of one's own, outside of any pool."""
    engine = direct_engine(url)
    connection = engine.connect()
    try:
        yield connection
    finally:
        # What went wrong inside is to be told, not that a broken connection cannot be closed.
        with contextlib.suppress(SQLAlchemyError):
            connection.close()
        engine.dispose()


def set_up(engine: Engine, *, may_always_write: bool = False) -> None:
    """Attach the listeners of the engine's dialect; unless told otherwise, refuse stray changes."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _make_private)
        event.listen(engine, "connect", _connect_sqlite)
        _renewals[engine] = renewal = _Renewal()
        renewal.attach(engine)
        _WriteLock(Path(engine.url.database or ""), may_always_write).attach(engine)
    else:
        bring_whole_numbers(engine)
        if common_ground.is_mysql(engine.dialect):
            common_ground.keep_to_common_ground(engine)
            galera.watch_for(engine)
        event.listen(engine, "begin", _see_the_last_change)
    if not may_always_write:
        event.listen(engine, "before_cursor_execute", _refuse_stray_change)


def _make_private(dialect: Any, record: Any, arguments: list[Any], options: Any) -> None:
    """A new file is for ProMan alone from its first byte; its side files take after it.

    It is made beside its name and linked there: to close a descriptor of the live file would drop
    the locks that SQLite holds on it.
    """
    live = Path(arguments[0])
    if not live.exists() and live.parent.is_dir():
        with contextlib.suppress(Refused, OSError), durable.partial(live.parent) as fresh:
            os.link(fresh, live)


def _keep_private(cursor: Any) -> None:
    """What was opened for others is closed to them, once it is known to be ProMan's.

    A file that was named by mistake keeps its rights: it may be one that everybody needs.
    """
    if cursor.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        live = cursor.execute("PRAGMA database_list").fetchone()[2]
        for suffix in ("", *durable.SIDE_FILES):
            keep_private(Path(f"{live}{suffix}"))


def _connect_sqlite(connection: Any, record: Any) -> None:
    # SQLite's own lower() knows ASCII only, and people are searched for in every script.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    _keep_private(cursor)
    cursor.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA trusted_schema = OFF")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute("PRAGMA cache_size = -32000")
    cursor.close()


def _see_the_last_change(connection: Connection) -> None:
    """A change that waited for another one's lock goes on from what that one left."""
    if connection.get_execution_options().get("write"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def reopen_connections(engine: Engine) -> None:
    """Connections that were opened before now are opened anew when the pool next gives them out.

    `Engine.dispose` would let those in use outlive their pool, and hold the file open unseen.
    """
    _renewals[engine].begin()


class _Renewal:
    """Tells connections opened before the last renewal from those opened since."""

    def __init__(self) -> None:
        self._count = 0

    def begin(self) -> None:
        self._count += 1

    def attach(self, engine: Engine) -> None:
        event.listen(engine, "connect", self._note)
        event.listen(engine, "checkout", self._refuse_older)

    def _note(self, connection: Any, record: Any) -> None:
        record.info["renewal"] = self._count

    def _refuse_older(self, connection: Any, record: Any, proxy: Any) -> None:
        if record.info["renewal"] != self._count:
            raise DisconnectionError("opened before the last renewal")


_renewals: weakref.WeakKeyDictionary[Engine, _Renewal] = weakref.WeakKeyDictionary()


class _WriteLock:
    """Queues the writers of the file fairly, the threads of this process and other processes.

    SQLite's busy handler alone starves writers for seconds; with a queue in front of BEGIN
    IMMEDIATE the longest wait stays at the work of those who came before.
    """

    def __init__(self, database: Path, always: bool) -> None:
        self._database = database
        self._threads = threading.Lock()
        self._always = always

    def attach(self, engine: Engine) -> None:
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "checkin", self._release)
        event.listen(engine, "invalidate", self._release_invalid)

    def _begin(self, connection: Connection) -> None:
        if not (self._always or connection.get_execution_options().get("write")):
            # Every page begins one: through the engine it would cost ten times as much.
            connection.connection.cursor().execute("BEGIN DEFERRED")
            return
        info = connection.connection.info
        deadline = time.monotonic() + BUSY_SECONDS
        if not self._threads.acquire(timeout=BUSY_SECONDS):
            raise OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))
        info["turn"] = None
        try:
            info["turn"] = take_turn(self._database, deadline - time.monotonic())
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OSError as error:  # of the turn: it did not come, or its file cannot be made
            self._let_go(info)
            raise OperationalError("BEGIN IMMEDIATE", None, error) from error
        except BaseException:
            self._let_go(info)
            raise

    def _release(self, connection: Any, record: Any) -> None:
        self._let_go(record.info)

    def _release_invalid(self, connection: Any, record: Any, exception: Any) -> None:
        self._let_go(record.info)

    def _let_go(self, info: dict[str, Any]) -> None:
        if "turn" in info:
            turn = info.pop("turn")
            if turn is not None:
                os.close(turn)
            self._threads.release()


def _refuse_stray_change(
    connection: Connection,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    executemany: bool,
) -> None:
    if connection.get_execution_options().get("write"):
        return
    if statement.lstrip()[:7].upper().startswith(_CHANGES):
        raise WriteOutsideBeginWrite(f"begin_write() is missing before: {statement[:200]}")
