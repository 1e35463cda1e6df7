"""What a soak keeps account of: which writes were acknowledged, and which of them must be where.

Every write has a key of its own, and the moments at which it was sent and answered. A restore is
known by the moments between which it happened: a write that was under way meanwhile may be of the
database before it or of the one after it, and of nothing else.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from proman.database.driver import sqlite3
from proman.database.engines import connected
from proman.settings import Settings
from tests.servers import Server, database_of

PREFIX = "soak-"
STATEMENTS = [
    f"SELECT {column} FROM {table} WHERE {column} LIKE '{PREFIX}%'"
    for column, table in (
        ("reference", "payments"),
        ("name", "tenants"),
        ("description", "charges"),
    )
]
BALANCE = "SELECT sum(debit) - sum(credit) FROM postings"
Keys = frozenset[str]


@dataclass
class Write:
    """A form that was sent: when, and how it ended (times by the monotonic clock)."""

    sent: float
    ended: float | None = None
    outcome: str = "under way"


Wanted = Callable[[Write], bool]


@dataclass(frozen=True)
class Live:
    """What the live database goes on from: the keys of a backup, restored between two moments."""

    base: Keys = frozenset()
    began: float = 0.0
    ended: float = 0.0


class Books:
    """Every write of every person; safe to use from many threads."""

    def __init__(self) -> None:
        self.writes: dict[str, Write] = {}
        self._lock = threading.Lock()

    def send(self) -> str:
        """The key of a write that is sent now."""
        with self._lock:
            key = f"{PREFIX}{len(self.writes):06d}"
            self.writes[key] = Write(time.monotonic())
            return key

    def end(self, key: str, outcome: str) -> None:
        """It was `acknowledged`, `refused` (then it is nowhere), or `cut off` (nobody knows)."""
        with self._lock:
            one = self.writes[key]
            self.writes[key] = Write(one.sent, time.monotonic(), outcome)

    def of(self, outcome: str) -> int:
        """How many ended so."""
        with self._lock:
            return sum(one.outcome == outcome for one in self.writes.values())

    def must_hold(self, live: Live, by: float) -> Keys:
        """What the live database certainly holds of all that was answered by then."""
        return live.base | self._those(
            lambda one: one.outcome == "acknowledged" and one.sent >= live.ended, ended_by=by
        )

    def may_hold(self, live: Live, by: float) -> Keys:
        """All that it can hold of what was sent by then."""
        return live.base | self._those(
            lambda one: (
                one.outcome != "refused"
                and one.sent <= by
                and (one.ended is None or one.ended >= live.began)
            )
        )

    def acknowledged_between(self, began: float, ended: float) -> Keys:
        """What was answered between two moments."""
        return self._those(
            lambda one: one.outcome == "acknowledged" and (one.ended or 0.0) >= began,
            ended_by=ended,
        )

    def _those(self, wanted: Wanted, ended_by: float | None = None) -> Keys:
        with self._lock:
            return frozenset(
                key
                for key, one in self.writes.items()
                if wanted(one)
                and (ended_by is None or (one.ended is not None and one.ended <= ended_by))
            )


@dataclass
class Place:
    """A server that may be killed at any moment, and what explains a request that it breaks off.

    `deaths` and `restores` are odd while the server is down, or a restore may be under way.
    """

    settings: Settings
    faults: list[str] = field(default_factory=list)
    deaths: int = 1
    restores: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    up: threading.Event = field(default_factory=threading.Event)
    server: Server | None = None

    def start(self) -> None:
        """The server runs."""
        told = {"SECRET_KEY": self.settings.secret_key, **database_of(self.settings)}
        self.server = Server(self.settings.data_dir, **told)
        self.deaths += 1
        self.up.set()

    def kill(self) -> None:
        """As a power cut would."""
        assert self.server is not None
        self.deaths += 1
        self.up.clear()
        self.server.kill()

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """A time in which ProMan may be in maintenance."""
        self.restores += 1
        yield
        self.restores += 1

    @property
    def url(self) -> str:
        assert self.server is not None
        return self.server.url

    def blame(self, fault: str) -> None:
        """Something that nobody may see; the soak ends."""
        self.faults.append(fault)
        self.over.set()


def keys_in(settings: Settings) -> tuple[list[str], int]:
    """Every key in the live database, and the sum of its ledger."""
    with connected(settings.database_url) as connection:
        keys = [str(key) for one in STATEMENTS for key in connection.scalars(text(one))]
        return keys, int(connection.scalar(text(BALANCE)) or 0)


def keys_of(backup: Path) -> Keys:
    """Every key in a backup; a key that is there twice is an error."""
    file = sqlite3.connect(f"file:{backup}?mode=ro&immutable=1", uri=True)
    keys = [str(row[0]) for one in STATEMENTS for row in file.execute(one)]
    file.close()
    assert len(keys) == len(set(keys)), "a write was doubled"
    return frozenset(keys)
