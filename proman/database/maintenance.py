"""Maintenance: nobody else reads or writes while the database is being replaced."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import server_maintenance
from proman.db import db
from proman.settings import Settings

MARKER = "maintenance.lock"
AT_WORK = "requests.lock"
DRAIN_SECONDS = 30.0
RETRY_AFTER = 5


@dataclass(frozen=True)
class Notice:
    """What is being done and by whom, since when (UTC)."""

    what: str
    who: str
    since: str


class InMaintenance(Refused):
    """The database is being replaced; it comes back by itself."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(
            f"ProMan is in maintenance ({notice.what}, started by {notice.who} at {notice.since} "
            "UTC). Nothing was changed; it comes back by itself in a moment."
        )
        self.notice = notice


@contextlib.contextmanager
def maintenance(settings: Settings, notice: Notice, drain: float = DRAIN_SECONDS) -> Iterator[None]:
    """Keeps every process and machine on this data directory out for the block, and on a database
    server every machine on this database.

    Waits until the requests and the changes under way have ended. Raises Refused when they have not
    after `drain` seconds. A holder that dies frees it: what it left behind only counts while it is
    locked.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_on_this_data_directory(settings.data_dir, notice, drain))
        if not settings.is_sqlite:
            told = json.dumps(asdict(notice))
            stack.enter_context(server_maintenance.shut(settings.database_url, told, drain))
        yield


def notice_in(settings: Settings) -> Notice | None:
    """The notice while maintenance is on, else None.

    Of another data directory's it is known after a second. Needs an application context.
    """
    found = _notice_in_file(settings.data_dir)
    if found is None and not settings.is_sqlite:
        told = server_maintenance.notice(db.engine)
        return None if told is None else _parse(told)
    return found


@contextlib.contextmanager
def _on_this_data_directory(data_dir: Path, notice: Notice, drain: float) -> Iterator[None]:
    marker = _open(data_dir / MARKER)
    at_work = _open(data_dir / AT_WORK)
    try:
        _lock(marker, time.monotonic() + 2, "Another process is in maintenance already.")
        os.ftruncate(marker, 0)
        os.pwrite(marker, json.dumps(asdict(notice)).encode(), 0)
        busy = "Requests are still under way. Nothing was changed; try again."
        _lock(at_work, time.monotonic() + drain, busy)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.ftruncate(marker, 0)
        os.close(at_work)
        os.close(marker)


def _notice_in_file(data_dir: Path) -> Notice | None:
    path = data_dir / MARKER
    try:
        # Outside maintenance the marker is empty, so a request costs one look at its size.
        if path.stat().st_size == 0:
            return None
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse(os.read(descriptor, 10_000))
    finally:
        os.close(descriptor)
    return None


@contextlib.contextmanager
def at_work(settings: Settings) -> Iterator[None]:
    """Work that maintenance waits for; raises InMaintenance when it is on already."""
    descriptor = begin_work(settings)
    try:
        yield
    finally:
        os.close(descriptor)


def begin_work(settings: Settings) -> int:
    """The same for those who end it elsewhere: an open descriptor to close."""
    notice = notice_in(settings)
    if notice is not None:
        raise InMaintenance(notice)
    descriptor = _open(settings.data_dir / AT_WORK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InMaintenance(_notice_in_file(settings.data_dir) or _UNKNOWN) from None
    return descriptor


def keep_writers_out(engine: Engine, settings: Settings) -> None:
    """Refuses every change through the engine while maintenance is on, in commands and jobs too.

    On SQLite it is asked once the write lock is held: a swap is then either over or not yet begun.
    On a server the change keeps the gate open, which a swap waits for.
    """

    def refuse(connection: Connection) -> None:
        if not connection.get_execution_options().get("write"):
            return
        notice = _notice_in_file(settings.data_dir)
        if notice is None and not settings.is_sqlite:
            notice = None if server_maintenance.keep_open(connection) else _UNKNOWN
        if notice is not None:
            raise InMaintenance(notice)

    event.listen(engine, "begin", refuse)


_UNKNOWN = Notice("a restore", "an operator", "this moment")


def _open(path: Path) -> int:
    return open_private(path, os.O_RDWR)


def _lock(descriptor: int, until: float, refusal: str) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise Refused(refusal) from None
            time.sleep(0.01)


def _parse(content: bytes | str) -> Notice:
    try:
        return Notice(**json.loads(content))
    except (ValueError, TypeError):
        return _UNKNOWN
