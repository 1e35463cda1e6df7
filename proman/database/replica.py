"""A read replica of PostgreSQL: whether it may answer for the primary now, and who is told if not.

What a person has just changed must be seen by that person at once: the browser remembers the place
in the primary's log after its last change, and the replica answers only when it is there. Whatever
is wrong with it, the primary answers instead, and the log says so once.
"""

import logging
import threading
import time
from typing import Any

from flask import current_app
from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from proman import logs
from proman.database.engines import engine_options, set_up
from proman.db import Session, db

log = logging.getLogger(__name__)
GREATEST_LAG = 10.0
"""Seconds that a report may be behind what other people changed."""
REST_SECONDS = 5.0
"""How long a replica that failed is not asked again."""
_WHO = "(SELECT system_identifier FROM pg_control_system()) || '/' || current_database()"
_IDENTITY = text(f"SELECT {_WHO}")
_PLACE = text("SELECT CAST(pg_current_wal_insert_lsn() AS text)")
# With nothing more received than replayed it is level, if it is still connected to the primary.
_STATE = text(
    f"SELECT {_WHO} AS who, pg_is_in_recovery() AS is_replica,"
    " EXISTS (SELECT 1 FROM pg_stat_wal_receiver) AS is_connected,"
    " pg_last_wal_replay_lsn() >= CAST(:place AS pg_lsn) AS is_there,"
    " CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 ELSE"
    " EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END AS lag"
)


def replica() -> "Replica | None":
    """The replica of this installation, if it has one."""
    found: Replica | None = current_app.extensions.get("proman_replica")
    return found


def read_from_replica(place: str = "") -> bool:
    """Have the session read from the replica if there is one that may answer; says whether."""
    own = replica()
    if own is None or own.rests:
        return False
    session = _session()
    session.read_from(own.engine)
    try:
        # The connection that is read from: another one may lead to another replica.
        if own.may_answer(session.connection(), place):
            return True
    except DBAPIError as error:
        own.fail(error)
    session.read_from(None)
    return False


def read_from_primary(error: DBAPIError) -> None:
    """The replica broke while it was read from: the session goes back to the database itself."""
    own = replica()
    if own is not None:
        own.fail(error)
    _session().read_from(None)


def place_of_own_changes() -> str:
    """Where the log ends if this session has changed something, "" if it has not or none asks."""
    own = replica()
    if own is None or not _session().info.pop("has_written", False):
        return ""
    try:
        return own.place()
    except DBAPIError as error:
        log.warning("The place in the log is not known: %s", logs.told(error))
        return ""


def _session() -> Session:
    session = db.session()
    assert isinstance(session, Session)
    return session


class Replica:
    """The replica of an installation; one for each process."""

    def __init__(self, url: URL, primary: Engine) -> None:
        options = engine_options(url)
        connecting = {**options.pop("connect_args", {}), "connect_timeout": 2}
        self.engine = create_engine(url, connect_args=connecting, **options)
        set_up(self.engine)
        self._primary = primary
        self._identity = ""
        self._rests_until = 0.0
        self._said = ""
        self._lock = threading.Lock()

    def place(self) -> str:
        """Where the primary's log ends now; raises DBAPIError when the primary does not answer."""
        with self._primary.connect() as connection:
            return str(connection.execute(_PLACE).scalar_one())

    @property
    def rests(self) -> bool:
        """Whether it failed a moment ago."""
        return time.monotonic() < self._rests_until

    def may_answer(self, connection: Connection, place: str) -> bool:
        """Whether the connection leads to a replica of this very database, past `place` of the log.

        What is read next on it is no older than that. Raises DBAPIError when one of the two
        databases does not answer.
        """
        state = self._state(connection, place or "0/0")
        problem = self._problem(state)
        self._say(problem)
        if problem:
            return False
        connection.connection.rollback()  # its snapshot is from before the look at the log
        return bool(state.is_there)

    def lag(self) -> float | None:
        """Seconds behind the primary, None when that cannot be told."""
        try:
            with self.engine.connect() as connection:
                state = self._state(connection, "0/0")
        except DBAPIError:
            return None
        is_known = state.is_replica and state.is_connected and state.lag is not None
        return float(state.lag) if is_known else None

    def fail(self, error: DBAPIError) -> None:
        """It broke: the primary answers for a while."""
        self._rests_until = time.monotonic() + REST_SECONDS
        self._say(str(error.orig).strip().splitlines()[0])

    def _state(self, connection: Connection, place: str) -> Any:
        state = connection.execute(_STATE, {"place": place}).one()
        if not (state.is_replica and state.is_connected):
            # Of several hosts another one may be a replica by now.
            connection.invalidate()
        return state

    def _problem(self, state: Any) -> str:
        if not self._identity:
            with self._primary.connect() as connection:
                self._identity = str(connection.execute(_IDENTITY).scalar_one())
        if state.who != self._identity:
            return "it is no replica of this database"
        if not state.is_replica:
            return "it is no replica any more"
        if not state.is_connected:
            return "it is not connected to the primary"
        if state.lag is None or state.lag > GREATEST_LAG:
            return f"it is more than {GREATEST_LAG:.0f} seconds behind"
        return ""

    def _say(self, problem: str) -> None:
        with self._lock:
            if bool(problem) == bool(self._said):
                return
            self._said = problem
        if problem:
            log.warning("Reports are read from the primary, not from the replica: %s", problem)
        else:
            log.warning("Reports are read from the replica again")
