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

from proman.base.errors import NotThere, Refused
from proman.billing.adjusting import refund, take_back, write_off
from proman.billing.again import bill_again
from proman.billing.credit import open_documents
from proman.billing.crediting import credit_invoice, creditable
from proman.billing.deposit_settling import Outcome, settle_deposit
from proman.billing.deposit_settling import take_back as give_back
from proman.billing.deposits import request_deposit, take_over_deposit
from proman.billing.ending import end_lease, preview_ending, the_billable
from proman.billing.models import Adjustment, DepositEvent, Invoice
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
        begin_write()
        take_over_deposit(self.leases[0], 80_000, FIRST, actor=actor())
        db.session.commit()

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

    @rule(data=st.data(), part=st.integers(1, 99))
    def credit_a_part(self, data: st.DataObject, part: int) -> None:
        known = db.session.scalars(select(Invoice.id).where(Invoice.kind == "invoice")).all()
        if known:
            chosen = data.draw(st.sampled_from(known))
            lines = creditable(chosen).lines
            amounts = {line.of.line_id: line.of.left * part // 100 for line in lines}
            self.try_to(
                lambda: credit_invoice(
                    chosen, "In part", today=TODAY, actor=actor(), amounts=amounts
                )
            )

    @rule()
    def bill_again(self) -> None:
        for chosen in db.session.scalars(select(Invoice.id).where(Invoice.kind == "invoice")).all():
            self.try_to(lambda chosen=chosen: bill_again(chosen, today=TODAY, actor=actor()))

    @rule(which=st.integers(0, 1), amount=AMOUNTS)
    def ask_for_a_deposit(self, which: int, amount: int) -> None:
        begin_write()
        try:
            request_deposit(self.leases[which], amount, TODAY, today=TODAY, actor=actor())
        except Refused:
            db.session.rollback()
        db.session.commit()

    @rule(data=st.data(), which=st.integers(0, 1), on=DAYS, amounts=st.tuples(*[AMOUNTS] * 3))
    def settle_the_deposit(
        self, data: st.DataObject, which: int, on: date, amounts: tuple[int, ...]
    ) -> None:
        lease = self.leases[which]
        known = [one.id for one in open_documents(lease)]
        chosen = data.draw(st.lists(st.sampled_from(known), max_size=2)) if known else []
        outcome = Outcome(
            on,
            "Handed over",
            interest=amounts[0] % 500,
            withheld=dict.fromkeys(chosen, amounts[1] % 50_000),
            returned=amounts[2] % 100_000,
        )
        self.try_to(lambda: settle_deposit(lease, outcome, today=TODAY, actor=actor()))

    @rule(data=st.data(), amount=AMOUNTS, on=DAYS)
    def write_off(self, data: st.DataObject, amount: int, on: date) -> None:
        known = db.session.scalars(select(Invoice.id).where(Invoice.open > 0)).all()
        if known:
            chosen = data.draw(st.sampled_from(known))
            give_up = lambda: write_off(chosen, amount, on, "Gone", today=TODAY, actor=actor())  # noqa: E731
            self.try_to(give_up)

    @rule(which=st.integers(0, 1), amount=AMOUNTS, on=DAYS)
    def refund(self, which: int, amount: int, on: date) -> None:
        lease = self.leases[which]
        self.try_to(lambda: refund(lease, amount, on, "Asked", today=TODAY, actor=actor()))

    @rule(data=st.data(), on=DAYS)
    def take_back(self, data: st.DataObject, on: date) -> None:
        verbs = ((Adjustment, take_back), (DepositEvent, give_back))
        known = [
            (verb, key) for model, verb in verbs for key in db.session.scalars(select(model.id))
        ]
        if known:
            verb, chosen = data.draw(st.sampled_from(known))
            self.try_to(lambda: verb(chosen, on, "Wrong", today=TODAY, actor=actor()))

    def try_to(self, act: Callable[[], object]) -> None:
        begin_write()
        try:
            act()
        except (Refused, NotThere):
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
