"""`proman serve --processes N`: one socket, several processes, each replaced when it dies."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from proman import jobs
from proman.app import MIGRATIONS
from proman.cli import program
from proman.database.models import ScheduledJob
from proman.database.revisions import head_revision
from proman.database.turns import PLACE
from proman.db import begin_write, db
from proman.doctor import examine
from proman.identity.session import acting_for
from proman.leases.models import Lease
from proman.payments.models import Payment
from proman.settings import Settings
from tests.conftest import Cast
from tests.engines import waits_on
from tests.factories import PASSWORD, make_lease
from tests.people import Person
from tests.servers import Server, database_of, serving

PROCESSES = 3
PATIENCE = 30
CENTS = 12_345


@pytest.fixture
def lease(app: Flask, cast: Cast) -> str:
    """The reference of the one lease."""
    with app.app_context(), acting_for(cast.organization):
        lease_id = make_lease(first_day=date(2026, 1, 1))
        reference = db.session.scalars(select(Lease.reference).where(Lease.id == lease_id)).one()
        db.session.remove()
        return str(reference)


@pytest.fixture
def server(app: Flask, lease: str, tmp_path: Path) -> Iterator[Server]:
    """Three processes on the database of the test."""
    settings: Settings = app.extensions["proman_settings"]
    folder = tmp_path / "home"
    folder.mkdir()
    with serving(folder, "--processes", str(PROCESSES), **database_of(settings)) as server:
        yield server


def members(server: Server) -> set[int]:
    """The processes that the first one started and that still run."""
    pid = server.process.pid
    return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def wait_until(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


def pay(mona: Person, lease: str, who: str, times: int) -> list[int]:
    """Record payments one after another; the answers' statuses."""
    fields = {"lease": lease, "amount": "123.45", "received_on": "2026-03-01", "how": "oldest"}
    return [
        mona.post("/payments/", method="transfer", reference=f"{who}-{n}", **fields).status_code
        for n in range(times)
    ]


def refuses(url: str) -> bool:
    try:
        requests.get(url, timeout=PATIENCE)
    except requests.ConnectionError:
        return True
    return False


@pytest.mark.engines
def test_payments_through_all_processes_at_once(
    app: Flask, cast: Cast, server: Server, lease: str
) -> None:
    tills = [Person(server.url, "mona@example.com", PASSWORD) for _ in range(6)]
    with ThreadPoolExecutor(6) as people:
        works = [people.submit(pay, till, lease, str(n), 3) for n, till in enumerate(tills)]
    assert [work.result() for work in works] == [[303] * 3] * 6
    with app.app_context(), acting_for(cast.organization):
        count, total = db.session.execute(
            select(func.count(Payment.id), func.sum(Payment.amount))
        ).one()
        assert (count, total) == (18, 18 * CENTS)
        assert examine(db.session.connection(), head_revision(MIGRATIONS)) == []
        db.session.remove()


def test_one_that_dies_is_replaced(server: Server) -> None:
    wait_until(lambda: len(members(server)) == PROCESSES)
    before = members(server)
    victim = min(before)  # the one that keeps the schedule
    os.kill(victim, signal.SIGKILL)
    told = server.wait_for("another takes its place")
    assert f"{victim} was ended by SIGKILL" in told
    wait_until(lambda: len(members(server)) == PROCESSES)
    assert len(members(server) & before) == PROCESSES - 1
    assert all(requests.get(f"{server.url}/healthz", timeout=PATIENCE).ok for _ in range(9))
    assert server.stop() == 0


def test_term_lets_open_requests_end(app: Flask, cast: Cast, server: Server, lease: str) -> None:
    settings: Settings = app.extensions["proman_settings"]
    with app.app_context(), acting_for(cast.organization), ThreadPoolExecutor(1) as people:
        mona = Person(server.url, "mona@example.com", PASSWORD)
        # The schedule notes its jobs at the start; afterwards the payment alone waits to write.
        wait_until(lambda: scheduled() == len(jobs.schedule()))
        begin_write()
        fields = {"lease": lease, "amount": "1", "received_on": "2026-03-01", "how": "oldest"}
        answer = people.submit(mona.post, "/payments/", method="transfer", **fields)
        wait_until(lambda: is_waited_for(settings))
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: len(members(server)) == 1)
        db.session.rollback()
        assert answer.result().status_code == 303
        assert db.session.execute(select(func.count(Payment.id))).scalar_one() == 1
        db.session.remove()
    assert server.process.wait(PATIENCE) == 0
    assert refuses(server.url)


def scheduled() -> int:
    db.session.rollback()
    count: int = db.session.execute(select(func.count(ScheduledJob.name))).scalar_one()
    return count


def is_waited_for(settings: Settings) -> bool:
    """Whether somebody waits for the change under way to end."""
    if settings.database_file is None:
        return waits_on(settings.database_url)
    with Path(f"{settings.database_file}{PLACE}").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_none_outlives_the_first(server: Server) -> None:
    wait_until(lambda: len(members(server)) == PROCESSES)
    left = members(server)
    server.kill()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
    assert refuses(server.url)


@pytest.mark.parametrize("number", ["0", "65", "many"])
def test_a_number_that_cannot_be_meant(number: str) -> None:
    answer = CliRunner().invoke(program, ["serve", "--processes", number])
    assert answer.exit_code == 2
    assert "'--processes'" in answer.output
