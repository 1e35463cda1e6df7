"""Eight threads pay and bill the same leases at once: nothing doubled, nothing lost, no error."""

from collections.abc import Callable
from datetime import date
from random import Random

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from proman.base.errors import Refused
from proman.billing.actions import run_billing
from proman.billing.models import Invoice
from proman.db import begin_write, db
from proman.leases.models import Lease
from proman.ledger.queries import account_totals
from proman.payments.actions import NewPayment, Share, record_payment, reverse_payment
from proman.payments.models import Payment
from proman.payments.queries import payment as payment_by_id
from tests.billing.books import breaches, pay
from tests.billing.test_concurrency import at_once, portfolio
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, make_invoice, open_of

pytestmark = pytest.mark.engines
AS_OF = date(2027, 3, 1)
THREADS = 8
ROUNDS = 6


def test_paying_and_billing_at_once(app: Flask, home: Cast) -> None:
    leases = portfolio(6)
    expected = 6 * 3

    def work(seed: int) -> Callable[[], int]:
        def rounds() -> int:
            random, paid = Random(seed), 0
            for number in range(ROUNDS):
                if (number + seed) % 2:
                    begin_write()
                    run_billing(AS_OF, today=AS_OF, actor=actor(), lease_ids=leases)
                else:
                    begin_write()
                    amount = random.randint(1, 200_000)
                    share = Share(random.choice(leases), amount)
                    new = NewPayment(AS_OF, "transfer", f"{seed} {number}", (share,))
                    record_payment(new, today=AS_OF, actor=actor())
                    paid += amount
                db.session.commit()
            return paid

        return rounds

    results = at_once(app, home.organization, [work(seed) for seed in range(THREADS)])
    assert [each for each in results if not isinstance(each, int)] == []
    db.session.rollback()
    totals = account_totals()
    assert totals["bank"] == sum(each for each in results if isinstance(each, int))
    assert db.session.execute(select(func.count(Payment.id))).scalar_one() == THREADS * ROUNDS // 2
    assert db.session.execute(select(func.count(Invoice.id))).scalar_one() == expected
    issued = db.session.execute(select(func.sum(Invoice.total))).scalar_one()
    assert totals["receivable"] + totals["tenant_credit"] == issued - totals["bank"]
    assert breaches() == []


def test_one_invoice_is_not_paid_twice(app: Flask, home: Cast) -> None:
    lease_id = make_lease()
    invoice = make_invoice(lease_id, 100_000, due=AS_OF)

    def receive() -> int:
        begin_write()
        new = NewPayment(AS_OF, "cash", "", (Share(lease_id, 30_000),))
        made = record_payment(new, today=AS_OF, actor=actor(), confirmed=True)[0].id
        db.session.commit()
        return made

    made = at_once(app, home.organization, [receive] * THREADS)
    assert len(set(made)) == THREADS
    db.session.rollback()
    assert open_of(invoice) == [0]
    assert account_totals()["tenant_credit"] == -140_000
    assert [b for b in breaches() if b.invariant != "Numbers have no gap"] == []


def test_of_eight_reversals_one_holds(app: Flask, home: Cast) -> None:
    lease_id = make_lease()
    payment_id = pay(lease_id, 5_000, AS_OF)

    def take_back() -> str:
        begin_write()
        try:
            payment = payment_by_id(payment_id)
            reverse_payment(payment, AS_OF, "No funds", today=AS_OF, actor=actor())
        except Refused:
            db.session.rollback()
            return "refused"
        db.session.commit()
        return "done"

    results = at_once(app, home.organization, [take_back] * THREADS)
    assert sorted(map(str, results)) == ["done"] + ["refused"] * (THREADS - 1)
    assert breaches() == []


def test_the_same_form_sent_eight_times_is_recorded_once(
    app: Flask, home: Cast, mona: FlaskClient
) -> None:
    lease_id = make_lease()
    mona.get("/payments/")
    cookie = mona.get_cookie("proman")
    assert cookie is not None
    values = {
        "lease": db.session.scalars(select(Lease.reference).where(Lease.id == lease_id)).one(),
        "amount": "10",
        "received_on": "2026-03-02",
        "method": "cash",
        "reference": "once",
        "how": "oldest",
    }

    def send() -> int:
        client = app.test_client()
        client.set_cookie("proman", cookie.value)
        return client.post("/payments/", data=values).status_code

    answers = at_once(app, home.organization, [send] * THREADS)
    assert sorted(map(str, answers)) == ["303"] + ["422"] * (THREADS - 1)
    db.session.rollback()
    assert db.session.execute(select(func.count(Payment.id))).scalar_one() == 1
