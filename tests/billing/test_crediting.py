"""Credit notes: a number of their own, the entries, and paid money turned into credit."""

from datetime import date

import pytest

from proman.base.errors import NotThere, Refused
from proman.billing.crediting import credit_invoice, creditable
from proman.billing.deposits import deposit_of, request_deposit
from proman.billing.issuing import Issued
from proman.db import begin_write, db
from proman.ledger import queries as journal
from tests.billing.books import TODAY, breaches, invoices, lines_of, pay, run
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, open_of

FIRST = date(2027, 1, 1)


def credit(invoice_id: int, reason: str = "Billed in error", today: date = TODAY) -> Issued:
    begin_write()
    note = credit_invoice(invoice_id, reason, today=today, actor=actor())
    db.session.commit()
    return note


def test_an_unpaid_invoice_is_taken_back(home: Cast) -> None:
    charge = {"amount": 10005, "tax_rate": 19000}
    lease_id = make_lease(first_day=FIRST, charges=[charge])
    (issued,) = run(FIRST).issued
    note = credit(issued.id, today=date(2027, 1, 4))
    assert (note.number, note.net, note.tax) == ("CN-2027-00001", 110005, 1901)
    (document,) = invoices(kind="credit_note")
    assert (document.refers_to_id, document.reason) == (issued.id, "Billed in error")
    assert (document.total, document.open, document.issue_date) == (111906, 0, date(2027, 1, 4))
    assert [line.credits_line_id for line in lines_of(note.id)] == [
        line.id for line in lines_of(issued.id)
    ]
    assert open_of(issued.id) == [0]
    assert journal.lease_balance(lease_id) == (0, 0)
    assert breaches() == []


def test_what_was_paid_becomes_credit_and_the_next_invoice_uses_it(home: Cast) -> None:
    lease_id = make_lease(first_day=FIRST)
    (issued,) = run(FIRST).issued
    pay(lease_id, 60000, date(2027, 1, 3))
    assert creditable(issued.id).released == 60000
    credit(issued.id, today=date(2027, 1, 4))
    assert journal.lease_balance(lease_id) == (0, 60000)
    (following,) = run(date(2027, 2, 1)).issued
    assert open_of(issued.id, following.id) == [0, 40000]
    assert breaches() == []


def test_a_credited_period_is_not_billed_again(home: Cast) -> None:
    make_lease(first_day=FIRST)
    (issued,) = run(FIRST).issued
    credit(issued.id)
    assert run(FIRST).issued == ()


def test_nothing_is_credited_twice_or_without_a_reason(home: Cast) -> None:
    make_lease(first_day=FIRST)
    (issued,) = run(FIRST).issued
    with pytest.raises(Refused) as refusal:
        credit(issued.id, "  ")
    assert refusal.value.field == "reason"
    db.session.rollback()
    note = credit(issued.id)
    with pytest.raises(Refused, match="in full already"):
        credit(issued.id)
    db.session.rollback()
    with pytest.raises(Refused, match="Only an invoice"):
        credit(note.id)
    db.session.rollback()
    with pytest.raises(NotThere):
        credit(999)
    db.session.rollback()


def test_a_deposit_request_is_taken_back_too(home: Cast) -> None:
    lease_id = make_lease(first_day=FIRST, deposit=200000)
    begin_write()
    request = request_deposit(lease_id, 200000, FIRST, today=FIRST, actor=actor())
    db.session.commit()
    note = credit(request.id, "Asked too much", today=date(2027, 1, 2))
    assert note.total == 200000
    assert lines_of(note.id)[0].period_start is None
    assert (deposit_of(lease_id).outstanding, deposit_of(lease_id).to_request) == (0, 200000)
    assert breaches() == []
