"""What is open on a day, by age: of each lease, tenant and property, and the documents themselves.

What is open on a past day is what is open now less what happened since: a day's question near today
reads little, and the same statement answers for every day.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    Table,
    and_,
    bindparam,
    case,
    func,
    select,
    true,
    union_all,
)

from proman.billing.models import Invoice
from proman.leases.models import LeaseParty
from proman.ledger.models import Entry, Posting
from proman.reports.rules import BUCKETS
from proman.web.listing import Column, Filter, Listing, of_id

_i: Table = Invoice.__table__  # type: ignore[assignment]
_e: Table = Entry.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]
_lp: Table = LeaseParty.__table__  # type: ignore[assignment]

_HERE: ColumnElement[int] = bindparam("organization_id")


def bounds(as_of: date) -> dict[str, Any]:
    """The values that every statement of this module binds for a day."""
    days = {f"less_{days}": as_of - timedelta(days=days) for days in (30, 60, 90)}
    return {"as_of": as_of, **days}


AS_OF = Filter(true(), lambda text: bounds(date.fromisoformat(text)))
"""The day asked, as it stands in the address; without it `bounds(today)` is bound."""


def _moves() -> Subquery:
    """Open now, and what must be taken back of it to know the day asked."""
    now = select(_i.c.id.label("invoice_id"), _i.c.open.label("amount")).where(
        _i.c.organization_id == _HERE, _i.c.open > 0
    )
    since = (
        select(_p.c.invoice_id, (_p.c.credit - _p.c.debit).label("amount"))
        .join(_e, _e.c.id == _p.c.entry_id)
        .where(_e.c.organization_id == _HERE, _e.c.effective_on > bindparam("as_of"))
        .where(_p.c.account == "receivable", _p.c.invoice_id.is_not(None))
    )
    return union_all(now, since).subquery("moves")


def _open() -> Subquery:
    moves = _moves()
    amount = func.sum(moves.c.amount)
    return (
        select(moves.c.invoice_id, amount.label("open"))
        .group_by(moves.c.invoice_id)
        .having(amount != 0)
        .subquery("open_then")
    )


OPEN = _open()
"""Each document that was open at the end of the day `as_of` (inclusive), and how much of it."""


def _due_within(key: str) -> ColumnElement[bool]:
    due = _i.c.due_date
    ends = {"not_due": None, "days_1_30": "as_of", "days_31_60": "less_30", "days_61_90": "less_60"}
    starts = {"not_due": "as_of", "days_1_30": "less_30", "days_31_60": "less_60"}
    starts["days_61_90"] = "less_90"
    clauses = []
    if key in starts:
        clauses.append(due >= bindparam(starts[key]))
    if ends.get(key, "less_90"):
        clauses.append(due < bindparam(ends.get(key) or "less_90"))
    return and_(*clauses)


def aged_columns() -> dict[str, ColumnElement[int]]:
    """A sum for each bucket, and in all, over `OPEN` joined to invoices."""
    sums = {
        bucket.key: func.sum(case((_due_within(bucket.key), OPEN.c.open), else_=0)).label(
            bucket.key
        )
        for bucket in BUCKETS
    }
    return {**sums, "total": func.sum(OPEN.c.open).label("total")}


_first_party = (
    select(_lp.c.tenant_id)
    .where(_lp.c.lease_id == _i.c.lease_id)
    .order_by(_lp.c.position, _lp.c.id)
    .limit(1)
    .correlate(_i)
    .scalar_subquery()
)
GROUPS: Mapping[str, ColumnElement[int]] = {
    "lease": _i.c.lease_id,
    "tenant": _first_party,
    "property": _i.c.property_id,
}
"""By what the report can be broken down; a lease's joint balance counts for who signed first."""


def _aged(group: ColumnElement[int]) -> Subquery:
    return (
        select(group.label("id"), *aged_columns().values())
        .select_from(OPEN.join(_i, _i.c.id == OPEN.c.invoice_id))
        .where(*_property_chosen())
        .group_by(group)
        .subquery("aged")
    )


def _property_chosen() -> list[ColumnElement[bool]]:
    """`of_property` nil means every property."""
    chosen: ColumnElement[int] = bindparam("of_property")
    return [(chosen == 0) | (_i.c.property_id == chosen)]


def _by(key: str) -> Listing:
    aged = _aged(GROUPS[key])
    keys = [bucket.key for bucket in BUCKETS] + ["total"]
    return Listing(
        address="/reports/aged-receivables",
        rows=select(aged),
        id=aged.c.id,
        sorts={name: aged.c[name] for name in keys},
        default="-total",
        filters={
            "as_of": AS_OF,
            "by": Filter({name: true() for name in GROUPS}),
            "property": Filter(true(), of_id("of_property")),
            "bucket": Filter({name: aged.c[name] != 0 for name in keys}),
        },
        totals={name: aged.c[name] for name in keys},
    )


AGED = {key: _by(key) for key in GROUPS}

ITEMS = Listing(
    address="/reports/open-items",
    rows=select(
        _i.c.id,
        _i.c.kind,
        _i.c.number,
        _i.c.lease_id,
        _i.c.issue_date,
        _i.c.due_date,
        _i.c.total,
        OPEN.c.open,
    )
    .select_from(OPEN.join(_i, _i.c.id == OPEN.c.invoice_id))
    .where(_i.c.organization_id == _HERE),
    id=_i.c.id,
    sorts={"due": _i.c.due_date, "open": OPEN.c.open, "total": _i.c.total},
    default="due",
    filters={
        "as_of": AS_OF,
        "bucket": Filter(
            {
                **{bucket.key: _due_within(bucket.key) for bucket in BUCKETS},
                "overdue": _i.c.due_date < bindparam("as_of"),
            }
        ),
        "property": Filter(_i.c.property_id == bindparam("property_id"), of_id("property_id")),
        "lease": Filter(_i.c.lease_id == bindparam("lease_id"), of_id("lease_id")),
        "tenant": Filter(_first_party == bindparam("tenant_id"), of_id("tenant_id")),
    },
    totals={"open": OPEN.c.open},
)

ITEM_COLUMNS = (
    Column("Number", "number"),
    Column("Kind", "kind"),
    Column("Tenants", "words"),
    Column("Lease", "note"),
    Column("Issued", "issue_date", "day"),
    Column("Due", "due_date", "day"),
    Column("Total", "total", "amount"),
    Column("Open", "open", "amount"),
)
