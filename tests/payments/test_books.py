"""Whatever is issued, paid, allocated, released, reversed and credited, in whatever order, the
books are sound after every step."""

import os
from contextlib import suppress
from datetime import date, timedelta

from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from proman.base.errors import Refused
from proman.billing.actions import run_billing
from proman.billing.allocation import allocate_credit
from proman.billing.credit import open_documents, standing_of
from proman.billing.crediting import credit_invoice
from proman.billing.deposits import deposit_of, request_deposit
from proman.billing.models import Invoice
from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.ledger.queries import account_totals, lease_balance
from proman.payments.actions import (
    NewPayment,
    Share,
    allocate_rest,
    record_payment,
    release_allocation,
    reverse_payment,
)
from proman.payments.models import Payment, PaymentReversal
from proman.payments.queries import payment as payment_by_id
from tests.billing.books import breaches
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
FIRST = date(2027, 1, 1)
AMOUNTS = st.sampled_from([1, 333, 40_000, 60_000, 100_000, 119_000, 150_000, 400_001])


class Books(RuleBasedStateMachine):
    """Two leases of one organization; `today` only moves forward."""

    app: Flask
    organization: int

    def __init__(self) -> None:
        super().__init__()
        self.context = self.app.app_context()
        self.context.push()
        self.acting = acting_for(self.organization)
        self.acting.__enter__()

    def teardown(self) -> None:
        self.acting.__exit__(None, None, None)
        self.context.pop()

    @initialize()
    def begin(self) -> None:
        self.today = FIRST
        charge = {"amount": 19_000, "tax_rate": 19_000}
        self.leases = [
            make_lease(first_day=FIRST, charges=[charge]),
            make_lease(first_day=FIRST, frequency="quarterly", rent=250_001),
        ]
        self.payments: list[int] = []

    @rule(days=st.integers(1, 40))
    def wait_and_bill(self, days: int) -> None:
        self.today += timedelta(days=days)
        begin_write()
        run_billing(self.today, today=self.today, actor=actor(), lease_ids=self.leases)
        db.session.commit()

    @rule(lease=st.integers(0, 1), amount=AMOUNTS, ago=st.integers(0, 30))
    def pay(self, lease: int, amount: int, ago: int) -> None:
        self.receive((Share(self.leases[lease], amount),), ago)

    @rule(first=AMOUNTS, second=AMOUNTS, ago=st.integers(0, 5))
    def pay_for_both(self, first: int, second: int, ago: int) -> None:
        self.receive((Share(self.leases[0], first), Share(self.leases[1], second)), ago)

    @rule(lease=st.integers(0, 1), amount=AMOUNTS, which=st.integers(0, 9), part=AMOUNTS)
    def pay_by_hand(self, lease: int, amount: int, which: int, part: int) -> None:
        documents = open_documents(self.leases[lease])
        wanted = {d.id: min(part, d.open, amount) for d in documents[which : which + 1]}
        self.receive((Share(self.leases[lease], amount, invoices=wanted),), 0)

    @rule(lease=st.integers(0, 1), amount=AMOUNTS)
    def request_a_deposit(self, lease: int, amount: int) -> None:
        begin_write()
        with suppress(Refused):
            request_deposit(self.leases[lease], amount, self.today, today=self.today, actor=actor())
        db.session.commit()

    @rule(lease=st.integers(0, 1), extra=st.sampled_from([0, 5_000]), half=st.booleans())
    def pay_a_deposit(self, lease: int, extra: int, half: bool) -> None:
        requests = [d for d in open_documents(self.leases[lease]) if d.kind == "deposit_request"]
        if requests:
            amount = max(1, requests[0].open // 2) if half else requests[0].open
            share = Share(self.leases[lease], amount + extra, deposits={requests[0].id: amount})
            self.receive((share,), 0)

    @rule(lease=st.integers(0, 1))
    def use_all_credit(self, lease: int) -> None:
        begin_write()
        allocate_credit(self.leases[lease], actor=actor())
        db.session.commit()

    @precondition(lambda self: self.payments)
    @rule(which=st.integers(0, 99), ago=st.integers(0, 20))
    def reverse(self, which: int, ago: int) -> None:
        begin_write()
        with suppress(Refused):
            payment = payment_by_id(self.payments[which % len(self.payments)])
            on = self.today - timedelta(days=ago)
            reverse_payment(payment, on, "No funds", today=self.today, actor=actor())
        db.session.commit()

    @precondition(lambda self: self.payments)
    @rule(which=st.integers(0, 99))
    def release(self, which: int) -> None:
        payment_id = self.payments[which % len(self.payments)]
        begin_write()
        payment = payment_by_id(payment_id)
        for paid in standing_of(payment_id)[:1]:
            release_allocation(payment, paid.allocation_id, today=self.today, actor=actor())
        db.session.commit()

    @precondition(lambda self: self.payments)
    @rule(which=st.integers(0, 99))
    def use_the_rest(self, which: int) -> None:
        begin_write()
        payment = payment_by_id(self.payments[which % len(self.payments)])
        allocate_rest(payment, None, actor=actor())
        db.session.commit()

    @rule(which=st.integers(0, 99))
    def credit(self, which: int) -> None:
        chosen = select(Invoice.id).where(Invoice.lease_id.in_(self.leases))
        kinds = Invoice.kind.in_(("invoice", "deposit_request"))
        ids = db.session.scalars(chosen.where(kinds).order_by(Invoice.id)).all()
        if not ids:
            return
        begin_write()
        try:
            credit_invoice(ids[which % len(ids)], "In error", today=self.today, actor=actor())
        except Refused:
            db.session.rollback()
        else:
            db.session.commit()

    @invariant()
    def the_books_are_sound(self) -> None:
        assert breaches() == []

    @invariant()
    def the_bank_holds_what_came_and_did_not_go_back(self) -> None:
        reversed_ones = select(PaymentReversal.payment_id)
        standing = select(func.coalesce(func.sum(Payment.amount), 0))
        came = db.session.execute(standing.where(Payment.id.not_in(reversed_ones))).scalar_one()
        assert account_totals().get("bank", 0) == came

    @invariant()
    def a_balance_is_what_was_issued_less_what_came(self) -> None:
        for lease_id in getattr(self, "leases", []):
            owed = sum(document.open for document in open_documents(lease_id))
            balance = lease_balance(lease_id)
            assert balance.receivable == owed
            assert deposit_of(lease_id).held >= 0

    def receive(self, shares: tuple[Share, ...], ago: int) -> None:
        day = self.today - timedelta(days=ago)
        begin_write()
        new = NewPayment(day, "transfer", "", shares)
        made = record_payment(new, today=self.today, actor=actor(), confirmed=True)
        self.payments += [payment.id for payment in made]
        db.session.commit()


def test_the_books_stay_sound_whatever_happens(app: Flask, cast: Cast) -> None:
    machine = type("TheseBooks", (Books,), {"app": app, "organization": cast.organization})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8 * SCALE,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
