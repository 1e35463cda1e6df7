"""The lock of the operations on a Galera cluster: a row that its holder renews.

A lock of a server's is its node's alone there, and so is a row lock until COMMIT. What the nodes do
agree on is which change of a row came first.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from secrets import token_hex

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from proman.base.errors import Refused
from proman.database.common_ground import TABLES
from proman.database.engines import connected
from proman.database.galera import SEE_ALL
from proman.database.retrying import again_if_taken_back, was_taken_back

TABLE = "proman_lease"
"""Holds one row; part of no backup, no restore and no migration."""
LEASE_SECONDS = 30
"""How long a holder that died still keeps others out; the nodes' clocks must agree far better."""
_RENEW_SECONDS = 5.0
_AGAIN_SECONDS = 0.2
_IS_FREE = "(until_at IS NULL OR until_at < UTC_TIMESTAMP(6))"
_UNTIL = f"UTC_TIMESTAMP(6) + INTERVAL {LEASE_SECONDS} SECOND"


@contextlib.contextmanager
def leased(url: URL, until: float) -> Iterator[Callable[[str], None] | None]:
    """Holds the lease for the block and gives what keeps a text beside it.

    Gives None when it stays taken until that monotonic moment. What keeps the text raises Refused
    when the lease was lost, because this process or its node stood still for too long.
    """
    holder = token_hex(16)
    # Two nodes that make it at once: the one whose change came second is to try again.
    again_if_taken_back(lambda: _make_table(url))
    while not _is_taken_over(url, holder):
        if time.monotonic() > until:
            yield None
            return
        time.sleep(_AGAIN_SECONDS)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(url, holder, ended), daemon=True)
    renewing.start()
    try:
        yield lambda text: _tell(url, holder, text)
    finally:
        ended.set()
        renewing.join()
        with suppress(SQLAlchemyError):
            _change(url, "until_at = NULL", "holder = :holder", holder=holder)


def told(url: URL) -> str | None:
    """What the holder of the lease says, or None when it is free."""
    with _in_autocommit(url) as connection:
        if not inspect(connection).has_table(TABLE):
            return None
        query = f"SELECT told FROM {TABLE} WHERE NOT {_IS_FREE}"
        found = connection.exec_driver_sql(query).scalar()
        return None if found is None else str(found)


def _is_taken_over(url: URL, holder: str) -> bool:
    try:
        values = f"holder = :holder, told = '', until_at = {_UNTIL}"
        return _change(url, values, _IS_FREE, holder=holder)
    except DBAPIError as error:
        if was_taken_back(error):  # another node's process was faster
            return False
        raise


def _renew(url: URL, holder: str, ended: threading.Event) -> None:
    while not ended.wait(_RENEW_SECONDS):
        # A node that does not answer now may answer before the lease has ended.
        with suppress(SQLAlchemyError):
            _change(url, f"until_at = {_UNTIL}", "holder = :holder", holder=holder)


def _tell(url: URL, holder: str, words: str) -> None:
    # What cannot be kept does not stop the operation it tells of.
    with suppress(SQLAlchemyError):
        values = f"told = :told, until_at = {_UNTIL}"
        if not _change(url, values, "holder = :holder", holder=holder, told=words):
            raise Refused(
                f"This process stood still for more than {LEASE_SECONDS} seconds, and another "
                "operation on the database has begun since. Run it again."
            )


def _make_table(url: URL) -> None:
    with _in_autocommit(url) as connection:
        if inspect(connection).has_table(TABLE):
            return
        connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS {TABLE} (name VARCHAR(20) NOT NULL PRIMARY KEY, "
            "holder CHAR(32) NOT NULL, told VARCHAR(2000) NOT NULL, until_at DATETIME(6) NULL) "
            f"{TABLES}"
        )
        connection.exec_driver_sql(
            f"INSERT IGNORE INTO {TABLE} VALUES ('operations', '', '', NULL)"
        )


def _change(url: URL, values: str, where: str, **parameters: str) -> bool:
    """Whether the row was what `where` says, and so has the new values now."""
    with _in_autocommit(url) as connection:
        order = text(f"UPDATE {TABLE} SET {values} WHERE {where}")
        return connection.execute(order, parameters).rowcount == 1


@contextlib.contextmanager
def _in_autocommit(url: URL) -> Iterator[Connection]:
    with connected(url) as connection:
        connection.exec_driver_sql(SEE_ALL)
        connection.commit()
        yield connection.execution_options(isolation_level="AUTOCOMMIT")
