"""Reads the list of invoices, credit notes, deposit requests and opening items."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from proman.billing.models import Adjustment, Delivery, Invoice
from proman.billing.otherwise import WRITTEN_OFF
from proman.billing.states import KINDS
from proman.database.kept import rows_while_unchanged
from proman.db import db
from proman.leases.models import Lease, LeaseParty
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant
from proman.web.listing import Column, Filter, Listing, contains, of_id

_i: Table = Invoice.__table__  # type: ignore[assignment]
_leases: Table = Lease.__table__  # type: ignore[assignment]
_parties: Table = LeaseParty.__table__  # type: ignore[assignment]
_tenants: Table = Tenant.__table__  # type: ignore[assignment]
_units: Table = Unit.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_deliveries: Table = Delivery.__table__  # type: ignore[assignment]
_adjustments: Table = Adjustment.__table__  # type: ignore[assignment]
_credits = _i.alias("credits")
_organization: BindParameter[int] = bindparam("organization_id")
_today: BindParameter[date] = bindparam("today")
MOST_PROPERTIES = 200


def selective(table: Any) -> ColumnElement[bool]:
    """That rows are the organization's, in a statement that finds few rows by another index.

    Without statistics SQLite would rather walk all rows of the organization; a sum is no column
    that it has an index of.
    """
    return cast(ColumnElement[bool], table.c.organization_id + 0 == _organization)


def _like(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.lower(column).like(bindparam("q"), escape="\\")


CREDITED: ColumnElement[int] = (
    select(func.coalesce(func.sum(_credits.c.total), 0))
    .where(_credits.c.refers_to_id == _i.c.id)
    .scalar_subquery()
)
"""What credit notes took back of a document, minor units."""
STATE: ColumnElement[str] = case(
    (_i.c.kind == "credit_note", "issued"),
    (and_(_i.c.open == 0, _i.c.total <= CREDITED), "credited"),
    (and_(_i.c.open == 0, WRITTEN_OFF > 0), "written_off"),
    (_i.c.open == 0, "paid"),
    (_i.c.due_date < _today, "overdue"),
    (_i.c.open == _i.c.total, "open"),
    (_i.c.open + CREDITED == _i.c.total, "partly_credited"),
    else_="partly_paid",
)


def first_tenant(lease_id: ColumnElement[int]) -> ColumnElement[str]:
    """The name of the tenant who signed a lease first."""
    name: ColumnElement[str] = (
        select(_tenants.c.name)
        .join(_parties, _parties.c.tenant_id == _tenants.c.id)
        .where(_parties.c.lease_id == lease_id)
        .order_by(_parties.c.position)
        .limit(1)
        .scalar_subquery()
    )
    return name


FIRST_TENANT = first_tenant(_i.c.lease_id)
_wholly_credited = (
    select(_credits.c.refers_to_id)
    .join(_i, _i.c.id == _credits.c.refers_to_id)
    .where(selective(_credits), _credits.c.refers_to_id > 0)
    .group_by(_credits.c.refers_to_id, _i.c.total)
    .having(func.sum(_credits.c.total) >= _i.c.total)
)
_given_up = (
    select(_adjustments.c.invoice_id)
    .where(_adjustments.c.organization_id == _organization, _adjustments.c.invoice_id > 0)
    .group_by(_adjustments.c.invoice_id)
    .having(func.sum(_adjustments.c.amount) > 0)
)
_delivered = select(_deliveries.c.invoice_id).where(
    _deliveries.c.organization_id == _organization,
    _deliveries.c.status.in_(("queued", "sending", "sent")),
)
_to_deliver = and_(_i.c.kind != "opening", _i.c.id.not_in(_delivered))


_let_units = select(_units.c.id).where(
    _units.c.organization_id == _organization,
    or_(
        _like(_units.c.label),
        _units.c.property_id.in_(
            select(_properties.c.id).where(
                _properties.c.organization_id == _organization, _like(_properties.c.name)
            )
        ),
    ),
)
_leases_found = (
    select(_parties.c.lease_id)
    .join(_tenants, _tenants.c.id == _parties.c.tenant_id)
    .where(_tenants.c.organization_id == _organization, _like(_tenants.c.name))
    .union(
        select(_leases.c.id).where(
            _leases.c.organization_id == _organization,
            or_(_like(_leases.c.reference), _leases.c.unit_id.in_(_let_units)),
        )
    )
)


def _number_or_name(text: str) -> dict[str, str]:
    """The searched text; numbers are compared as typed and in capitals, which is quicker."""
    anywhere = contains(text)["q"]
    return {"q": anywhere, "q_capital": anywhere.upper()}


def _day(name: str) -> Any:
    return lambda text: {name: date.fromisoformat(text)}


LEASES_OF_TENANT = select(_parties.c.lease_id).where(
    _parties.c.organization_id == _organization, _parties.c.tenant_id == bindparam("tenant")
)
INVOICES = Listing(
    address="/invoices/",
    # Only what the list's index holds: the rest is read for the rows of one page (`about`).
    rows=select(
        _i.c.id,
        _i.c.kind,
        _i.c.number,
        _i.c.issue_date,
        _i.c.due_date,
        _i.c.total,
        _i.c.open,
        _i.c.lease_id,
    ).where(_i.c.organization_id == _organization),
    id=_i.c.id,
    sorts={
        "issued": _i.c.issue_date,
        "due": _i.c.due_date,
        "number": func.coalesce(_i.c.number, ""),
        "total": _i.c.total,
        "open": _i.c.open,
    },
    default="-issued",
    filters={
        "q": Filter(
            or_(
                _i.c.number.like(bindparam("q"), escape="\\"),
                _i.c.number.like(bindparam("q_capital"), escape="\\"),
                _i.c.lease_id.in_(_leases_found),
            ),
            _number_or_name,
        ),
        "state": Filter(
            {
                "unsettled": _i.c.open > 0,
                "open": and_(_i.c.open == _i.c.total, _i.c.due_date >= _today),
                "partly_paid": and_(_i.c.open > 0, _i.c.open < _i.c.total, _i.c.due_date >= _today),
                "overdue": and_(_i.c.open > 0, _i.c.due_date < _today),
                "paid": and_(
                    _i.c.open == 0,
                    _i.c.kind != "credit_note",
                    _i.c.id.not_in(_wholly_credited),
                    _i.c.id.not_in(_given_up),
                ),
                "written_off": and_(
                    _i.c.open == 0,
                    _i.c.id.in_(_given_up),
                    _i.c.id.not_in(_wholly_credited),
                ),
                "credited": and_(_i.c.open == 0, _i.c.id.in_(_wholly_credited)),
            }
        ),
        "kind": Filter({kind: _i.c.kind == kind for kind in KINDS}),
        "property": Filter(_i.c.property_id == bindparam("property"), of_id("property")),
        "lease": Filter(_i.c.lease_id == bindparam("lease"), of_id("lease")),
        "tenant": Filter(_i.c.lease_id.in_(LEASES_OF_TENANT), of_id("tenant")),
        "run": Filter(_i.c.run_id == bindparam("run"), of_id("run")),
        "from": Filter(_i.c.due_date >= bindparam("due_from"), _day("due_from")),
        "to": Filter(_i.c.due_date <= bindparam("due_to"), _day("due_to")),
        "issued_from": Filter(_i.c.issue_date >= bindparam("issued_from"), _day("issued_from")),
        "issued_to": Filter(_i.c.issue_date <= bindparam("issued_to"), _day("issued_to")),
        "delivered": Filter({"no": _to_deliver, "yes": _i.c.id.in_(_delivered)}),
    },
    totals={
        "total": case((_i.c.kind == "credit_note", -_i.c.total), else_=_i.c.total),
        "open": _i.c.open,
    },
    counted=select(_i.c.id).where(_i.c.organization_id == _organization),
)
_ABOUT = (
    select(
        _i.c.id,
        FIRST_TENANT.label("tenant"),
        _properties.c.name.label("property"),
        case((_properties.c.is_single_unit, ""), else_=_units.c.label).label("unit"),
        STATE.label("state"),
    )
    .join(_leases, _leases.c.id == _i.c.lease_id)
    .join(_units, _units.c.id == _leases.c.unit_id)
    .join(_properties, _properties.c.id == _units.c.property_id)
)
EXPORT = replace(
    INVOICES,
    rows=_ABOUT.add_columns(
        _i.c.kind,
        _i.c.number,
        _i.c.issue_date,
        _i.c.due_date,
        _i.c.period_start,
        _i.c.period_end,
        _i.c.net,
        _i.c.tax,
        _i.c.total,
        _i.c.open,
        _leases.c.reference.label("lease"),
    ).where(_i.c.organization_id == _organization),
    columns=(
        Column("Number", "number"),
        Column("Kind", "kind"),
        Column("State", "state"),
        Column("Tenant", "tenant"),
        Column("Property", "property"),
        Column("Unit", "unit"),
        Column("Lease", "lease"),
        Column("Issued", "issue_date", "day"),
        Column("Due", "due_date", "day"),
        Column("Period from", "period_start", "day"),
        Column("Period to", "period_end", "day"),
        Column("Net", "net", "amount"),
        Column("Tax", "tax", "amount"),
        Column("Total", "total", "amount"),
        Column("Open", "open", "amount"),
    ),
    _built={},
)
_ABOUT_ROWS = _ABOUT.where(selective(_i), _i.c.id.in_(bindparam("ids", expanding=True)))
_PROPERTIES = (
    select(_properties.c.id, _properties.c.name)
    .where(_properties.c.organization_id == _organization)
    .order_by(_properties.c.name)
    .limit(MOST_PROPERTIES + 1)
)


def properties_to_pick() -> Sequence[Any]:
    """Properties for the filter; none when there are too many to pick from (search finds them)."""
    rows = rows_while_unchanged(_PROPERTIES, {})
    return rows if len(rows) <= MOST_PROPERTIES else []


def about(ids: Sequence[int], today: date) -> dict[int, Any]:
    """Tenant, property, unit and state of the documents of one page, by id."""
    rows = db.session.execute(_ABOUT_ROWS, {"ids": list(ids), "today": today})
    return {row.id: row for row in rows}
