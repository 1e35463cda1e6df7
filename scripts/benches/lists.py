"""The lists at 10,000 leases: answers a second, as part of what a constant view gives (0.20)."""

import argparse
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proman.database.driver import sqlite3
from scripts.benches.clients import ask
from scripts.benches.sites import constant, demonstration, folder_of

LISTS = (
    "/properties/",
    "/properties/units",
    "/tenants/",
    "/leases/",
    "/invoices/",
    "/invoices/?state=overdue",
    "/payments/",
    "/reports/rent-roll",
    "/reports/aged-receivables?by=tenant",
    "/reports/open-items",
    "/reports/statements",
    "/admin/audit",
)
BUDGET = 0.20


def measure(arguments: list[str]) -> None:
    """Each list and the yardstick in turn, several rounds; the middle one of their ratios.

    The whole page that somebody who is signed in gets. Beside it the part that htmx asks for, and
    the whole page again while somebody else changes the database once a second: what was kept of
    counts and sums is then reckoned anew.
    """
    parser = argparse.ArgumentParser(prog="scripts/bench list", description=__doc__)
    parser.add_argument("--leases", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="keep the demonstration there, or take the one that is")
    parser.add_argument("lists", nargs="*", default=LISTS)
    wanted = parser.parse_args(arguments)
    with (
        folder_of(wanted.folder) as folder,
        constant() as yardstick,
        demonstration(folder, wanted.leases, wanted.months, "admin@example.com") as (url, cookie),
    ):
        ask(yardstick, seconds=1)
        print(f"{'':<37}{'answers/s':>10}{'of constant':>13}{'part':>8}{'changed':>9}{'p95 ms':>8}")
        for address in wanted.lists:
            _tell(address, folder, url, cookie, yardstick, wanted)


def _tell(
    address: str, folder: Path, url: str, cookie: str, yardstick: str, wanted: argparse.Namespace
) -> None:
    rate, whole = _ratio(url + address, cookie, yardstick, wanted)
    _, part = _ratio(url + address, f"{cookie}\r\nHX-Request: true", yardstick, wanted)
    with _changing(folder):
        _, changed = _ratio(url + address, cookie, yardstick, wanted)
    alone = ask(url + address, cookie=cookie, seconds=1.0, connections=1)
    verdict = "" if whole >= BUDGET else f"  below {BUDGET:.2f}"
    print(
        f"{address:<37}{rate:>10.0f}{whole:>13.3f}{part:>8.3f}{changed:>9.3f}{alone.p95:>8.1f}"
        f"{verdict}",
        flush=True,
    )


def _ratio(
    url: str, cookie: str, yardstick: str, wanted: argparse.Namespace
) -> tuple[float, float]:
    """Answers a second, and their part of the yardstick's."""
    ask(url, cookie=cookie, seconds=0.5)
    ratios, rates = [], []
    for _ in range(wanted.rounds):
        one = ask(yardstick, seconds=wanted.seconds)
        other = ask(url, cookie=cookie, seconds=wanted.seconds)
        ratios.append(other.per_second / one.per_second)
        rates.append(other.per_second)
    return statistics.median(rates), statistics.median(ratios)


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """A connection of its own commits a change once a second, as another person would."""
    is_over = threading.Event()

    def change() -> None:
        connection = sqlite3.connect(folder / "proman.sqlite", isolation_level=None, timeout=30)
        while not is_over.wait(1.0):
            connection.execute("UPDATE organizations SET name = name")
        connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
