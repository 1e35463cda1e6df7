"""Puts a restored database where a damaged SQLite file lies, whose own files are kept aside.

SQLite cannot overwrite what it cannot read, so the files are renamed, which nobody may do under
open connections: all others have to be stopped. A marker is there from before the first step until
after the last; whoever starts next goes on from it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import durable, outcomes
from proman.database.driver import sqlite3
from proman.database.lock import ops_lock
from proman.database.marks import PENDING, QUARANTINE, is_pending
from proman.database.sqlite_copy import opened
from proman.db import utc_now
from proman.settings import Settings

RESTORED = "restored.sqlite"
WAIT_SECONDS = 600.0
_LOCKED_BYTES = (512, 0x40000000)
"""Where SQLite locks a file: a connection in WAL mode holds one of them for as long as it lives."""


@dataclass(frozen=True)
class Pending:
    """A replacement that was begun: the folder for the damaged files, and the restored one's marks.

    `has_failed` says that one attempt was given up already.
    """

    folder: str
    sha256: str
    stamp: int
    has_failed: bool = False


def new_folder(live: Path) -> Path:
    """Where the damaged files would be kept from now on; nothing is made yet."""
    moment = utc_now()
    while (folder := live.parent / QUARANTINE / f"{moment:%Y%m%d-%H%M%S}").exists():
        moment += timedelta(seconds=1)
    return folder


def kept(live: Path) -> list[Path]:
    """The folders of damaged files, oldest first; only people delete them."""
    home = live.parent / QUARANTINE
    return sorted(path for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def replace_damaged(staged: Path, live: Path, stamp: int, folder: Path) -> None:
    """Moves the live file with its side files to `folder` and puts the staged database there.

    For a caller that holds the lock and has no connection to the live file. Raises Refused when
    another process has one: then nothing was changed.
    """
    with _closed_to_others(live):
        pending = _prepare(staged, live, stamp, folder)
        _finish(live, pending)


def finish_pending(settings: Settings) -> bool:
    """At a start, before the database is opened: goes on with a replacement that was cut off.

    Whether there was one. Raises Refused when it cannot be ended; the second time, the damaged
    files are back in their place.
    """
    live = settings.database_file
    if live is None or not is_pending(live):
        return False
    with ops_lock(settings, "restore", "a start", wait=WAIT_SECONDS):
        pending = _read(live)
        if pending is None:  # another start was faster
            return False
        with _closed_to_others(live):
            _finish(live, pending)
        return True


def sweep(live: Path) -> None:
    """Removes a restored copy whose replacement never began; only while holding the lock."""
    if not is_pending(live):
        durable.remove_database(live.parent / QUARANTINE / RESTORED)


def _prepare(staged: Path, live: Path, stamp: int, folder: Path) -> Pending:
    """Brings a copy to the live file's own disk and then leaves the marker."""
    home = durable.private_directory(live.parent / QUARANTINE)
    durable.require_space(home, staged.stat().st_size)
    fresh = home / RESTORED
    fresh.unlink(missing_ok=True)
    with (
        staged.open("rb") as source,
        os.fdopen(open_private(fresh, os.O_EXCL | os.O_WRONLY), "wb") as target,
    ):
        shutil.copyfileobj(source, target, durable.CHUNK)
    durable.sync_file(fresh)
    durable.sync_directory(home)
    pending = Pending(folder.name, durable.sha256_from_disk(staged), stamp)
    _write(live, pending)
    return pending


def _finish(live: Path, pending: Pending) -> None:
    home = live.parent / QUARANTINE
    try:
        if (home / RESTORED).exists():
            _install(live, home / RESTORED, home / pending.folder, pending.sha256)
        _require_restored(live, pending.stamp)
    except (OSError, sqlite3.Error, Refused) as error:
        why = f"The restored database could not be put in place: {outcomes.reason_of(error)}"
        if not pending.has_failed:
            with contextlib.suppress(OSError, Refused):
                _write(live, replace(pending, has_failed=True))
            raise Refused(f"{why} The next start tries once more.") from error
        _put_back(live, home / pending.folder)
        raise Refused(f"{why} The damaged files are back in their place.") from error
    _end(home)


def _install(live: Path, fresh: Path, folder: Path, sha256: str) -> None:
    if durable.sha256_from_disk(fresh) != sha256:
        raise Refused(f"{fresh} is not what was written there.")
    _set_aside(live, folder)
    fresh.rename(live)
    durable.sync_directory(live.parent)
    durable.sync_directory(fresh.parent)


def _set_aside(live: Path, folder: Path) -> None:
    """Moves the file and its side files away; the file last, for without it SQLite deletes a WAL.

    What lies there already is never overwritten.
    """
    paths = [Path(f"{live}{suffix}") for suffix in (*durable.SIDE_FILES, "")]
    there = [path for path in paths if path.exists()]
    if there and (folder / live.name).exists():
        # The damaged ones are away already: what lies in their place now came since.
        folder = folder.with_name(f"{folder.name}-since")
    durable.private_directory(folder)
    for path in there:
        target = folder / path.name
        while target.exists():
            target = target.with_name(f"{target.name}.again")
        path.rename(target)
    durable.sync_directory(folder)
    durable.sync_directory(folder.parent)
    durable.sync_directory(live.parent)


def _put_back(live: Path, folder: Path) -> None:
    if (folder / live.name).exists():
        _set_aside(live, folder)
    for suffix in ("", *durable.SIDE_FILES):
        old = folder / f"{live.name}{suffix}"
        if old.exists():
            old.rename(f"{live}{suffix}")
    durable.sync_directory(live.parent)
    (folder.parent / RESTORED).unlink(missing_ok=True)
    _end(folder.parent)
    with contextlib.suppress(OSError):  # something else lies in it, or it was never made
        folder.rmdir()


def _end(home: Path) -> None:
    (home / PENDING).unlink()
    durable.sync_directory(home)


def _require_restored(live: Path, stamp: int) -> None:
    if not live.exists():
        raise Refused(f"There is no {live}.")
    with opened(live, "mode=rw") as connection:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        found = connection.execute("PRAGMA user_version").fetchone()[0]
    if answer != "ok" or found != stamp:
        raise Refused(f"{live} is not the restored database.")


@contextlib.contextmanager
def _closed_to_others(live: Path) -> Iterator[None]:
    """Holds every other process out of the file; raises Refused when one has it open."""
    with contextlib.ExitStack() as stack:
        if live.exists():
            descriptor = os.open(live, os.O_RDWR | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCKED_BYTES)
            except OSError as error:
                raise Refused(
                    f"Another process still has {live} open. Nothing was changed: stop ProMan "
                    "first, then do this again."
                ) from error
        yield


def _write(live: Path, pending: Pending) -> None:
    path = live.parent / QUARANTINE / PENDING
    durable.write_durably(path, json.dumps(asdict(pending)).encode())


def _read(live: Path) -> Pending | None:
    try:
        return Pending(
            **json.loads((live.parent / QUARANTINE / PENDING).read_text(encoding="utf-8"))
        )
    except FileNotFoundError:
        return None
