"""How the last operation of each kind went, kept so that no failure is forgotten."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from proman.base.errors import Refused
from proman.database import durable
from proman.database.manifest import utc_text
from proman.db import utc_now

KINDS = ("backup", "verification", "drill")
RETENTION = "retention"
"""Kept of the schedule's alone: nobody waits for it on a page."""


@dataclass(frozen=True)
class Outcome:
    """One operation that ended at `at` (ISO 8601, UTC); `fault` is the reason of a failure."""

    what: str
    at: str
    by: str
    fault: str | None


@contextlib.contextmanager
def noted(
    data_dir: Path, what: str, by: str, but: type[Exception] | tuple[()] = ()
) -> Iterator[None]:
    """Keeps how the block went; a failure goes on to the caller.

    What is of the kind `but` is no failure, and what was kept before stands.
    """
    try:
        yield
    except but:
        raise
    except Exception as error:
        _note(data_dir, Outcome(what, utc_text(utc_now()), by, reason_of(error)))
        raise
    _note(data_dir, Outcome(what, utc_text(utc_now()), by, None))


def last(data_dir: Path, what: str) -> Outcome | None:
    """How the last operation of that kind went, or None when there was none yet."""
    try:
        return Outcome(**json.loads(_file(data_dir, what).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def latest(data_dir: Path) -> Outcome | None:
    """The outcome of whatever ended last."""
    found = [one for what in KINDS if (one := last(data_dir, what))]
    return max(found, key=lambda one: one.at, default=None)


def reason_of(error: BaseException) -> str:
    """What went wrong, as a sentence for a person."""
    if isinstance(error, Refused):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    # What a driver says is all that counts; around it stand the statement and its values.
    told = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(error).__name__}: {str(told).partition(chr(10))[0]}."


def _note(data_dir: Path, outcome: Outcome) -> None:
    # The outcome is a courtesy to those who look later: a full disk must not hide the first error.
    with contextlib.suppress(OSError, Refused):
        durable.write_durably(_file(data_dir, outcome.what), json.dumps(asdict(outcome)).encode())


def _file(data_dir: Path, what: str) -> Path:
    return data_dir / f"last-{what}.json"
