"""Whatever a manager does in whatever order, the books stay sound after every step."""

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
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
from sqlalchemy import select

from proman.base.errors import Refused
from proman.billing.crediting import credit_invoice
from proman.billing.deposits import request_deposit
from proman.billing.ending import end_lease, preview_ending, the_billable
from proman.billing.models import Invoice
from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.ledger import queries as journal
from proman.payments.actions import reverse_payment
from proman.payments.queries import payment as payment_by_id
from tests import factories
from tests.billing.books import TODAY, breaches, pay, run
from tests.money import actor

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
FIRST = date(2027, 1, 1)
DAYS = st.integers(0, 180).map(lambda days: FIRST + timedelta(days=days))
AMOUNTS = st.integers(1, 300_000)


class Books(RuleBasedStateMachine):
    """Two leases and all that billing and payments do to their money."""

    empty_again: Callable[[], None]

    @initialize(
        rates=st.tuples(*[st.sampled_from([0, 19000])] * 2),
        prorations=st.tuples(*[st.sampled_from(["actual", "fixed_30", "days_365", "none"])] * 2),
        firsts=st.tuples(DAYS, DAYS),
    )
    def begin(
        self, rates: tuple[int, ...], prorations: tuple[str, ...], firsts: tuple[date, ...]
    ) -> None:
        db.session.remove()
        self.empty_again()
        self.context = acting_for(factories.make_organization())
        self.context.__enter__()
        self.leases = [
            factories.make_lease(
                first_day=first,
                proration=proration,
                due_rule="day:31",
                charges=[{"amount": 3335, "tax_rate": rate, "gross": bool(rate)}],
            )
            for first, proration, rate in zip(firsts, prorations, rates, strict=True)
        ]
        self.payments: list[int] = []

    def teardown(self) -> None:
        if hasattr(self, "context"):
            self.context.__exit__(None, None, None)

    @rule(as_of=DAYS)
    def bill(self, as_of: date) -> None:
        run(as_of)
        assert run(as_of).issued == ()

    @rule(which=st.integers(0, 1), amount=AMOUNTS, on=DAYS)
    def receive(self, which: int, amount: int, on: date) -> None:
        self.payments.append(pay(self.leases[which], amount, on))

    @precondition(lambda self: self.payments)
    @rule(data=st.data())
    def bounce(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.payments))
        self.payments.remove(chosen)
        begin_write()
        reverse_payment(payment_by_id(chosen), TODAY, "No funds", today=TODAY, actor=actor())
        db.session.commit()

    @rule(data=st.data())
    def credit(self, data: st.DataObject) -> None:
        known = db.session.scalars(select(Invoice.id).where(Invoice.kind != "credit_note")).all()
        if not known:
            return
        begin_write()
        try:
            chosen = data.draw(st.sampled_from(known))
            credit_invoice(chosen, "Billed in error", today=TODAY, actor=actor())
        except Refused:
            db.session.rollback()
        db.session.commit()

    @rule(which=st.integers(0, 1), amount=AMOUNTS)
    def ask_for_a_deposit(self, which: int, amount: int) -> None:
        begin_write()
        try:
            request_deposit(self.leases[which], amount, TODAY, today=TODAY, actor=actor())
        except Refused:
            db.session.rollback()
        db.session.commit()

    @rule(which=st.integers(0, 1), on=DAYS)
    def end(self, which: int, on: date) -> None:
        lease_id = self.leases[which]
        try:
            shown = preview_ending(the_billable(lease_id), on, today=TODAY)
        except Refused:
            return
        begin_write()
        notes = end_lease(lease_id, on, "", today=TODAY, actor=actor())
        db.session.commit()
        assert sum(note.total for note in notes) == shown.credited
        run(TODAY)
        assert journal.lease_balance(lease_id).balance == shown.final_balance

    @invariant()
    def the_doctor_is_content(self) -> None:
        if hasattr(self, "leases"):
            assert breaches() == []


@pytest.fixture
def machine(app: Flask, empty_again: Callable[[], None]) -> Iterator[type[Books]]:
    with app.app_context():
        yield type("BooksHere", (Books,), {"empty_again": staticmethod(empty_again)})


def test_the_books_stay_sound(machine: type[Books]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12 * SCALE,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
