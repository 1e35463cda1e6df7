"""Reads of payments: one with its group, receipts that look alike, what a payment paid."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.orm import joinedload

from proman.base.errors import NotThere
from proman.billing.models import Allocation, Invoice
from proman.db import db
from proman.identity.models import User
from proman.leases.models import Lease
from proman.leases.queries import tenants_of
from proman.leases.standing import place
from proman.ledger.queries import in_chunks
from proman.payments.models import Payment, PaymentReversal
from proman.payments.rules import Receipt, is_possible_duplicate, normal_reference
from proman.properties.models import Property, Unit

_p: Table = Payment.__table__  # type: ignore[assignment]
_r: Table = PaymentReversal.__table__  # type: ignore[assignment]
_a: Table = Allocation.__table__  # type: ignore[assignment]
_leases: Table = Lease.__table__  # type: ignore[assignment]
_units: Table = Unit.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
_reversers = _users.alias("reversers")
_asked = _p.alias("asked")

_PROPERTIES = (
    select(_leases.c.id, _units.c.property_id)
    .join(_units, _units.c.id == _leases.c.unit_id)
    .where(
        _leases.c.organization_id == bindparam("organization_id"),
        _leases.c.id.in_(bindparam("lease_ids", expanding=True)),
    )
)
_LIKE_THIS = (
    select(_p.c.payment_group)
    .where(
        _p.c.organization_id == bindparam("organization_id"),
        _p.c.received_on == bindparam("received_on"),
        _p.c.amount <= bindparam("amount"),
        func.lower(func.replace(_p.c.reference, " ", "")) == bindparam("wanted"),
        _p.c.id.not_in(
            select(_r.c.payment_id).where(_r.c.organization_id == bindparam("organization_id"))
        ),
    )
    .distinct()
)
_LIKE_THIS_NAMELESS = _LIKE_THIS.where(_p.c.lease_id.in_(bindparam("lease_ids", expanding=True)))
_PARTS_OF_GROUPS = (
    select(_p.c.payment_group, _p.c.id, _p.c.reference, _p.c.amount, _p.c.lease_id)
    .where(
        _p.c.organization_id == bindparam("organization_id"),
        _p.c.payment_group.in_(bindparam("groups", expanding=True)),
    )
    .order_by(_p.c.id)
)
_LAST_RELEASE = select(func.max(_a.c.effective_on)).where(
    _a.c.organization_id == bindparam("organization_id"),
    _a.c.payment_id == bindparam("payment_id"),
    _a.c.amount < 0,
)

_PARTS = (
    select(
        _p.c.id,
        _p.c.lease_id,
        _leases.c.reference.label("lease"),
        tenants_of.label("tenants"),
        place().label("place"),
        _p.c.received_on,
        _p.c.method,
        _p.c.reference,
        _p.c.payer,
        _p.c.amount,
        _p.c.recorded_at,
        _users.c.name.label("recorded_by"),
        _r.c.reversed_on,
        _r.c.reason,
        _r.c.recorded_at.label("reversed_at"),
        _reversers.c.name.label("reversed_by"),
    )
    .join(_leases, _leases.c.id == _p.c.lease_id)
    .join(_units, _units.c.id == _leases.c.unit_id)
    .join(_properties, _properties.c.id == _units.c.property_id)
    .outerjoin(_users, _users.c.id == _p.c.recorded_by)
    .outerjoin(_r, _r.c.payment_id == _p.c.id)
    .outerjoin(_reversers, _reversers.c.id == _r.c.recorded_by)
    .where(
        _p.c.organization_id == bindparam("organization_id"),
        _p.c.payment_group
        == select(_asked.c.payment_group)
        .where(
            _asked.c.id == bindparam("payment_id"),
            _asked.c.organization_id == bindparam("organization_id"),
        )
        .scalar_subquery(),
    )
    .order_by(_p.c.id)
)
_ALLOCATIONS = (
    select(
        _a.c.id,
        _a.c.invoice_id,
        _i.c.number,
        _i.c.kind,
        _i.c.due_date,
        _a.c.amount,
        _a.c.effective_on,
        _a.c.reverses_id,
        _a.c.recorded_at,
        _users.c.name.label("recorded_by"),
    )
    .join(_i, _i.c.id == _a.c.invoice_id)
    .outerjoin(_users, _users.c.id == _a.c.recorded_by)
    .where(
        _a.c.organization_id == bindparam("organization_id"),
        _a.c.payment_id == bindparam("payment_id"),
    )
    .order_by(_a.c.id)
)


class Part(NamedTuple):
    """A payment as its page shows it; a receipt split over leases has several."""

    id: int
    lease_id: int
    lease: str
    tenants: str | None
    place: str
    received_on: date
    method: str
    reference: str
    payer: str
    amount: int
    recorded_at: datetime
    recorded_by: str | None
    reversed_on: date | None
    reason: str | None
    reversed_at: datetime | None
    reversed_by: str | None


class AllocationLine(NamedTuple):
    """An allocation or, with an amount below nil, its release."""

    id: int
    invoice_id: int
    number: str | None
    kind: str
    due_date: date
    amount: int
    effective_on: date
    reverses_id: int | None
    recorded_at: datetime
    recorded_by: str | None


def parts_of(payment_id: int) -> tuple[Part, list[Part]]:
    """A payment and the other parts of its receipt. Raises NotThere."""
    rows = [Part(*row) for row in db.session.execute(_PARTS, {"payment_id": payment_id})]
    found = [part for part in rows if part.id == payment_id]
    if not found:
        raise NotThere("There is no such payment.")
    return found[0], [part for part in rows if part.id != payment_id]


def allocations_of(payment_id: int) -> Sequence[AllocationLine]:
    """What a payment was put against and what of that was released, as recorded."""
    rows = db.session.execute(_ALLOCATIONS, {"payment_id": payment_id})
    return [AllocationLine._make(row) for row in rows]


def properties_of_leases(lease_ids: Collection[int]) -> dict[int, int]:
    """The property of each lease that exists in this organization."""
    found: dict[int, int] = {}
    for chunk in in_chunks(lease_ids):
        rows = db.session.execute(_PROPERTIES, {"lease_ids": chunk})
        found.update((lease_id, property_id) for lease_id, property_id in rows)
    return found


def receipts_like(receipt: Receipt) -> list[tuple[int, Receipt]]:
    """Receipts of that day and reference that were not reversed, each with a payment's id.

    Without a reference only those that concern one of the same leases.
    """
    wanted = normal_reference(receipt.reference)
    parameters = {
        "received_on": receipt.received_on,
        "amount": receipt.amount,
        "wanted": wanted,
        "lease_ids": sorted(receipt.lease_ids),
    }
    statement = _LIKE_THIS if wanted else _LIKE_THIS_NAMELESS
    like = [group for (group,) in db.session.execute(statement, parameters)]
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in db.session.execute(_PARTS_OF_GROUPS, {"groups": like}) if like else ():
        groups[row.payment_group].append(row)
    return [(parts[0].id, _receipt(receipt.received_on, parts)) for parts in groups.values()]


def _receipt(received_on: date, parts: Sequence[Any]) -> Receipt:
    leases = frozenset(part.lease_id for part in parts)
    return Receipt(received_on, parts[0].reference, sum(part.amount for part in parts), leases)


def duplicate_of(receipt: Receipt) -> int | None:
    """A payment that was recorded already and looks like this one, or None."""
    alike = receipts_like(receipt)
    return next((key for key, other in alike if is_possible_duplicate(receipt, other)), None)


def payment(payment_id: int) -> Payment:
    """One payment with its reversal. Raises NotThere."""
    chosen = select(Payment).where(Payment.id == payment_id).options(joinedload(Payment.reversal))
    found = db.session.scalars(chosen).one_or_none()
    if found is None:
        raise NotThere("There is no such payment.")
    return found


def payments_of_group(group: str) -> list[Payment]:
    """The parts of one receipt, each with its reversal."""
    chosen = (
        select(Payment)
        .where(Payment.payment_group == group)
        .options(joinedload(Payment.reversal))
        .order_by(Payment.id)
    )
    return list(db.session.scalars(chosen))


def last_release(payment_id: int) -> date | None:
    """The newest day on which some of a payment's allocations was released."""
    found: date | None = db.session.execute(_LAST_RELEASE, {"payment_id": payment_id}).scalar()
    return found
