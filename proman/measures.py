"""Counts what the processes of a server do, in memory that all of them share.

Each process has a region of its own and writes only there, so that none waits for another; whoever
is asked adds them up. A process that takes another's place goes on with its region, so a counter
never falls. The number of routes is the application's, so the memory is of a fixed size.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; the upper ends of the histogram, those included."""
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_CELL = 8
_NUMBER, _STARTS, _BEGUN = range(3)
_HEAD = 3
_PER_CLASS = len(BUCKETS) + 2
"""A cell for each bucket, one for what is slower than all, one for the sum of seconds."""
_PER_ROUTE = len(CLASSES) * _PER_CLASS + 1
"""And one for the statements."""


@dataclass(frozen=True)
class Answered:
    """Requests of one route with one class of status; `counts` are of each bucket by itself."""

    route: str
    status: str
    counts: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Process:
    """A process that serves: its place, its number at the system, and when it began (seconds)."""

    place: int
    number: int
    begun: float


class Kept:
    """A value that took long to find, for all processes, and when it was found."""

    def __init__(self, cells: memoryview[float]) -> None:
        self._cells = cells

    def get(self, youngest: float) -> float | None:
        """The value, if it was found at `youngest` (seconds since 1970) or later."""
        found_at, value = self._cells
        return value if found_at >= youngest else None

    def put(self, value: float) -> None:
        """Keep what was found now."""
        # The time comes last: who sees it sees the value, too.
        self._cells[1] = value
        self._cells[0] = time.time()


class Measures:
    """The counters of `processes` processes over some routes."""

    def __init__(self, routes: Sequence[str], processes: int = 1) -> None:
        self.routes = tuple(routes)
        self.processes = processes
        self._place_of = {route: place for place, route in enumerate(self.routes)}
        self._region = _HEAD + len(self.routes) * _PER_ROUTE
        memory = mmap.mmap(-1, (2 + self._region * processes) * _CELL)
        self._cells: memoryview[float] = memoryview(memory).cast("d")
        self.ledger = Kept(self._cells[:2])
        self._own = 2
        self._lock = threading.Lock()

    def for_processes(self, count: int) -> Measures:
        """The same for so many processes, with nothing counted; to be made before they are."""
        return Measures(self.routes, count)

    def begin(self, place: int) -> None:
        """This process serves from now on, in this place (from 0)."""
        self._lock = threading.Lock()
        self._own = self._at(place)
        self._cells[self._own + _NUMBER] = os.getpid()
        self._cells[self._own + _STARTS] += 1
        self._cells[self._own + _BEGUN] = time.time()

    def count(self, route: str, status: int, seconds: float, statements: int) -> None:
        """One request that has ended."""
        found = self._place_of.get(route)
        if found is None:
            return
        at = self._own + _HEAD + found * _PER_ROUTE
        of_class = at + (min(max(status // 100, 1), 5) - 1) * _PER_CLASS
        cells = self._cells
        with self._lock:
            cells[of_class + bisect_left(BUCKETS, seconds)] += 1
            cells[of_class + _PER_CLASS - 1] += seconds
            cells[at + _PER_ROUTE - 1] += statements

    def answered(self) -> Iterator[Answered]:
        """What all processes answered since the server began, without what there was none of."""
        for place, route in enumerate(self.routes):
            for number, status in enumerate(CLASSES):
                at = _HEAD + place * _PER_ROUTE + number * _PER_CLASS
                cells = [self._sum(at + one) for one in range(_PER_CLASS)]
                if any(cells[:-1]):
                    counts = tuple(int(one) for one in cells[:-1])
                    yield Answered(route, status, counts, cells[-1])

    def statements(self) -> Iterator[tuple[str, int]]:
        """How many statements the requests of each route sent to the database."""
        for place, route in enumerate(self.routes):
            found = int(self._sum(_HEAD + (place + 1) * _PER_ROUTE - 1))
            if found:
                yield route, found

    def replaced(self) -> int:
        """How often a process took the place of one that had died."""
        starts = [int(self._cells[self._at(place) + _STARTS]) for place in range(self.processes)]
        return sum(max(0, one - 1) for one in starts)

    def living(self) -> list[Process]:
        """The processes that serve now."""
        return [one for one in map(self._process, range(self.processes)) if _lives(one.number)]

    def _process(self, place: int) -> Process:
        at = self._at(place)
        number, begun = self._cells[at + _NUMBER], self._cells[at + _BEGUN]
        return Process(place, int(number), begun)

    def _at(self, place: int) -> int:
        return 2 + place * self._region

    def _sum(self, offset: int) -> float:
        return sum(self._cells[self._at(place) + offset] for place in range(self.processes))


def _lives(number: int) -> bool:
    if not number:
        return False
    try:
        os.kill(number, 0)
    except OSError:
        return False
    return True
