"""The state of each restore, in files: the rows of the database are what a restore overwrites."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from proman.base.errors import NotThere, Refused
from proman.base.private import open_private
from proman.database import contents, durable
from proman.database import manifest as manifests
from proman.database.sqlite_copy import Progress, silent
from proman.db import utc_now

FOLDER = "restores"
STATE = "state.json"
UPLOAD = "upload.bin"
SOURCE = "source.sqlite"
MANIFEST = "manifest.json"
STAGED = "staged.sqlite"
KEEP = timedelta(days=30)
ABANDONED = timedelta(hours=24)
RUNNING = ("judging", "confirmed", "restoring", "swapping")
START_SECONDS = 15.0
HOUSEKEEPING = {"alembic_version", "login_failures", "scheduled_jobs"}
CUT_OFF = "It was cut off before anything was changed."
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Findings:
    """What the file holds, shown before it is restored; times are ISO 8601, UTC.

    `damage` is what is broken in the live file: of it nothing can be counted then. Of the uploaded
    `documents` so many are missing in the backup and in the data directory. `newest_change` is the
    moment (naive UTC) after which the changes are counted, where it is known exactly.
    """

    taken_at: str | None
    revision: str
    head: str
    size: int
    rows: dict[str, int]
    rows_today: dict[str, int]
    changes_since: int
    warnings: list[str]
    damage: str = ""
    documents: int = 0
    documents_missing: int = 0
    newest_change: str | None = None

    @property
    def taken(self) -> datetime | None:
        """When the backup was taken, naive UTC, as far as it is known."""
        return manifests.moment_from(self.taken_at) if self.taken_at else None

    @property
    def differences(self) -> list[tuple[str, int, int]]:
        """Kinds of record whose numbers differ: name, rows today, rows afterwards."""
        if self.damage:
            return []
        names = sorted((self.rows.keys() | self.rows_today.keys()) - HOUSEKEEPING)
        both = [(name, self.rows_today.get(name, 0), self.rows.get(name, 0)) for name in names]
        return [(name.replace("_", " "), now, then) for name, now, then in both if now != then]


@dataclass(frozen=True)
class Restore:
    """One restore; its stage is judging, ready, confirmed, restoring, swapping or how it ended.

    `key` lets the page that asked follow the progress when no login counts any more; `stamp` marks
    the staged database, so that a swap can be told after a kill. What was there before is in the
    backup `safety`, or its damaged files are in the folder `quarantine`. `untold` says why the
    journal lacks it. In the folder `pool` are documents that lie beside a file from elsewhere.
    An undo that was asked for on the page `undoes` the restore of that id.
    """

    id: str
    source: str
    file: str | None
    by: str
    actor_id: int | None
    created_at: str
    stage: str = "judging"
    is_undo: bool = False
    undoes: str = ""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    stamp: int = field(default_factory=lambda: secrets.randbelow(2**31 - 2) + 1)
    phase: str = ""
    done: int = 0
    total: int = 0
    fault: str | None = None
    findings: Findings | None = None
    safety: str | None = None
    quarantine: str | None = None
    pool: str | None = None
    ended_at: str | None = None
    untold: str | None = None

    @property
    def created(self) -> datetime:
        """When it was asked for, naive UTC."""
        return manifests.moment_from(self.created_at)

    @property
    def ended(self) -> datetime:
        """When it ended, naive UTC; until then, when it was asked for."""
        return manifests.moment_from(self.ended_at or self.created_at)

    @property
    def is_running(self) -> bool:
        """Whether it changes by itself."""
        return self.stage in RUNNING


def create(
    data_dir: Path,
    source: str,
    file: str | None,
    by: str,
    actor_id: int | None,
    is_undo: bool = False,
    undoes: str = "",
) -> Restore:
    """A new restore with its own directory; `file` names a listed backup, None an upload."""
    one = Restore(
        id=secrets.token_hex(8),
        source=source,
        file=file,
        by=by,
        actor_id=actor_id,
        created_at=now_text(),
        is_undo=is_undo,
        undoes=undoes,
    )
    durable.private_directory(data_dir / FOLDER)
    durable.private_directory(data_dir / FOLDER / one.id)
    save(data_dir, one)
    return one


def now_text() -> str:
    """The instant as a restore keeps it: two of one second are told apart."""
    return f"{utc_now().isoformat(timespec='microseconds')}Z"


def directory_of(data_dir: Path, restore_id: str) -> Path:
    """Where its files lie; raises NotThere."""
    path = data_dir / FOLDER / restore_id
    if not _ID.fullmatch(restore_id) or not (path / STATE).is_file():
        raise NotThere("There is no such restore.")
    return path


def load(data_dir: Path, restore_id: str) -> Restore:
    """The restore as it stands; one whose process died is told from one that runs."""
    path = directory_of(data_dir, restore_id)
    one = _read(path / STATE)
    if one.is_running and not _is_held(path):
        one = _read(path / STATE)
        if one.is_running and not _is_starting(one, path / STATE):
            stage = "swapping" if one.stage == "swapping" else "failed"
            one = replace(one, stage=stage, fault=CUT_OFF)
    return one


def confirm(
    data_dir: Path, restore_id: str, by: str | None = None, actor_id: int | None = None
) -> Restore:
    """Marks the restore as wanted, once; raises Refused when it does not wait for that.

    Who confirms it is who restores it: `by` and `actor_id`, where it is not who asked for it.
    """
    with running(data_dir, restore_id):
        one = _read(directory_of(data_dir, restore_id) / STATE)
        if one.stage != "ready":
            raise Refused("This restore is not waiting to be confirmed.")
        if by is not None:
            one = replace(one, by=by, actor_id=actor_id)
        one = replace(one, stage="confirmed", phase="")
        save(data_dir, one)
        return one


def save(data_dir: Path, one: Restore) -> None:
    """Writes the state; it is on the disk when this returns."""
    path = data_dir / FOLDER / one.id / STATE
    durable.write_durably(path, json.dumps(asdict(one), indent=1).encode())


def every(data_dir: Path) -> list[Restore]:
    """All restores that are still known, newest first."""
    found = []
    for path in sorted((data_dir / FOLDER).glob(f"*/{STATE}")):
        with contextlib.suppress(NotThere):
            found.append(load(data_dir, path.parent.name))
    return sorted(found, key=lambda one: one.created, reverse=True)


@contextlib.contextmanager
def running(data_dir: Path, restore_id: str) -> Iterator[None]:
    """Marks the restore as worked on by this process; raises Refused when another one does."""
    descriptor = open_private(_lock_path(directory_of(data_dir, restore_id)), os.O_RDWR)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


class Reporter:
    """Writes how far a restore is, at most four times a second within one phase."""

    def __init__(self, data_dir: Path, one: Restore, watch: Progress = silent) -> None:
        self._data_dir = data_dir
        self._watch = watch
        self._written = 0.0
        self.restore = one

    def __call__(self, phase: str, done: int, total: int) -> None:
        self._watch(phase, done, total)
        is_same = phase == self.restore.phase
        self.restore = replace(self.restore, phase=phase, done=done, total=total)
        if not is_same or time.monotonic() - self._written > 0.25:
            # A full disk must not end what is under way, least of all putting back what was there.
            with contextlib.suppress(OSError, Refused):
                save(self._data_dir, self.restore)
            self._written = time.monotonic()

    def turn(self, stage: str, **changes: Any) -> Restore:
        """Goes over to the next stage."""
        self.restore = replace(self.restore, stage=stage, **changes)
        save(self._data_dir, self.restore)
        return self.restore

    def end(self, stage: str, **changes: Any) -> Restore:
        """Goes over to its last stage, which holds even when it cannot be written.

        What the files then say of it is settled by what the database says, as after a kill.
        """
        with contextlib.suppress(OSError, Refused):
            self.turn(stage, ended_at=now_text(), **changes)
        return self.restore


def drop_files(data_dir: Path, restore_id: str) -> None:
    """Removes what was uploaded and rebuilt; the state stays."""
    path = data_dir / FOLDER / restore_id
    for name in (UPLOAD, SOURCE, MANIFEST, STAGED):
        durable.remove_database(path / name)
    shutil.rmtree(path / contents.FOLDER, ignore_errors=True)
    durable.sweep(path)


def forget(data_dir: Path, restore_id: str) -> None:
    """Removes a restore altogether."""
    shutil.rmtree(data_dir / FOLDER / restore_id, ignore_errors=True)


def dismiss(data_dir: Path, restore_id: str) -> None:
    """Forgets a restore that was looked into and is not wanted; raises Refused for any other.

    What was done, or may have been done, is what an undo goes back from.
    """
    with running(data_dir, restore_id):
        if _read(directory_of(data_dir, restore_id) / STATE).stage not in ("ready", "refused"):
            raise Refused("This restore does not wait to be confirmed any more: nothing to leave.")
        forget(data_dir, restore_id)


def sweep(data_dir: Path) -> None:
    """Removes the files of restores that ended or were left, and old states altogether."""
    now = utc_now()
    for one in every(data_dir):
        path = data_dir / FOLDER / one.id
        age = now - manifests.moment_from(one.created_at)
        if _is_held(path):
            continue
        if age > KEEP:
            forget(data_dir, one.id)
        elif one.stage != "ready" or age > ABANDONED:
            drop_files(data_dir, one.id)
            if one.stage == "ready":
                save(data_dir, replace(one, stage="refused", fault="It was not confirmed in time."))
    _sweep_unknown(data_dir)


def _sweep_unknown(data_dir: Path) -> None:
    """Removes what a kill left before there was a state; a state that nobody can read, later."""
    known = {one.id for one in every(data_dir)}
    for path in (data_dir / FOLDER).glob("*"):
        if not _ID.fullmatch(path.name) or path.name in known or _is_held(path):
            continue
        with contextlib.suppress(FileNotFoundError):
            age = time.time() - path.stat().st_mtime
            if age > (KEEP if (path / STATE).exists() else ABANDONED).total_seconds():
                forget(data_dir, path.name)


def _read(path: Path) -> Restore:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["findings"] is not None:
            values["findings"] = Findings(**values["findings"])
        return Restore(**values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise NotThere("There is no such restore.") from error


def _is_starting(one: Restore, state: Path) -> bool:
    """Whether its thread may simply not have begun yet."""
    waits = one.stage in ("judging", "confirmed") and one.phase == ""
    return waits and time.time() - state.stat().st_mtime < START_SECONDS


def _lock_path(path: Path) -> Path:
    return path / "running.lock"


def _lock(descriptor: int) -> None:
    # Someone who only looks holds it for an instant.
    until = time.monotonic() + 1
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise Refused("This restore is under way already.") from None
            time.sleep(0.01)


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(_lock_path(path), os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
