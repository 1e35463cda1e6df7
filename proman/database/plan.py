"""When backups are made and which are kept: a file of the installation's own, which people change.

It lies in the data directory, which all replicas share. Not in the database: a restore would put
back the rules of that time. Not beside the backups: what is copied there from another installation
must not decide what is deleted here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from proman.base.errors import Refused
from proman.database.durable import write_durably
from proman.database.rules import Retention

FILE = "backup-settings.json"
FORMAT = "proman-backup-settings-1"
DAY = 24
WEEK = 168
INTERVALS = (1, 2, 3, 4, 6, 8, 12, DAY, WEEK)
"""Hours between two backups; a week only where another tool makes them."""
MOST = 1000
"""So many backups of each kind can be kept."""


@dataclass(frozen=True)
class Plan:
    """The schedule and the rules of retention.

    ProMan makes a backup `every` so many hours, one of them at `hour` UTC; when it is not `on`,
    another tool does, and `every` says how often. `fault` is why the file could not be read: then
    the other values are the defaults, and nothing is deleted.
    """

    on: bool = True
    hour: int = 2
    every: int = DAY
    retention: Retention = field(default_factory=Retention)
    fault: str = ""

    @property
    def interval(self) -> timedelta:
        """How often a backup is expected."""
        return timedelta(hours=self.every)

    @property
    def hours(self) -> list[int]:
        """The hours of the day (UTC) at which ProMan makes one, or looks for those of others."""
        return sorted((self.hour + more) % DAY for more in range(0, DAY, min(self.every, DAY)))

    def next_after(self, moment: datetime) -> datetime:
        """The first of these hours after `moment`; both naive UTC."""
        midnight = datetime(moment.year, moment.month, moment.day)
        times = [midnight + timedelta(days=day, hours=h) for day in (0, 1) for h in self.hours]
        return next(time for time in times if time > moment)

    @property
    def rhythm(self) -> str:
        """How often a backup is expected, in words."""
        named = {1: "every hour", DAY: "every day", WEEK: "every week"}
        return named.get(self.every, f"every {self.every} hours")

    def __str__(self) -> str:
        if not self.on:
            return f"Made by cron or another tool, {self.rhythm}"
        if self.every == 1:
            return "Every hour"
        return f"{self.rhythm.capitalize()} at {', '.join(f'{h:02d}:00' for h in self.hours)} UTC"

    def values(self) -> dict[str, Any]:
        """All of it by name, as the file and the audit trail hold it."""
        return {"on": self.on, "hour": self.hour, "every": self.every, **asdict(self.retention)}


def read_plan(data_dir: Path) -> Plan:
    """The plan of the installation; the defaults, with the reason, where its file is damaged."""
    path = data_dir / FILE
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Plan()
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is damaged"
        return Plan(
            fault=f"The schedule and retention in {path} cannot be read: {why}. Until they are "
            "saved again, backups are made every day at 02:00 UTC and none is removed."
        )


def save_plan(data_dir: Path, plan: Plan) -> None:
    """Writes the whole file or leaves the old one. Raises Refused where it cannot be written."""
    text = json.dumps({"format": FORMAT, **plan.values()}, indent=1)
    try:
        write_durably(data_dir / FILE, text.encode() + b"\n")
    except OSError as error:
        raise Refused(f"{data_dir / FILE} cannot be written: {error.strerror}.") from error


def _parse(values: Any) -> Plan:
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError("not a plan")
    every = _number(values["every"], WEEK)
    if not isinstance(values["on"], bool) or every not in INTERVALS:
        raise ValueError("not a plan")
    kept = {name: _number(values[name], MOST) for name in asdict(Retention())}
    plan = Plan(values["on"], _number(values["hour"], DAY - 1), every, Retention(**kept))
    return replace(plan, every=DAY) if plan.on and every == WEEK else plan


def _number(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError("not a number of a plan")
    return value
