"""Names of backups and which of them retention keeps: decisions on plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

NAME = re.compile(r"proman-(\d{8}-\d{6})\.sqlite(\.age)?")
SEALED = ".age"
"""What the name of an encrypted backup ends with."""
FLOOR = 3
SAFETY_DAYS = 7
BEFORE_RESTORE = "before-restore"
FOUND = "found"
"""The reason of a file that ProMan did not make itself."""
PINNED = "This backup is pinned. Unpin it first."
REASON_WORDS = {
    "manual": "By hand",
    "schedule": "Schedule",
    "before-upgrade": "Before an upgrade",
    "before-baseline": "Before a baseline",
    BEFORE_RESTORE: "Before a restore",
    "before-copy": "Before a move",
    FOUND: "Made elsewhere",
}
ENGINE_WORDS = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
}


@dataclass(frozen=True)
class Candidate:
    """What retention needs to know of one backup; times are naive UTC."""

    name: str
    sequence: int
    created_at: datetime
    reason: str = "schedule"
    verified: bool = True
    pinned: bool = False
    unreadable: bool = False
    tie: str = ""
    """The order of those that share a sequence: found files stand behind the one before them."""

    @property
    def place(self) -> tuple[int, str]:
        """Its place in the order of backups."""
        return self.sequence, self.tie


@dataclass(frozen=True)
class Retention:
    """How many to keep: the last ones, and the newest of so many days, weeks and months."""

    last: int = 3
    daily: int = 7
    weekly: int = 4
    monthly: int = 12


def backup_name(moment: datetime, is_sealed: bool = False) -> str:
    """File name of a backup taken at `moment` (naive UTC), to the second; encrypted or plain."""
    return f"proman-{moment:%Y%m%d-%H%M%S}.sqlite{SEALED if is_sealed else ''}"


def stem_of(name: str) -> str:
    """What is left of a file's name without the endings of a backup, encrypted or plain."""
    return name.removesuffix(SEALED).removesuffix(".sqlite")


def moment_of(name: str) -> datetime | None:
    """The moment (naive UTC) in a backup's name, or None when it is no such name."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return datetime.fromisoformat(match.group(1).replace("-", "T"))
    except ValueError:
        return None


def kept(backups: Iterable[Candidate], policy: Retention, now: datetime) -> dict[str, str]:
    """Name of each backup that stays, with the reason in words.

    Order is by sequence, never by clock. A clock behind the newest backup keeps everything.
    Unverified files stay too: retention only ever removes what is known to be a good backup
    that newer good ones replace.
    """
    newest_first = sorted(backups, key=lambda one: one.place, reverse=True)
    verified = [one for one in newest_first if one.verified]
    if any(one.created_at > now for one in verified):
        return {one.name: "the clock is behind the newest backup" for one in newest_first}
    reasons = {one.name: "not verified" for one in newest_first if not one.verified}
    reasons |= {one.name: "it cannot be read" for one in newest_first if one.unreadable}
    reasons |= {one.name: "pinned" for one in newest_first if one.pinned}
    for one, reason in [*_safety(verified, now), *_generations(verified, policy)]:
        reasons.setdefault(one.name, reason)
    return reasons


def to_delete(backups: Iterable[Candidate], policy: Retention, now: datetime) -> list[str]:
    """Names that retention would remove, oldest first by sequence."""
    everything = list(backups)
    stays = kept(everything, policy, now)
    ordered = sorted(everything, key=lambda one: one.place)
    return [one.name for one in ordered if one.name not in stays]


def may_delete(name: str, backups: Iterable[Candidate]) -> str | None:
    """Why a person may not delete this backup by hand, or None when it is allowed."""
    everything = list(backups)
    verified = sorted((b for b in everything if b.verified), key=lambda b: b.place)
    own = [one for one in verified if one.reason != FOUND]
    if any(one.name == name and one.pinned for one in everything):
        return PINNED
    if verified and verified[-1].name == name:
        return "This is the newest verified backup. Make a newer one first."
    if own and own[-1].name == name:
        return "This is the newest backup that ProMan made itself. Make a newer one first."
    return None


def is_stale(newest_verified: datetime | None, now: datetime, interval: timedelta) -> bool:
    """Whether the newest verified backup is missing or older than twice the interval."""
    return newest_verified is None or now - newest_verified > 2 * interval


def age_in_words(moment: datetime, now: datetime) -> str:
    """How long ago a moment was, in its largest whole unit."""
    if now < moment:
        return "in the future"
    span = span_in_words(now - moment)
    return f"{span} ago" if span else "just now"


def span_in_words(span: timedelta) -> str:
    """How long it is, in its largest whole unit; nothing below a minute."""
    seconds = int(span.total_seconds())
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        count = seconds // size
        if count > 0:
            return f"{count} {word}{'s' if count > 1 else ''}"
    return ""


def _safety(verified: Sequence[Candidate], now: datetime) -> list[tuple[Candidate, str]]:
    """Backups made before a restore, for seven days.

    A clock that jumped ahead must not age them: seven newer days of backups must exist as well.
    """
    found = []
    days_seen: set[str] = set()
    for one in verified:
        is_old = now - one.created_at > timedelta(days=SAFETY_DAYS)
        if one.reason == BEFORE_RESTORE and not (is_old and len(days_seen) >= SAFETY_DAYS):
            found.append((one, "made before a restore of the last seven days"))
        days_seen.add(one.created_at.strftime("%Y-%m-%d"))
    return found


def _generations(verified: Sequence[Candidate], policy: Retention) -> list[tuple[Candidate, str]]:
    """The last ones and the newest of each day, week and month that has any."""
    found = [(one, "one of the last") for one in verified[: max(policy.last, FLOOR)]]
    # Files from elsewhere, however many, never push out what is surely of this installation.
    own = [one for one in verified if one.reason != FOUND]
    found += [(one, "one of the last made by ProMan") for one in own[:FLOOR]]
    for count, pattern, word in (
        (policy.daily, "%Y-%m-%d", "daily"),
        (policy.weekly, "%G-%V", "weekly"),
        (policy.monthly, "%Y-%m", "monthly"),
    ):
        seen: set[str] = set()
        for one in verified:
            bucket = one.created_at.strftime(pattern)
            if bucket not in seen and len(seen) < count:
                seen.add(bucket)
                found.append((one, word))
    return found
