"""Late fees in the books: charged once, taken back, waived, on every engine and by many at once."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from proman.base.errors import Refused
from proman.billing.adjusting import write_off
from proman.billing.crediting import credit_invoice
from proman.billing.ending import end_lease
from proman.billing.late import LatePolicy
from proman.billing.late_charging import Charged, charge_late_invoices, decide
from proman.billing.models import Invoice, LateFee
from proman.db import begin_write, db
from proman.ledger.queries import lease_balance
from tests.billing.books import breaches, invoices, lines_of, pay, run
from tests.billing.test_concurrency import at_once
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

pytestmark = pytest.mark.engines
OCTOBER = date(2027, 10, 1)
FIVE_PER_CENT = LatePolicy(grace_days=3, rate=5_000)


def october(day: int) -> date:
    return OCTOBER + timedelta(days=day - 1)


def decided(policy: LatePolicy | None, on: date = date(2027, 9, 1)) -> None:
    begin_write()
    decide(policy, today=on, actor=actor())
    db.session.commit()


def charge(on: date) -> Charged:
    begin_write()
    done = charge_late_invoices(today=on, actor=actor())
    db.session.commit()
    return done


def billed_lease() -> tuple[int, int]:
    """A lease from October with its one invoice of 1,000.00."""
    lease = make_lease(first_day=OCTOBER)
    (invoice,) = run(OCTOBER).issued
    assert invoice.total == 100_000
    return lease, invoice.id


def charged_sum(invoice_id: int) -> int:
    db.session.rollback()
    found = db.session.scalar(select(func.sum(LateFee.amount)).filter_by(invoice_id=invoice_id))
    return int(found or 0)


def test_nothing_is_charged_unless_somebody_decided_so(home: Cast) -> None:
    billed_lease()
    assert charge(october(20)) == Charged((), [])
    decided(FIVE_PER_CENT, october(10))
    assert charge(october(20)) == Charged((), [])
    with pytest.raises(Refused):
        decided(FIVE_PER_CENT, october(11))
    db.session.rollback()


def test_the_example_of_the_rules_from_the_fee_to_the_credit_note(home: Cast) -> None:
    decided(FIVE_PER_CENT)
    lease, invoice = billed_lease()
    pay(lease, 40_000, october(3))
    assert charge(october(4)).fees == ()
    (fee,) = charge(october(5)).fees
    assert (fee.total, fee.due_date) == (3_000, october(5))
    (line,) = lines_of(fee.id)
    assert (line.kind, line.explanation) == ("late_fee", "5 % of 600.00 = 30.00")
    assert charge(october(5)) == charge(october(30)) == Charged((), [])
    pay(lease, 30_000, october(4))
    (note,) = charge(date(2027, 11, 2)).credit_notes
    assert note.total == 1_500
    pay(lease, 30_000, october(5))
    assert charge(date(2027, 11, 3)) == Charged((), [])
    assert charged_sum(invoice) == 1_500
    assert breaches() == []


def test_a_late_run_charges_what_was_paid_late_in_between(home: Cast) -> None:
    decided(FIVE_PER_CENT)
    lease, _ = billed_lease()
    pay(lease, 100_000, october(9))
    (fee,) = charge(date(2027, 12, 1)).fees
    assert fee.total == 5_000
    assert charge(date(2027, 12, 31)) == Charged((), [])
    assert breaches() == []


def test_a_waived_fee_stays_waived_even_where_it_was_wrong(home: Cast) -> None:
    decided(FIVE_PER_CENT)
    lease, _ = billed_lease()
    (fee,) = charge(october(5)).fees
    begin_write()
    credit_invoice(fee.id, "The bank was closed", today=october(6), actor=actor())
    db.session.commit()
    assert charge(october(20)) == Charged((), [])
    pay(lease, 100_000, october(2))
    assert charge(october(21)) == Charged((), [])
    assert lease_balance(lease) == (0, 0)
    assert breaches() == []


def test_credit_that_stays_unused_settles_nothing(home: Cast) -> None:
    decided(FIVE_PER_CENT)
    lease, _ = billed_lease()
    charge(october(5))
    pay(lease, 105_000, october(6))
    pay(lease, 100_000, october(2))
    assert charge(october(9)) == Charged((), [])
    assert lease_balance(lease) == (0, 100_000)
    assert breaches() == []


def test_a_fee_written_off_holds_no_run_up(home: Cast) -> None:
    decided(FIVE_PER_CENT)
    lease, _ = billed_lease()
    (fee,) = charge(october(5)).fees
    begin_write()
    write_off(fee.id, 5_000, october(6), "Moved abroad", today=october(6), actor=actor())
    db.session.commit()
    pay(lease, 100_000, october(2))
    assert charge(october(9)) == Charged((), [])
    assert breaches() == []


def test_daily_runs_late_or_often_come_to_the_same(home: Cast) -> None:
    decided(LatePolicy(grace_days=3, rate=33, daily=True, cap=700))
    lease, invoice = billed_lease()
    assert [fee.total for fee in charge(october(5)).fees] == [33]
    (second,) = charge(october(8)).fees
    assert second.total == 99
    assert lines_of(second.id)[0].period_start == october(6)
    pay(lease, 70_000, october(6))
    (note,) = charge(october(8)).credit_notes
    assert note.total == 132 - 86
    assert [fee.total for fee in charge(date(2028, 3, 1)).fees] == [614]
    assert charge(date(2028, 3, 9)) == Charged((), [])
    assert charged_sum(invoice) == 700
    assert breaches() == []


def test_no_fee_on_a_fee_and_none_is_credited_when_the_lease_ends(home: Cast) -> None:
    decided(FIVE_PER_CENT)
    lease, _ = billed_lease()
    (fee,) = charge(october(5)).fees
    assert charge(october(25)) == Charged((), [])
    begin_write()
    end_lease(lease, october(3), "Left", today=october(26), actor=actor())
    db.session.commit()
    assert [i.refers_to_id for i in invoices(kind="credit_note") if i.refers_to_id == fee.id] == []


def test_the_doctor_finds_a_fee_that_is_not_what_its_document_says(home: Cast) -> None:
    decided(FIVE_PER_CENT)
    _, invoice = billed_lease()
    charge(october(5))
    begin_write()
    db.session.execute(update(LateFee).values(amount=4_999))
    db.session.commit()
    (found,) = breaches()
    assert (found.invariant, found.where) == (
        "A late fee is what its document says",
        f"invoice {invoice}",
    )


def test_eight_runs_at_once_charge_once(app: Flask, home: Cast) -> None:
    decided(FIVE_PER_CENT)
    billed_lease()

    def work() -> int:
        begin_write()
        fees = charge_late_invoices(today=october(9), actor=actor()).fees
        db.session.commit()
        return len(fees)

    counts = at_once(app, home.organization, [work] * 8)
    assert sorted(counts, key=str) == [0] * 7 + [1]
    db.session.rollback()
    assert db.session.scalar(select(func.count(LateFee.id))) == 1
    assert db.session.scalar(select(func.count(Invoice.id))) == 2
    assert breaches() == []
