"""Reads what the page of one invoice shows beside the document itself."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Table, and_, bindparam, case, func, or_, select

from proman.base.errors import NotThere
from proman.billing.invoice_queries import CREDITED, FIRST_TENANT, STATE, selective
from proman.billing.models import Allocation, BillingRun, Delivery, Invoice, InvoiceLine
from proman.billing.otherwise import WRITE_OFF, Otherwise, settled_otherwise
from proman.db import db
from proman.identity.models import User
from proman.leases.index_models import IndexValue, RentIndexation
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = InvoiceLine.__table__  # type: ignore[assignment]
_a: Table = Allocation.__table__  # type: ignore[assignment]
_d: Table = Delivery.__table__  # type: ignore[assignment]
_runs: Table = BillingRun.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
_leases: Table = Lease.__table__  # type: ignore[assignment]
_parties: Table = LeaseParty.__table__  # type: ignore[assignment]
_rents: Table = Rent.__table__  # type: ignore[assignment]
_charges: Table = Charge.__table__  # type: ignore[assignment]
_tenants: Table = Tenant.__table__  # type: ignore[assignment]
_units: Table = Unit.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_x: Table = RentIndexation.__table__  # type: ignore[assignment]
_v: Table = IndexValue.__table__  # type: ignore[assignment]
_base, _newer = _v.alias("base"), _v.alias("newer")
_referred = _i.alias("referred")
_agreed_by = _users.alias("agreed_by")


_INVOICE = (
    select(
        _i,
        STATE.label("state"),
        CREDITED.label("credited"),
        FIRST_TENANT.label("tenant"),
        _users.c.name.label("issued_by_name"),
        _runs.c.as_of.label("run_as_of"),
        _referred.c.number.label("referred_number"),
        _leases.c.reference.label("lease_reference"),
        _leases.c.proration.label("proration"),
        _properties.c.name.label("property"),
        case((_properties.c.is_single_unit, ""), else_=_units.c.label).label("unit"),
    )
    .join(_leases, _leases.c.id == _i.c.lease_id)
    .join(_units, _units.c.id == _leases.c.unit_id)
    .join(_properties, _properties.c.id == _units.c.property_id)
    .outerjoin(_referred, _referred.c.id == _i.c.refers_to_id)
    .outerjoin(_runs, _runs.c.id == _i.c.run_id)
    .outerjoin(_users, _users.c.id == _i.c.issued_by)
    .where(selective(_i), _i.c.id == bindparam("id"))
)
_agreed_rent = _rents.alias("agreed_rent")
# A rent recorded since is none of what the line was reckoned from.
_rent_of_line = (
    select(_rents.c.id)
    .where(
        _rents.c.lease_id == _i.c.lease_id,
        _rents.c.effective_from <= _l.c.period_start,
        _rents.c.recorded_at <= _i.c.issued_at,
    )
    .order_by(_rents.c.effective_from.desc(), _rents.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_LINES = (
    select(
        _l,
        _agreed_by.c.name.label("agreed_by_name"),
        func.coalesce(_charges.c.recorded_at, _agreed_rent.c.recorded_at).label("agreed_at"),
        _x.c.old_rent,
        _x.c.new_rent,
        _x.c.effective_from.label("indexed_from"),
        *(
            table.c[name].label(f"{word}_{name}")
            for table, word in ((_base, "base"), (_newer, "new"))
            for name in ("month", "value", "published_on")
        ),
    )
    .join(_i, _i.c.id == _l.c.invoice_id)
    .outerjoin(_charges, _charges.c.id == _l.c.charge_id)
    .outerjoin(_agreed_rent, and_(_l.c.charge_id.is_(None), _agreed_rent.c.id == _rent_of_line))
    .outerjoin(_x, _x.c.rent_id == _agreed_rent.c.id)
    .outerjoin(_base, _base.c.id == _x.c.base_value_id)
    .outerjoin(_newer, _newer.c.id == _x.c.new_value_id)
    .outerjoin(
        _agreed_by,
        _agreed_by.c.id == func.coalesce(_charges.c.recorded_by, _agreed_rent.c.recorded_by),
    )
    .where(selective(_l), _l.c.invoice_id == bindparam("id"))
    .order_by(_l.c.position)
)
_ALLOCATIONS = (
    select(_a.c.id, _a.c.payment_id, _a.c.amount, _a.c.effective_on, _users.c.name)
    .outerjoin(_users, _users.c.id == _a.c.recorded_by)
    .where(selective(_a), _a.c.invoice_id == bindparam("id"))
    .order_by(_a.c.effective_on, _a.c.id)
)
_CREDIT_NOTES = (
    select(_i.c.id, _i.c.number, _i.c.issue_date, _i.c.total, _i.c.reason)
    .where(selective(_i), _i.c.refers_to_id == bindparam("id"))
    .order_by(_i.c.issue_date, _i.c.id)
)
_DELIVERIES = (
    select(_d, _users.c.name.label("requested_by_name"))
    .outerjoin(_users, _users.c.id == _d.c.requested_by)
    .where(selective(_d), _d.c.invoice_id == bindparam("id"))
    .order_by(_d.c.id.desc())
)
_ADDRESSES = (
    select(_i.c.id, _tenants.c.name, _tenants.c.email)
    .join(_parties, _parties.c.lease_id == _i.c.lease_id)
    .join(_tenants, _tenants.c.id == _parties.c.tenant_id)
    .where(
        selective(_i),
        _i.c.id.in_(bindparam("ids", expanding=True)),
        or_(
            _parties.c.left_on.is_(None),
            _parties.c.left_on >= func.coalesce(_i.c.period_start, _i.c.issue_date),
        ),
        or_(_parties.c.joined_on.is_(None), _parties.c.joined_on <= _i.c.issue_date),
    )
    .order_by(_i.c.id, _parties.c.position)
)


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One document with its lines, what settled it, and its credit notes."""

    invoice: Row[Any]
    lines: list[Row[Any]]
    allocations: list[Row[Any]]
    credit_notes: list[Row[Any]]
    others: list[Otherwise]

    @property
    def taxes(self) -> list[tuple[int, int, int]]:
        """Rate, net and tax of each rate above nil, highest first."""
        rates = sorted({line.tax_rate for line in self.lines if line.tax_rate}, reverse=True)
        return [
            (
                rate,
                sum(line.net for line in self.lines if line.tax_rate == rate),
                sum(line.tax for line in self.lines if line.tax_rate == rate),
            )
            for rate in rates
        ]

    @property
    def paid(self) -> int:
        """What the tenants paid, minor units."""
        return int(sum(row.amount for row in self.allocations))

    @property
    def settled_otherwise(self) -> int:
        """What was written off or withheld from the deposit, minor units."""
        return sum(row.amount for row in self.others)

    @property
    def reversed(self) -> set[int | None]:
        """Write-offs that were taken back, by id."""
        return {row.reverses_id for row in self.others if row.kind == WRITE_OFF}

    @property
    def creditable(self) -> int:
        """What of it a credit note could still take back, minor units."""
        if self.invoice.kind == "credit_note":
            return 0
        return int(self.invoice.total - self.invoice.credited)


def invoice_page(invoice_id: int, today: date) -> InvoicePage:
    """All that the page of an invoice shows. Raises NotThere."""
    found = db.session.execute(_INVOICE, {"id": invoice_id, "today": today}).first()
    if found is None:
        raise NotThere("This invoice does not exist.")
    lines, allocations, credit_notes = (
        [*db.session.execute(statement, {"id": invoice_id})]
        for statement in (_LINES, _ALLOCATIONS, _CREDIT_NOTES)
    )
    rest = found.total - found.open - found.credited - sum(row.amount for row in allocations)
    is_told = found.kind == "credit_note" or not rest
    others = [] if is_told else settled_otherwise([invoice_id])[invoice_id]
    return InvoicePage(found, lines, allocations, credit_notes, others)


def deliveries_of(invoice_id: int) -> list[Any]:
    """When and to whom an invoice was delivered, newest first."""
    return [*db.session.execute(_DELIVERIES, {"id": invoice_id})]


def addresses_of(invoice_ids: list[int]) -> dict[int, list[tuple[str, str | None]]]:
    """Name and e-mail of each tenant that an invoice goes to; those who left before it do not."""
    found: dict[int, list[tuple[str, str | None]]] = {key: [] for key in invoice_ids}
    for at in range(0, len(invoice_ids), 400):
        rows = db.session.execute(_ADDRESSES, {"ids": invoice_ids[at : at + 400]})
        for invoice_id, name, email in rows:
            found[invoice_id].append((name, email))
    return found
