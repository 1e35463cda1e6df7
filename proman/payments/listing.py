"""Owns the list of payments: what it shows, and by what it is filtered and sorted."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Table, bindparam, case, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from proman.billing.models import Adjustment, Allocation
from proman.leases.models import Lease, LeaseParty
from proman.leases.queries import tenants_of
from proman.leases.standing import place
from proman.payments.models import Payment, PaymentReversal
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant
from proman.web.listing import Column, Filter, Listing, contains, of_id

_p: Table = Payment.__table__  # type: ignore[assignment]
_r: Table = PaymentReversal.__table__  # type: ignore[assignment]
_a: Table = Allocation.__table__  # type: ignore[assignment]
_s: Table = Adjustment.__table__  # type: ignore[assignment]
_leases: Table = Lease.__table__  # type: ignore[assignment]
_units: Table = Unit.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_parties: Table = LeaseParty.__table__  # type: ignore[assignment]
_tenants: Table = Tenant.__table__  # type: ignore[assignment]
_OURS = _p.c.organization_id == bindparam("organization_id")

METHOD_WORDS: Mapping[str, str] = {
    "transfer": "Bank transfer",
    "direct_debit": "Direct debit",
    "card": "Card",
    "cash": "Cash",
    "cheque": "Cheque",
    "other": "Other",
}
STATES = (("received", "Received"), ("unused", "Not used up"), ("reversed", "Reversed"))

_reversed = select(_r.c.payment_id).where(_r.c.organization_id == bindparam("organization_id"))
is_reversed: ColumnElement[bool] = _p.c.id.in_(_reversed)


def _sum_of(table: Table) -> ColumnElement[int]:
    return (
        select(func.coalesce(func.sum(table.c.amount), 0))
        .where(table.c.payment_id == _p.c.id)
        .correlate(_p)
        .scalar_subquery()
    )


_unused = case((is_reversed, 0), else_=_p.c.amount - _sum_of(_a) - _sum_of(_s))


def _like(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.lower(column).like(bindparam("q"), escape="\\")


class Holds(FunctionElement[bool]):
    """Whether a column of a long table holds the text `q`, by the engine's own means.

    SQLite's LIKE knows the case of ASCII letters only, but goes through a hundred thousand rows
    in a tenth of the time that asking Python for each would take.
    """

    type = Boolean()
    inherit_cache = True


@compiles(Holds)
def _compile_holds(element: Holds, compiler: Any, **options: Any) -> str:
    (column,) = element.clauses
    return str(compiler.process(_like(column), **options))


@compiles(Holds, "sqlite")
def _compile_holds_sqlite(element: Holds, compiler: Any, **options: Any) -> str:
    (column,) = element.clauses
    return str(compiler.process(column.like(bindparam("q"), escape="\\"), **options))


def _found_leases() -> ColumnElement[bool]:
    by_tenant = (
        select(_parties.c.lease_id)
        .join(_tenants, _tenants.c.id == _parties.c.tenant_id)
        .where(_tenants.c.organization_id == bindparam("organization_id"), _like(_tenants.c.name))
    )
    by_place = (
        select(_leases.c.id)
        .join(_units, _units.c.id == _leases.c.unit_id)
        .join(_properties, _properties.c.id == _units.c.property_id)
        .where(
            _leases.c.organization_id == bindparam("organization_id"),
            or_(_like(place()), _like(_leases.c.reference)),
        )
    )
    return or_(_p.c.lease_id.in_(by_tenant), _p.c.lease_id.in_(by_place))


def _in_property() -> ColumnElement[bool]:
    leases = (
        select(_leases.c.id)
        .join(_units, _units.c.id == _leases.c.unit_id)
        .where(
            _leases.c.organization_id == bindparam("organization_id"),
            _units.c.property_id == bindparam("of_property"),
        )
    )
    return _p.c.lease_id.in_(leases)


def _of_tenant() -> ColumnElement[bool]:
    leases = select(_parties.c.lease_id).where(
        _parties.c.organization_id == bindparam("organization_id"),
        _parties.c.tenant_id == bindparam("of_tenant"),
    )
    return _p.c.lease_id.in_(leases)


def _day(name: str) -> Any:
    return lambda text: {name: date.fromisoformat(text)}


def _method(text: str) -> dict[str, str] | None:
    return {"of_method": text} if text in METHOD_WORDS else None


PAYMENTS = Listing(
    address="/payments/",
    rows=select(
        _p.c.id,
        _p.c.received_on,
        _p.c.lease_id,
        tenants_of.label("tenants"),
        place().label("place"),
        _leases.c.reference.label("lease"),
        _p.c.reference,
        _p.c.payer,
        _p.c.method,
        _p.c.amount,
        _unused.label("unused"),
        case((is_reversed, "reversed"), else_="received").label("state"),
    )
    .join(_leases, _leases.c.id == _p.c.lease_id)
    .join(_units, _units.c.id == _leases.c.unit_id)
    .join(_properties, _properties.c.id == _units.c.property_id)
    .where(_OURS),
    counted=select(_p.c.id).where(_OURS),
    id=_p.c.id,
    sorts={"received": _p.c.received_on, "amount": _p.c.amount},
    default="-received",
    filters={
        "q": Filter(or_(_found_leases(), Holds(_p.c.reference), Holds(_p.c.payer)), contains),
        "state": Filter({"received": ~is_reversed, "reversed": is_reversed, "unused": _unused > 0}),
        "method": Filter(_p.c.method == bindparam("of_method"), _method),
        "from": Filter(_p.c.received_on >= bindparam("from_day"), _day("from_day")),
        "to": Filter(_p.c.received_on <= bindparam("to_day"), _day("to_day")),
        "lease": Filter(_p.c.lease_id == bindparam("of_lease"), of_id("of_lease")),
        "tenant": Filter(_of_tenant(), of_id("of_tenant")),
        "property": Filter(_in_property(), of_id("of_property")),
    },
    totals={"received": case((is_reversed, 0), else_=_p.c.amount)},
    columns=(
        Column("Received on", "received_on", "day"),
        Column("Tenants", "tenants"),
        Column("Unit", "place"),
        Column("Lease", "lease"),
        Column("Reference", "reference"),
        Column("Payer", "payer"),
        Column("Method", "method"),
        Column("Amount", "amount", "amount"),
        Column("Not used", "unused", "amount"),
        Column("State", "state"),
    ),
)
