"""The server is killed at any moment of billing and payment: nothing is half done, nothing lost."""

import os
import random
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import text

from proman.db import db
from proman.identity.session import acting_for
from tests.conftest import Cast
from tests.factories import PASSWORD, make_lease, make_property, make_tenant, make_unit
from tests.people import Person
from tests.servers import Server, database_of, flask, serving

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
LEASES = 40
FIRST_DAY = date(2026, 1, 17)
REFERENCE = "CRASH-{:02d}"


@dataclass(frozen=True)
class House:
    """The folder of an installation, and what tells its processes where the database is."""

    folder: Path
    database: dict[str, str]

    def flask(self, *words: str) -> None:
        done = flask(self.folder, *words, **self.database)
        assert done.returncode == 0, done.stdout + done.stderr

    def serving(self) -> AbstractContextManager[Server]:
        return serving(self.folder, **self.database)

    def first_column(self, statement: str) -> list[Any]:
        """What a statement finds, read past ProMan; no connection stays open for the kill."""
        with db.engine.connect() as connection:
            found = list(connection.execute(text(statement)).scalars())
        db.engine.dispose()
        return found


@pytest.fixture
def house(app: Flask, cast: Cast, tmp_path: Path) -> Iterator[House]:
    """An installation of forty leases that were never billed."""
    with app.app_context(), acting_for(cast.organization):
        building, tenant = make_property(), make_tenant()
        for number in range(LEASES):
            reference = REFERENCE.format(number)
            make_lease(make_unit(building), [tenant], first_day=FIRST_DAY, reference=reference)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
        yield House(tmp_path / "home", database_of(app.extensions["proman_settings"]))


BROKEN_OFF = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
"""What a request says whose server was killed: before its answer began, or in the middle of it."""


def killed_during(server: Server, path: str, delay: float, **fields: str) -> None:
    """Post a form and kill the server while it works on it."""
    mona = Person(server.url, "mona@example.com", PASSWORD)

    def post() -> None:
        try:
            mona.post(path, **fields)
        except BROKEN_OFF:
            return

    posting = threading.Thread(target=post)
    posting.start()
    posting.join(delay)
    server.kill()
    posting.join()


def test_billing_is_all_or_nothing(house: House) -> None:
    expected = None
    for attempt in range(4 * SCALE):
        with house.serving() as server:
            killed_during(server, "/billing/runs", random.Random(attempt).uniform(0.0, 0.4))
        house.flask("doctor")
        (issued,) = house.first_column("SELECT count(*) FROM invoices")
        assert issued in (0, expected or issued), "a run was issued in part"
        expected = issued or expected
    house.flask("billing", "run")
    house.flask("doctor")
    issued = house.first_column("SELECT issued FROM billing_runs")
    assert issued == house.first_column("SELECT count(*) FROM invoices")


def test_no_acknowledged_payment_is_lost_and_none_is_doubled(house: House) -> None:
    house.flask("billing", "run")
    acknowledged: set[str] = set()
    for attempt in range(3 * SCALE):
        with house.serving() as server:
            killer = threading.Timer(random.Random(attempt).uniform(0.1, 1.5), server.kill)
            acknowledged |= pay_until_killed(server, attempt, killer)
            killer.join()
        house.flask("doctor")
    found = house.first_column("SELECT reference FROM payments")
    assert acknowledged, "no payment was acknowledged before the kill"
    assert len(found) == len(set(found)), "a payment was doubled"
    assert acknowledged <= set(found), "an acknowledged payment was lost"


def pay_until_killed(server: Server, attempt: int, killer: threading.Timer) -> set[str]:
    """Record one payment after another; the references of those the server acknowledged.

    The killer's time begins with the first of them, however slow the machine is.
    """
    done: set[str] = set()
    try:
        mona = Person(server.url, "mona@example.com", PASSWORD)
        for number in range(10_000):
            reference = f"{attempt}-{number}"
            answer = mona.post(
                "/payments/",
                lease=REFERENCE.format(number % LEASES),
                amount="123.45",
                received_on="2026-03-01",
                method="transfer",
                reference=reference,
                how="oldest",
            )
            assert answer.status_code == 303, answer.text
            done.add(reference)
            if number == 0:
                killer.start()
    except BROKEN_OFF:
        pass
    return done
