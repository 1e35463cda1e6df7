"""The one lock that keeps backup, restore, migration and retention apart."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import server_lock
from proman.settings import Settings

LOCK = "ops.lock"
HOLDER = "ops.json"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, for what, since when (UTC), and how far it is."""

    what: str
    who: str
    since: str
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)
    phase: str = "starting"
    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        return f"{self.what}, started by {self.who} at {self.since} UTC"


class UnderWay(Refused):
    """Something else is being done to the database; `holder` says what and by whom."""

    def __init__(self, holder: Holder | None) -> None:
        doing = str(holder) if holder else "another operation on the database"
        super().__init__(f"Under way: {doing}. Try again when it has ended.")
        self.holder = holder


class Held:
    """The lock while it is held: takes reports of progress for those who look on."""

    def __init__(self, holder: Holder, write: Callable[[str], None]) -> None:
        self._tell = write
        self.holder = holder
        self.watch: Callable[[str, int, int], None] = lambda phase, done, total: None
        """Told all that is reported, for whoever waits at a terminal."""
        self._written = 0.0
        self._write()

    def report(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Tells how far the operation is; at most five times a second within one phase."""
        self.watch(phase, done, total)
        is_same = phase == self.holder.phase
        self.holder = replace(self.holder, phase=phase, done=done, total=total)
        if not is_same or time.monotonic() - self._written > 0.2:
            self._write()

    def turn_to(self, what: str) -> None:
        """The operation goes on to something else, under the same hold of the lock."""
        self.holder = replace(self.holder, what=what, phase="starting", done=0, total=0)
        self._write()

    def _write(self) -> None:
        self._tell(json.dumps(asdict(self.holder)))
        self._written = time.monotonic()


@contextlib.contextmanager
def ops_lock(settings: Settings, what: str, who: str, wait: float = 0.0) -> Iterator[Held]:
    """Holds the lock for the block; raises UnderWay with the holder when it stays taken for `wait`
    seconds.

    It excludes every process on this data directory and, on a database server, every machine on
    this database. Kernel and server free it when its holder dies.
    """
    # Someone who only looks holds it for an instant, so the first moment does not count as taken.
    until = time.monotonic() + max(wait, 0.25)
    holder = Holder(what, who, datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"))
    with _taken_here(settings, until), _file_beside(settings.data_dir / HOLDER) as tell:
        if settings.is_sqlite:
            yield Held(holder, tell)
            return
        with server_lock.taken(settings.database_url, until) as tell_all:
            if tell_all is None:
                raise UnderWay(_holder_told(settings))

            def tell_both(text: str) -> None:
                # Here too: those who work on this data directory may be on another database.
                tell(text)
                tell_all(text)

            yield Held(holder, tell_both)


def holder(settings: Settings) -> Holder | None:
    """Who holds the lock now, or None when it is free."""
    if not settings.is_sqlite:
        told = server_lock.told(settings.database_url)
        return None if told is None else _parse(told) or _SOMEONE
    if not (settings.data_dir / LOCK).exists():
        return None
    descriptor = _open(settings.data_dir)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder_told(settings) or _SOMEONE
    finally:
        os.close(descriptor)
    return None


def require_free(settings: Settings) -> None:
    """Raises UnderWay when the lock is held right now."""
    found = holder(settings)
    if found is not None:
        raise UnderWay(found)


_SOMEONE = Holder("an operation on the database", "someone", "just now")


@contextlib.contextmanager
def _taken_here(settings: Settings, until: float) -> Iterator[None]:
    """Holds the lock of this data directory, whose files no other operation may touch either."""
    descriptor = _open(settings.data_dir)
    try:
        while not _is_acquired(descriptor):
            if time.monotonic() > until:
                raise UnderWay(_holder_told(settings))
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _file_beside(path: Path) -> Iterator[Callable[[str], None]]:
    """Gives what keeps a text in the file, which is gone afterwards."""

    def tell(text: str) -> None:
        # A reader may come at any moment, so the file is replaced; it need not survive a crash.
        temporary = path.with_suffix(f".{os.getpid()}.new")
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        except OSError:
            # On a full disk nobody is told who is at it, but backups can still be deleted.
            temporary.unlink(missing_ok=True)

    try:
        yield tell
    finally:
        path.unlink(missing_ok=True)


def _holder_told(settings: Settings) -> Holder | None:
    """What the holder says of itself, whether or not it is still there."""
    if not settings.is_sqlite:
        return _parse(server_lock.told(settings.database_url) or "")
    try:
        return _parse((settings.data_dir / HOLDER).read_text(encoding="utf-8"))
    except OSError:
        return None


def _parse(told: str) -> Holder | None:
    try:
        return Holder(**json.loads(told))
    except (ValueError, TypeError):
        return None


def _is_acquired(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(data_dir: Path) -> int:
    try:
        return open_private(data_dir / LOCK, os.O_RDWR)
    except OSError as error:
        raise Refused(f"{data_dir / LOCK} cannot be opened: {error.strerror}.") from error
