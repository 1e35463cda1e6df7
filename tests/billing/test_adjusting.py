"""Debts are written off, credit is paid back, both can be taken back, and the books stay sound."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing.adjusting import refund, take_back, write_off
from proman.billing.credit import unused_credit
from proman.billing.crediting import credit_invoice
from proman.billing.models import Adjustment
from proman.db import begin_write, db
from proman.ledger.queries import account_totals, lease_balance
from proman.payments.actions import reverse_payment
from proman.payments.listing import PAYMENTS
from proman.payments.queries import payment as payment_by_id
from tests.billing.books import breaches_but_of_numbers as breaches
from tests.billing.books import pay
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, make_invoice, open_of

pytestmark = pytest.mark.engines
DUE, TODAY = date(2027, 3, 1), date(2027, 6, 1)


def off(invoice_id: int, amount: int, on: date = TODAY, reason: str = "Moved abroad") -> int:
    begin_write()
    made = write_off(invoice_id, amount, on, reason, today=TODAY, actor=actor())
    db.session.commit()
    return made.id


def back(adjustment_id: int, on: date = TODAY) -> None:
    begin_write()
    take_back(adjustment_id, on, "It came after all", today=TODAY, actor=actor())
    db.session.commit()


def repay(lease_id: int, amount: int, on: date = TODAY, reason: str = "Asked for it") -> list[int]:
    begin_write()
    made = refund(lease_id, amount, on, reason, today=TODAY, actor=actor())
    db.session.commit()
    return [one.id for one in made]


def refused(field: str | None, act: object, *arguments: object) -> None:
    with pytest.raises(Refused) as told:
        act(*arguments)  # type: ignore[operator]
    db.session.rollback()
    assert told.value.field == field


def test_a_part_is_written_off_paid_and_taken_back(home: Cast) -> None:
    lease = make_lease()
    invoice = make_invoice(lease, 100_000, due=DUE)
    made = off(invoice, 40_000)
    assert open_of(invoice) == [60_000]
    assert account_totals()["bad_debt"] == 40_000
    pay(lease, 60_000, TODAY)
    assert lease_balance(lease) == (0, 0)
    back(made)
    assert open_of(invoice) == [40_000]
    assert account_totals()["bad_debt"] == 0
    assert breaches() == []
    refused(None, back, made)
    reversal = select(Adjustment.id).where(Adjustment.reverses_id == made)
    with pytest.raises(NotThere):
        back(db.session.scalars(reversal).one())


def test_what_cannot_be_written_off_is_refused_beside_its_field(home: Cast) -> None:
    lease = make_lease()
    invoice = make_invoice(lease, 100_000, due=DUE, issued=DUE)
    refused("amount", off, invoice, 100_001)
    refused("amount", off, invoice, 0)
    refused("on", off, invoice, 1, TODAY + timedelta(days=1))
    refused("on", off, invoice, 1, DUE - timedelta(days=1))
    refused("reason", off, invoice, 1, TODAY, " ")
    with pytest.raises(NotThere):
        off(987_654, 1)
    db.session.rollback()
    off(invoice, 100_000)
    refused(None, off, invoice, 1)
    assert breaches() == []


def test_what_was_written_off_is_not_credited_before_it_is_taken_back(home: Cast) -> None:
    lease = make_lease()
    invoice = make_invoice(lease, 100_000, due=DUE)
    made = off(invoice, 30_000)

    def credit() -> None:
        begin_write()
        credit_invoice(invoice, "Wrong", today=TODAY, actor=actor())
        db.session.commit()

    refused(None, credit)
    back(made)
    credit()
    assert open_of(invoice) == [0]
    assert breaches() == []


def test_credit_is_paid_back_the_oldest_first_and_can_be_credit_again(home: Cast) -> None:
    lease = make_lease()
    first, second = pay(lease, 30_000, DUE), pay(lease, 20_000, DUE + timedelta(days=1))
    made = repay(lease, 40_000)
    assert unused_credit(lease) == 10_000
    assert account_totals()["bank"] == 10_000
    left = {row.id: row.unused for row in PAYMENTS.page({}).rows}
    assert left == {first: 0, second: 10_000}

    def bounce() -> None:
        begin_write()
        reverse_payment(payment_by_id(second), TODAY, "No funds", today=TODAY, actor=actor())
        db.session.commit()

    refused(None, bounce)
    back(made[1])
    bounce()
    assert unused_credit(lease) == 0
    back(made[0])
    assert unused_credit(lease) == 30_000
    assert breaches() == []


def test_what_cannot_be_paid_back_is_refused_beside_its_field(home: Cast) -> None:
    lease = make_lease()
    refused("amount", repay, lease, 1)
    pay(lease, 30_000, DUE)
    refused("amount", repay, lease, 30_001)
    refused("amount", repay, lease, 0)
    refused("on", repay, lease, 1, DUE - timedelta(days=1))
    refused("on", repay, lease, 1, TODAY + timedelta(days=1))
    refused("reason", repay, lease, 1, TODAY, "")
    with pytest.raises(NotThere):
        repay(987_654, 1)
