"""When each job of the schedule last succeeded and how often it failed, beside the database.

A restore puts the schedule back as it was; what this machine did is not undone by that.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import durable
from proman.database.manifest import moment_from, utc_text

FILE = "jobs.json"
LOCK = "jobs.lock"


@dataclass(frozen=True)
class Runs:
    """Of one job: when it last succeeded (ISO 8601, UTC; None: never yet), how often it failed."""

    succeeded_at: str | None = None
    failures: int = 0

    @property
    def success(self) -> datetime | None:
        """When it last succeeded, naive UTC."""
        return moment_from(self.succeeded_at) if self.succeeded_at else None


def note(data_dir: Path, job: str, now: datetime, *, is_failed: bool) -> None:
    """Keep how a job went at a naive UTC moment; a disk that takes nothing leaves it out."""
    with contextlib.suppress(OSError, Refused), _alone(data_dir):
        found = read(data_dir)
        before = found.get(job, Runs())
        if is_failed:
            found[job] = Runs(before.succeeded_at, before.failures + 1)
        else:
            found[job] = Runs(utc_text(now), before.failures)
        text = json.dumps({name: asdict(one) for name, one in found.items()}, indent=1)
        durable.write_durably(data_dir / FILE, text.encode())


def read(data_dir: Path) -> dict[str, Runs]:
    """What is known of each job by its name; nothing where the file is damaged or not there."""
    try:
        found = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
        runs = {str(name): Runs(**one) for name, one in found.items()}
        for one in runs.values():
            _ = one.success
        return {name: Runs(one.succeeded_at, int(one.failures)) for name, one in runs.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    descriptor = open_private(data_dir / LOCK, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
