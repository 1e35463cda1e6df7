"""Ending a lease: what it does to money is shown first, then done at once."""

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing.adjusting import write_off
from proman.billing.ending import EndingPreview, end_lease, preview_ending, the_billable
from proman.billing.issuing import Issued
from proman.db import begin_write, db
from proman.leases.models import Lease, LeaseEnding
from proman.ledger import queries as journal
from tests.billing.books import breaches, invoices, lines_of, pay, run
from tests.conftest import Cast
from tests.factories import make_lease, make_unit
from tests.money import actor, open_of

TODAY = date(2027, 11, 10)
LAST = date(2027, 11, 15)


def november(**changes: Any) -> int:
    """A lease of 1,000.00 from 1 November, billed."""
    lease_id = make_lease(first_day=date(2027, 11, 1), **changes)
    run(date(2027, 11, 1))
    return lease_id


def end(lease_id: int, on: date = LAST, reason: str = "") -> list[Issued]:
    begin_write()
    notes = end_lease(lease_id, on, reason, today=TODAY, actor=actor())
    db.session.commit()
    return notes


def preview(lease_id: int, on: date = LAST) -> EndingPreview:
    return preview_ending(the_billable(lease_id), on, today=TODAY)


@pytest.mark.parametrize(("proration", "total"), [("actual", 50000), ("days_365", 50685)])
def test_november_with_the_last_day_on_the_15th(home: Cast, proration: str, total: int) -> None:
    lease_id = november(proration=proration)
    (issued,) = invoices()
    assert preview(lease_id).credited == total
    (note,) = end(lease_id)
    assert (note.total, note.number) == (total, "CN-2027-00001")
    (line,) = lines_of(note.id)
    assert (line.period_start, line.period_end) == (date(2027, 11, 16), date(2027, 11, 30))
    assert open_of(issued.id) == [100000 - total]
    assert breaches() == []


def test_what_is_shown_before_is_what_happens(home: Cast) -> None:
    lease_id = november(timing="advance", deposit=200000)
    run(date(2027, 11, 26))
    pay(lease_id, 200000, date(2027, 11, 2))
    shown = preview(lease_id)
    assert [(c.document.number, c.total, c.released) for c in shown.credits] == [
        ("2027-00001", 50000, 50000),
        ("2027-00002", 100000, 100000),
    ]
    assert (shown.balance, shown.final_balance) == (0, -150000)
    notes = end(lease_id, reason="Moved out early")
    assert [note.total for note in notes] == [50000, 100000]
    assert journal.lease_balance(lease_id).balance == shown.final_balance
    assert {note.reason for note in invoices(kind="credit_note")} == {"Moved out early"}
    assert breaches() == []


def test_billing_goes_on_to_the_last_day_and_no_further(home: Cast) -> None:
    lease_id = november(timing="arrears")
    assert invoices() == []
    shown = preview(lease_id)
    assert (shown.to_bill, shown.credited) == (50000, 0)
    assert end(lease_id) == []
    issued = run(date(2027, 12, 30)).issued
    assert [(i.total, i.due_date) for i in issued] == [(50000, date(2027, 12, 1))]
    assert run(date(2027, 12, 30)).issued == ()


def test_the_ending_is_kept_with_who_when_and_the_deposits_deadline(home: Cast) -> None:
    lease_id = november()
    end(lease_id, reason="Notice given")
    lease = db.session.get_one(Lease, lease_id)
    assert (lease.status, lease.ended_on) == ("ended", LAST)
    ending = db.session.scalars(select(LeaseEnding)).one()
    assert (ending.reason, ending.deposit_return_due) == ("Notice given", date(2027, 12, 15))


def test_what_was_unpaid_stays_owed(home: Cast) -> None:
    lease_id = november()
    end(lease_id, date(2027, 11, 30))
    assert journal.lease_balance(lease_id).balance == 100000


def test_the_unit_is_free_from_the_next_day(home: Cast) -> None:
    unit = make_unit()
    lease_id = november(unit_id=unit)
    end(lease_id)
    make_lease(unit, first_day=date(2027, 11, 16))


def test_an_ending_that_cannot_be_is_refused(home: Cast) -> None:
    unit = make_unit()
    held_over = make_lease(unit, first_day=date(2027, 1, 1), last_day=date(2027, 6, 30))
    make_lease(unit, first_day=date(2027, 9, 1))
    for lease_id, on, words in (
        (held_over, date(2027, 9, 1), "next lease begins"),
        (held_over, date(2026, 12, 31), "before its first"),
        (make_lease(status="draft"), LAST, "draft"),
    ):
        with pytest.raises(Refused, match=words):
            preview(lease_id, on)
        begin_write()
        with pytest.raises(Refused, match=words):
            end_lease(lease_id, on, "", today=TODAY, actor=actor())
        db.session.rollback()
    end(held_over, date(2027, 8, 31))
    with pytest.raises(Refused, match="already"):
        end(held_over)
    db.session.rollback()
    with pytest.raises(NotThere):
        preview(999)


MARCH = date(2027, 3, 31)
"""The agreed last day of a lease that nobody ends."""


def held_over(unit_id: int, **changes: Any) -> int:
    """A lease to the end of March that held over, April billed whole."""
    lease_id = make_lease(unit_id, first_day=date(2027, 3, 1), last_day=MARCH, **changes)
    run(date(2027, 4, 1))
    assert [(i.period_start, i.period_end) for i in invoices(lease_id=lease_id)] == [
        (date(2027, 3, 1), MARCH), (date(2027, 4, 1), date(2027, 4, 30)),
    ]  # fmt: skip
    return lease_id


def test_the_next_lease_ends_one_that_was_billed_beyond_it(home: Cast, mona: FlaskClient) -> None:
    unit_id = make_unit()
    old = held_over(unit_id)
    new = make_lease(unit_id, first_day=date(2027, 4, 15))
    # Its day has not come: nobody is ended before the next one really begins.
    assert not run(date(2027, 4, 14)).ended
    page = mona.get("/billing/preview?as_of=2027-04-15").text
    assert "ends on 14 Apr 2027" in page
    assert run(date(2027, 4, 15)).ended == [old]
    (note,) = invoices(kind="credit_note")
    (line,) = lines_of(note.id)
    # 1,000.00 less 14 of 30 days.
    assert (note.lease_id, note.total) == (old, 53333)
    assert (line.period_start, line.period_end) == (date(2027, 4, 15), date(2027, 4, 30))
    lease = db.session.get_one(Lease, old)
    assert (lease.status, lease.ended_on) == ("ended", date(2027, 4, 14))
    assert [i.period_start for i in invoices(lease_id=new)] == [date(2027, 4, 15)]
    assert not run(date(2027, 4, 16)).ended
    assert len(invoices(kind="credit_note")) == 1
    assert breaches() == []


def test_one_that_was_billed_to_the_day_is_left_alone(home: Cast) -> None:
    unit_id = make_unit()
    old = make_lease(unit_id, first_day=date(2027, 3, 1), last_day=MARCH)
    make_lease(unit_id, first_day=date(2027, 4, 15))
    run(date(2027, 4, 1))
    assert invoices(lease_id=old)[-1].period_end == date(2027, 4, 14)
    assert not run(date(2027, 4, 20)).ended
    assert db.session.get_one(Lease, old).status == "active"


def test_what_cannot_be_credited_holds_up_no_run(home: Cast) -> None:
    unit_id = make_unit()
    old = held_over(unit_id)
    april = invoices(lease_id=old)[-1]
    begin_write()
    write_off(april.id, 100000, date(2027, 4, 10), "Lost", today=TODAY, actor=actor())
    db.session.commit()
    new = make_lease(unit_id, first_day=date(2027, 4, 15))
    assert not run(date(2027, 4, 15)).ended
    assert [i.period_start for i in invoices(lease_id=new)] == [date(2027, 4, 15)]
    assert db.session.get_one(Lease, old).status == "active"
    assert breaches() == []
