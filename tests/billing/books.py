"""What tests of billing do to the books: run, pay, and prove that they are sound."""

from datetime import date
from typing import Any

from sqlalchemy import select

from proman.app import MIGRATIONS
from proman.base.checks import Breach
from proman.billing.actions import RunResult, run_billing
from proman.billing.models import Invoice, InvoiceLine
from proman.database.revisions import head_revision
from proman.db import begin_write, db
from proman.doctor import examine
from proman.payments.actions import NewPayment, Share, record_payment
from tests.money import actor

TODAY = date(2027, 12, 31)


def run(as_of: date, today: date = TODAY) -> RunResult:
    """A billing run, committed."""
    begin_write()
    result = run_billing(as_of, today=today, actor=actor())
    db.session.commit()
    return result


def pay(lease_id: int, amount: int, on: date) -> int:
    """A receipt for a lease, put to the oldest invoice first; returns the payment's id."""
    begin_write()
    new = NewPayment(on, "transfer", f"{lease_id} {amount}", (Share(lease_id, amount),))
    made = record_payment(new, today=TODAY, actor=actor(), confirmed=True)[0].id
    db.session.commit()
    return made


def invoices(**where: Any) -> list[Invoice]:
    """Documents in the order of their ids, as they are committed."""
    db.session.rollback()
    return list(db.session.scalars(select(Invoice).filter_by(**where).order_by(Invoice.id)))


def lines_of(invoice_id: int) -> list[InvoiceLine]:
    """The printed lines of a document."""
    statement = select(InvoiceLine).filter_by(invoice_id=invoice_id)
    return list(db.session.scalars(statement.order_by(InvoiceLine.position)))


def breaches() -> list[Breach]:
    """What `flask doctor` finds wrong."""
    db.session.rollback()
    with db.engine.connect() as connection:
        return examine(connection, head_revision(MIGRATIONS))


def breaches_but_of_numbers() -> list[Breach]:
    """The same for invoices that a test made itself, with numbers of its own."""
    return [one for one in breaches() if one.invariant != "Numbers have no gap"]
