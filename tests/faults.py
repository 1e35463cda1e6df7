"""The faults that ProMan is broken with, and by which marker a test says which of them it makes.

    @pytest.mark.fault("Disk full", how="a tmpfs of 4 MiB", outcome="one sentence, nothing left")

`scripts/test -m faults` runs these tests, `scripts/faults` writes down what came of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines import MYSQL, POSTGRESQL, SERVERS, SQLITE

LINES = (
    "Kill during a backup",
    "Kill during a restore",
    "Kill during an upgrade",
    "Disk full",
    "File size limit",
    "EIO on fsync",
    "Read-only volume",
    "Power cut",
    "Heavy writers during a backup",
    "Two backups at once",
    "Restore during a backup",
    "Two restores at once",
    "Clock set back",
    "Clock ten years ahead",
    "Verification always fails",
    "Missed schedule",
    "Interrupted download",
    "Truncated upload",
    "Empty upload",
    "Oversized upload",
    "Gzip bomb",
    "Path traversal",
    "Symlink in an archive",
    "Flipped page",
    "Flipped payload",
    "Broken index",
    "Foreign-key breach",
    "Foreign database",
    "Newer revision",
    "Older revision with data",
    "Malicious trigger",
    "Malicious view",
    "Endless query",
    "Stale -wal or -journal",
    "Page size 8192",
    "Live header destroyed",
    "Safety backup fails",
    "Old cookie after a restore",
    "Wrong passphrase",
    "Three replicas start at once",
    "Lock holder dies",
    "Unversioned drift",
    "Database server killed",
)
"""Every fault that has to have a test, in the order of the table."""
_MARKED = re.compile(r'\bfault\(\s*"([^"]+)"')


@dataclass(frozen=True)
class Fault:
    """A line of the table: which fault, how it is made, what comes of it."""

    name: str
    how: str
    outcome: str

    def __post_init__(self) -> None:
        if self.name not in LINES:
            raise ValueError(f"{self.name} is no fault of tests/faults.py")


def made_by(item: pytest.Item) -> Iterator[Fault]:
    """The faults that a test makes; raises TypeError or ValueError for what is none."""
    for mark in item.iter_markers("fault"):
        yield Fault(*mark.args, **mark.kwargs)


def engine_of(item: pytest.Item) -> str:
    """Which engine a test runs on: by its parameters, else by its markers, else SQLite."""
    callspec = getattr(item, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        if isinstance(value, str) and value in SERVERS:
            return value
    marked = (one for one in (POSTGRESQL, MYSQL) if item.get_closest_marker(one))
    return next(marked, SQLITE)


def named_in(folder: Path) -> set[str]:
    """The faults that tests in the folder name."""
    texts = (file.read_text(encoding="utf-8") for file in folder.rglob("test_*.py"))
    return {name for text in texts for name in _MARKED.findall(text)}
