"""Owns a lease's deposit: asking for it, what is held of it, and what happened to it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Table, bindparam, func, insert, select

from proman.base.errors import NotThere, Refused
from proman.billing.issuing import Draft, DraftLine, Issued, issue
from proman.billing.models import DepositEvent, Invoice
from proman.db import db, utc_now
from proman.identity import audit
from proman.identity.actor import Actor
from proman.identity.models import User
from proman.leases.models import Lease
from proman.ledger import actions as ledger
from proman.ledger import queries as journal
from proman.properties.models import Unit

_d: Table = DepositEvent.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]

_credits = _i.alias("credits")
_CREDITED: ColumnElement[int] = (
    select(func.coalesce(func.sum(_credits.c.total), 0))
    .where(_credits.c.refers_to_id == _i.c.id)
    .scalar_subquery()
)


def _of_requests(amount: ColumnElement[int]) -> ColumnElement[int]:
    return (
        select(func.coalesce(func.sum(amount), 0))
        .where(_i.c.lease_id == _l.c.id, _i.c.kind == "deposit_request")
        .correlate(_l)
        .scalar_subquery()
    )


DEPOSIT = (
    select(
        _l.c.id,
        _l.c.reference,
        _l.c.status,
        _l.c.first_day,
        _l.c.deposit,
        _u.c.property_id,
        _of_requests(_i.c.total - _CREDITED).label("requested"),
        _of_requests(_i.c.open).label("outstanding"),
        journal.posted_to("deposits_held", _l.c.id, debit=False).label("held"),
    )
    .join(_u, _u.c.id == _l.c.unit_id)
    .where(_l.c.organization_id == bindparam("organization_id"), _l.c.id == bindparam("lease_id"))
)
"""The row of a lease's deposit, for statements that ask for more of the lease."""
_EVENTS = (
    select(
        _d.c.id,
        _d.c.event,
        _d.c.happened_on,
        _d.c.amount,
        _d.c.invoice_id,
        _i.c.number,
        _d.c.payment_id,
        _d.c.entry_id,
        _d.c.reverses_id,
        _d.c.note,
        _d.c.recorded_at,
        _users.c.name.label("recorded_by"),
    )
    .outerjoin(_i, _i.c.id == _d.c.invoice_id)
    .outerjoin(_users, _users.c.id == _d.c.recorded_by)
    .where(
        _d.c.organization_id == bindparam("organization_id"), _d.c.lease_id == bindparam("lease_id")
    )
    .order_by(_d.c.happened_on, _d.c.id)
)


class Deposit(NamedTuple):
    """How a lease's deposit stands, minor units."""

    lease_id: int
    reference: str
    status: str
    first_day: date
    agreed: int
    property_id: int
    requested: int
    """In all requests, filled or not, less what of them was credited."""
    outstanding: int
    """Requested and not received."""
    held: int

    @property
    def to_request(self) -> int:
        """What of the deposit agreed was neither requested nor is held."""
        return max(0, self.agreed - max(self.requested, self.held + self.outstanding))


def deposit_of(lease_id: int) -> Deposit:
    """How the deposit of a lease stands. Raises NotThere for a lease that does not exist."""
    row = db.session.execute(DEPOSIT, {"lease_id": lease_id}).one_or_none()
    if row is None:
        raise NotThere("There is no such lease.")
    return deposit_from(row)


def deposit_from(row: Row[Any]) -> Deposit:
    """The deposit that a row of `DEPOSIT` tells of."""
    owed = int(row.requested), int(row.outstanding), int(row.held)
    return Deposit(
        row.id, row.reference, row.status, row.first_day, row.deposit, row.property_id, *owed
    )


def deposit_history(lease_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """What happened to a lease's deposit, in order, with the request's number and who."""
    return db.session.execute(_EVENTS, {"lease_id": lease_id}).all()


def request_deposit(
    lease_id: int, amount: int, due_on: date, *, today: date, actor: Actor
) -> Issued:
    """Ask the tenants for a deposit: a document of its own kind and number series.

    `amount` is minor units. Must be inside a write. Raises Refused for nothing, for a due day in
    the past, for a lease that ended, and for what was requested today already and is still open.
    """
    if amount <= 0:
        raise Refused("The amount must be more than nil.", "amount")
    if due_on < today:
        raise Refused("A deposit cannot be due in the past.", "due_on")
    deposit = deposit_of(lease_id)
    if deposit.status == "ended":
        raise Refused("This lease has ended; no deposit can be requested.")
    _refuse_double(lease_id, amount, due_on, today)
    (issued,) = issue("deposit_request", [_draft(deposit, amount, due_on)], today, actor=actor)
    about = ledger.Concerning(lease_id, issued.property_id, issued.id)
    ledger.post("deposit_request", issued.issue_date, about, actor=actor, amount=amount)
    _happened("requested", lease_id, issued.issue_date, amount, actor, issued.id)
    after = {"lease": deposit.reference, "amount": amount, "due_on": due_on.isoformat()}
    audit.record("issued", "invoices", issued.id, issued.number, after=after)
    return issued


def _refuse_double(lease_id: int, amount: int, due_on: date, today: date) -> None:
    """A form that was sent twice asks for one deposit, not for two."""
    same = select(Invoice.number).where(
        Invoice.lease_id == lease_id,
        Invoice.kind == "deposit_request",
        Invoice.open == amount,
        Invoice.total == amount,
        Invoice.due_date == due_on,
        Invoice.issue_date >= today,
    )
    number = db.session.scalars(same).first()
    if number is not None:
        raise Refused(f"This was requested today already: {number}. Credit that one first.")


def take_over_deposit(lease_id: int, amount: int, on: date, *, actor: Actor) -> None:
    """Record a deposit that was held already when the portfolio was taken over on a day."""
    if amount <= 0:
        raise Refused("The deposit held must be more than nil.", "deposit")
    about = ledger.Concerning(lease_id, deposit_of(lease_id).property_id)
    ledger.post("opening_deposit", on, about, actor=actor, amount=amount)
    _happened("received", lease_id, on, amount, actor)


def _draft(deposit: Deposit, amount: int, due_on: date) -> Draft:
    words = f"Deposit for lease {deposit.reference}"
    line = DraftLine(
        None, "deposit", words, None, None, amount, 0, 0, False, amount, "As agreed in the lease"
    )
    return Draft(deposit.lease_id, due_on, None, None, [line])


def _happened(
    event: str, lease_id: int, on: date, amount: int, actor: Actor, invoice_id: int | None = None
) -> None:
    row = {
        "lease_id": lease_id,
        "event": event,
        "happened_on": on,
        "amount": amount,
        "invoice_id": invoice_id,
        "recorded_at": utc_now(),
        "recorded_by": actor.id,
    }
    db.session.execute(insert(_d), [row])
