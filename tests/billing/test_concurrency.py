"""Any number of runs at once, in threads and in processes, give the same invoices as one."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from proman.billing.actions import run_billing
from proman.billing.crediting import credit_invoice
from proman.billing.ending import end_lease
from proman.billing.models import BilledPeriod, Invoice
from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.ledger.models import Entry
from proman.settings import Settings
from tests.billing.books import breaches, pay, run
from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_tenant, make_unit
from tests.money import actor
from tests.servers import ROOT, database_of, environment_of

pytestmark = pytest.mark.engines
AS_OF = date(2027, 3, 1)
THREADS = 8


def at_once(app: Flask, organization: int, works: list[Callable[[], object]]) -> list[object]:
    """Each work in a thread of its own, started together; what it returned or raised."""
    start = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def thread(place: int, work: Callable[[], object]) -> None:
        with app.app_context(), acting_for(organization):
            start.wait()
            try:
                results[place] = work()
            except Exception as error:
                results[place] = error

    threads = [threading.Thread(target=thread, args=each) for each in enumerate(works)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return results


def numbers() -> list[str]:
    db.session.rollback()
    found = db.session.scalars(select(Invoice.number).where(Invoice.kind == "invoice"))
    return sorted(str(number) for number in found)


def portfolio(leases: int, first_day: date = date(2027, 1, 17)) -> list[int]:
    """So many leases of one house; on the first of the second month three periods are due."""
    house, tenant = make_property(), make_tenant()
    charge = {"amount": 6000, "tax_rate": 19000}
    return [
        make_lease(make_unit(house), [tenant], first_day=first_day, charges=[charge])
        for _ in range(leases)
    ]


def test_eight_threads_bill_everything_once(app: Flask, home: Cast) -> None:
    leases = portfolio(25)

    def bill() -> int:
        begin_write()
        issued = run_billing(AS_OF, today=AS_OF, actor=actor()).issued
        db.session.commit()
        return len(issued)

    counts = at_once(app, home.organization, [bill] * THREADS)
    assert sorted(counts, key=str) == [0] * (THREADS - 1) + [75]
    assert numbers() == [f"2027-{n:05d}" for n in range(1, 76)]
    assert db.session.scalar(select(func.count(BilledPeriod.id))) == 75 * 2
    assert db.session.scalar(select(func.count(Entry.id))) == 75
    assert len(leases) == 25
    assert breaches() == []


def test_threads_with_leases_of_their_own_share_one_series(app: Flask, home: Cast) -> None:
    leases = portfolio(THREADS)

    def bill(lease_id: int) -> Callable[[], int]:
        def work() -> int:
            begin_write()
            run_billing(AS_OF, today=AS_OF, actor=actor(), lease_ids=[lease_id])
            db.session.commit()
            return lease_id

        return work

    done = at_once(app, home.organization, [bill(lease_id) for lease_id in leases])
    assert done == leases
    assert numbers() == [f"2027-{n:05d}" for n in range(1, 3 * THREADS + 1)]
    assert breaches() == []


def test_paying_crediting_ending_and_billing_at_once(app: Flask, home: Cast) -> None:
    leases = portfolio(4)
    issued = run(date(2027, 2, 1)).issued

    def bill() -> None:
        begin_write()
        run_billing(AS_OF, today=AS_OF, actor=actor())
        db.session.commit()

    def credit() -> None:
        begin_write()
        credit_invoice(issued[0].id, "Billed in error", today=AS_OF, actor=actor())
        db.session.commit()

    def end() -> None:
        begin_write()
        end_lease(leases[1], date(2027, 2, 14), "", today=AS_OF, actor=actor())
        db.session.commit()

    def receive(lease_id: int) -> Callable[[], None]:
        return lambda: (pay(lease_id, 150000, date(2027, 2, 10)), None)[1]

    works = [bill, credit, end, bill, *(receive(lease_id) for lease_id in leases)]
    assert at_once(app, home.organization, works) == [None] * len(works)
    assert breaches() == []


def test_several_processes_bill_everything_once(app: Flask, home: Cast) -> None:
    portfolio(20, date(2020, 1, 17))
    settings: Settings = app.extensions["proman_settings"]
    db.session.rollback()
    command = [str(Path(sys.executable).parent / "flask"), "billing", "run", "--json", "--as-of"]
    processes = [
        subprocess.Popen(
            [*command, "2020-03-01"],
            cwd=ROOT,
            env=environment_of(settings.data_dir, **database_of(settings)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert sorted(json.loads(out)["issued"] for out, _ in said) == [0, 0, 0, 60]
    assert numbers() == [f"2020-{n:05d}" for n in range(1, 61)]
    assert breaches() == []
