"""What a few typed letters may mean: people, units, leases, invoices, and what one can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Row, Table, bindparam, case, func, literal, or_, select

from proman.billing.models import Invoice
from proman.db import db
from proman.identity.actor import Actor
from proman.leases.models import Lease, LeaseParty
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant
from proman.web.listing import contains

_t: Table = Tenant.__table__  # type: ignore[assignment]
_pr: Table = Property.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_lp: Table = LeaseParty.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
MOST = 6
"""Hits of one kind; who has more is found by the list's own search."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found, and its address."""

    icon: str
    title: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind; `more` is the list that shows all of them, where there may be more."""

    heading: str
    hits: Sequence[Hit]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do or a page to open: words to find it by, and the least role that may."""

    words: str
    icon: str
    url: str
    also: str = ""
    role: str = "viewer"


ACTIONS = (
    Action("Dashboard", "layout-dashboard", "/", "home start overview"),
    Action("Properties", "building-community", "/properties/", "buildings houses list"),
    Action("Tenants", "users", "/tenants/", "people companies list"),
    Action("Leases", "file-certificate", "/leases/", "contracts agreements list"),
    Action("Invoices", "file-invoice", "/invoices/", "bills credit notes list"),
    Action("Payments", "cash-banknote", "/payments/", "receipts money list"),
    Action("Rent roll", "report-money", "/reports/rent-roll", "report units occupancy vacant"),
    Action(
        "Aged receivables",
        "hourglass",
        "/reports/aged-receivables",
        "report arrears overdue open debt",
    ),
    Action("Lease statements", "receipt", "/reports/statements", "report account balance"),
    Action("Add property", "plus", "/properties/new", "new building house", "manager"),
    Action("Add tenant", "plus", "/tenants/new", "new person company", "manager"),
    Action("New lease", "plus", "/leases/new", "add let contract", "manager"),
    Action("Record payment", "plus", "/payments/new", "new receipt money received", "manager"),
    Action("Bill what is due", "player-play", "/billing/", "billing run issue invoices", "manager"),
    Action("Take over a rent roll", "upload", "/takeover/", "import excel csv", "manager"),
    Action(
        "Organization",
        "settings",
        "/admin/organization",
        "letterhead logo bank tax settings",
        "administrator",
    ),
    Action("People and rights", "users", "/admin/users", "users invite role", "administrator"),
    Action("Audit trail", "history", "/admin/audit", "changes who when", "administrator"),
    Action("Database and backups", "database", "/admin/database", "restore", "administrator"),
)


def _like(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.lower(column).like(bindparam("q"), escape="\\")


def _first(column: ColumnElement[Any]) -> ColumnElement[int]:
    """Beginnings before other places."""
    return case((func.lower(column).like(bindparam("start"), escape="\\"), 0), else_=1)


_place = case(
    (_pr.c.is_single_unit, _pr.c.name), else_=_pr.c.name + literal(" · ") + _u.c.label
)  # fmt: skip
_TENANTS = (
    select(_t.c.id, _t.c.name, _t.c.email, _t.c.kind)
    .where(_t.c.organization_id == _HERE, or_(_like(_t.c.name), _like(_t.c.email)))
    .order_by(_first(_t.c.name), _t.c.name, _t.c.id)
    .limit(MOST + 1)
)
_UNITS = (
    select(_u.c.id, _pr.c.id.label("property_id"), _place.label("place"), _pr.c.city,
           _pr.c.street, _pr.c.is_single_unit)
    .join(_pr, _pr.c.id == _u.c.property_id)
    .where(_u.c.organization_id == _HERE, _u.c.archived_at.is_(None))
    .where(or_(_like(_pr.c.name + literal(" ") + _u.c.label), _like(_pr.c.street)))
    .order_by(_first(_pr.c.name), _pr.c.name, _u.c.id)
    .limit(MOST + 1)
)  # fmt: skip
_signed = select(_lp.c.lease_id).where(
    _lp.c.organization_id == _HERE, _lp.c.tenant_id.in_(bindparam("tenants", expanding=True))
)
_LEASES = (
    select(_l.c.id, _l.c.reference, _place.label("place"), _l.c.first_day)
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_pr, _pr.c.id == _u.c.property_id)
    .where(_l.c.organization_id == _HERE)
    .where(or_(_like(_l.c.reference), _l.c.id.in_(_signed)))
    .order_by(_first(_l.c.reference), _l.c.first_day.desc(), _l.c.id)
    .limit(MOST + 1)
)
_INVOICES = (
    select(_i.c.id, _i.c.number, _i.c.kind, _i.c.due_date, _i.c.total)
    .where(_i.c.organization_id == _HERE, _i.c.number.like(bindparam("number"), escape="\\"))
    .order_by(_i.c.id.desc())
    .limit(MOST + 1)
)


def search(text: str, actor: Actor) -> list[Group]:
    """What the text may mean, in at most four queries; nothing for nothing typed.

    Every kind is found by any part of its words, in any script, without regard to case; numbers of
    invoices only by a text with a digit.
    """
    typed = " ".join(text.split())
    if not typed:
        return []
    pattern = contains(typed)["q"]
    bound: dict[str, Any] = {"q": pattern, "start": pattern.removeprefix("%")}
    tenants = db.session.execute(_TENANTS, bound).all()
    units = db.session.execute(_UNITS, bound).all()
    bound["tenants"] = [row.id for row in tenants]
    leases = db.session.execute(_LEASES, bound).all()
    all_of = urlencode({"q": typed})
    groups = [
        Group("Do", _actions(typed.lower(), actor)),
        _group("Tenants", tenants, _tenant, f"/tenants/?{all_of}"),
        _group("Units", units, _unit, f"/properties/?{all_of}"),
        _group("Leases", leases, _lease, f"/leases/?{all_of}"),
    ]
    if any(letter.isdigit() for letter in typed):
        invoices = db.session.execute(_INVOICES, {"number": pattern.upper()}).all()
        groups.append(_group("Invoices", invoices, _invoice, f"/invoices/?{all_of}"))
    return [group for group in groups if group.hits]


def _group(
    heading: str,
    rows: Sequence[Row[*tuple[Any, ...]]],
    hit: Callable[[Row[*tuple[Any, ...]]], Hit],
    more: str,
) -> Group:
    return Group(heading, [hit(row) for row in rows[:MOST]], more if len(rows) > MOST else "")


def _actions(typed: str, actor: Actor) -> list[Hit]:
    return [
        Hit(action.icon, action.words, "", action.url)
        for action in ACTIONS
        if actor.may(action.role)
        and all(word in f"{action.words} {action.also}".lower() for word in typed.split())
    ][:MOST]


def _tenant(row: Row[*tuple[Any, ...]]) -> Hit:
    icon = "building" if row.kind == "company" else "user"
    return Hit(icon, row.name, row.email or "", f"/tenants/{row.id}")


def _unit(row: Row[*tuple[Any, ...]]) -> Hit:
    note = ", ".join(part for part in (row.street, row.city) if part)
    return Hit("door", row.place, note, f"/properties/{row.property_id}")


def _lease(row: Row[*tuple[Any, ...]]) -> Hit:
    return Hit("file-certificate", row.place, row.reference, f"/leases/{row.id}")


def _invoice(row: Row[*tuple[Any, ...]]) -> Hit:
    return Hit("file-invoice", row.number, row.kind.replace("_", " "), f"/invoices/{row.id}")
