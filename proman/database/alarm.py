"""Notices that backups have stopped: the state of the alarm, which lies outside the database.

It is looked at every half minute by the server, and by `flask jobs run`. Pages read only the small
file that this leaves; whoever looks first after a change tells those who are to know.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from proman import logs
from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import catalogue, durable, outcomes, rules
from proman.database.catalogue import Backup
from proman.database.installation import Installation
from proman.database.manifest import moment_from, utc_text

log = logging.getLogger(__name__)
FILE = "backup-alarm.json"
LOCK = "backup-alarm.lock"
NONE_YET = "There is no verified backup yet."
AGAIN = timedelta(days=1)
"""So often it is told while it lasts."""
RETRY = timedelta(minutes=10)
"""So soon a letter that was not taken is tried again."""


@dataclass(frozen=True)
class Alarm:
    """Since when backups are watched, and what is wrong; times are ISO 8601, UTC.

    It is on while there are `reasons`, and has been `since`. `told_at` is when somebody was last
    told of it, `tried_at` when that was last tried.
    """

    watched_since: str
    since: str | None = None
    reasons: tuple[str, ...] = ()
    told_at: str | None = None
    tried_at: str | None = None


@dataclass(frozen=True)
class Letter:
    """What is to be told: an alarm `begins`, `lasts` or is `over`; since when, naive UTC."""

    kind: str
    since: datetime
    reasons: tuple[str, ...]


Send = Callable[[Letter], bool]
"""Tells the people; says whether anybody was reached."""
_unwritten: dict[Path, Alarm] = {}
_read: dict[Path, tuple[tuple[int, int], Alarm | None]] = {}


def overdue(site: Installation, listed: list[Backup], now: datetime) -> str:
    """In a sentence, that the newest verified backup is too old; else nothing.

    Where there is none yet, it is overdue twice the interval after the watch began.
    """
    plan, saved = site.plan, catalogue.saved_until(listed)
    known = _stored(site.data_dir)
    begun = moment_from(known.watched_since) if known else now
    if not rules.is_stale(saved or begun, now, plan.interval):
        return ""
    if saved is None:
        return NONE_YET
    age = rules.span_in_words(now - saved)
    return f"The newest verified backup is {age} old; one is due {plan.rhythm}."


def survey(site: Installation) -> tuple[list[Backup], str]:
    """The list of backups; where it cannot be read, an empty one and a sentence that says so."""
    try:
        return catalogue.backups_in(site.backup_dir), ""
    except Refused as refusal:
        return [], refusal.message


def unreadable(listed: list[Backup]) -> list[str]:
    """In sentences, which backups cannot be read, or nobody can tell what was noted of them."""
    return [f"{one.path.name}: {one.unreadable}" for one in listed if one.unreadable]


def failures(site: Installation) -> list[str]:
    """In sentences, which of the last backup, retention and drill failed."""
    found = []
    for what in ("backup", outcomes.RETENTION, "drill"):
        outcome = outcomes.last(site.data_dir, what)
        if outcome is not None and outcome.fault:
            found.append(f"The last {what} failed: {outcome.fault}")
    return found


def look(site: Installation, now: datetime, send: Send) -> Alarm:
    """Looks how backups stand at `now` (naive UTC), keeps it and tells what is to be told.

    Once when it begins, once a day while it lasts, once when it is over; nothing while another
    process looks.
    """
    with _alone(site.data_dir) as is_ours:
        known = _stored(site.data_dir) or Alarm(utc_text(now))
        if not is_ours:
            return known
        listed, fault = survey(site)
        late = fault or overdue(site, listed, now)
        reasons = (*([late] if late else []), *failures(site), *unreadable(listed))
        seen = replace(known, reasons=reasons)
        if reasons and known.since is None:
            seen = replace(seen, since=utc_text(now))
        found = _told(seen, now, send)
        if found != known or site.data_dir in _unwritten or not (site.data_dir / FILE).exists():
            _store(site.data_dir, found)
        return found


def standing(data_dir: Path) -> Alarm | None:
    """The alarm as it was last seen, while it is on; of an unchanged file only its time is read."""
    path = data_dir / FILE
    try:
        about = path.stat()
    except OSError:
        return None
    mark = (about.st_mtime_ns, about.st_ino)
    if data_dir not in _read or _read[data_dir][0] != mark:
        _read[data_dir] = mark, _parsed(path)
    known = _read[data_dir][1]
    return known if known is not None and known.reasons else None


def _told(seen: Alarm, now: datetime, send: Send) -> Alarm:
    kind = _due(seen, now)
    if not kind:
        ended = seen.since is not None and not seen.reasons and seen.told_at is None
        return Alarm(seen.watched_since) if ended else seen
    if seen.tried_at and timedelta() <= now - moment_from(seen.tried_at) < RETRY:
        return seen
    is_told = send(Letter(kind, moment_from(seen.since or utc_text(now)), seen.reasons))
    if is_told and kind == "over":
        return Alarm(seen.watched_since)
    if is_told:
        return replace(seen, told_at=utc_text(now), tried_at=None)
    return replace(seen, tried_at=utc_text(now))


def _due(seen: Alarm, now: datetime) -> str:
    """Which letter is due, if any; of what nobody was told, nobody is told that it is over."""
    if not seen.reasons:
        return "over" if seen.told_at else ""
    if seen.told_at is None:
        return "begins"
    # A time ahead was set by a clock that was wrong.
    return "" if timedelta() <= now - moment_from(seen.told_at) < AGAIN else "lasts"


def _stored(data_dir: Path) -> Alarm | None:
    return _unwritten.get(data_dir) or _parsed(data_dir / FILE)


def _parsed(path: Path) -> Alarm | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        known = Alarm(**{**values, "reasons": tuple(map(str, values["reasons"]))})
        for text in (known.watched_since, known.since, known.told_at, known.tried_at):
            if text is not None and moment_from(text).tzinfo is not None:
                return None
        return known
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _store(data_dir: Path, found: Alarm) -> None:
    # A full disk is one of the reasons for an alarm, and must not tell it every half minute.
    try:
        durable.write_durably(data_dir / FILE, json.dumps(asdict(found), indent=1).encode())
        _unwritten.pop(data_dir, None)
    except (OSError, Refused) as error:
        log.warning("The state of the alarm cannot be written: %s", logs.told(error))
        _unwritten[data_dir] = found


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[bool]:
    descriptor = open_private(data_dir / LOCK, os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
