"""The rent roll: every unit, who lives in it on a day, what they pay, hold and owe."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
)

from proman.db import MOST_IDS, db
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.ledger.models import Entry, Posting
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant
from proman.web.listing import Column, Filter, Listing, of_id

_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_pr: Table = Property.__table__  # type: ignore[assignment]
_r: Table = Rent.__table__  # type: ignore[assignment]
_c: Table = Charge.__table__  # type: ignore[assignment]
_lp: Table = LeaseParty.__table__  # type: ignore[assignment]
_t: Table = Tenant.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]
_e: Table = Entry.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
_AS_OF: ColumnElement[date] = bindparam("as_of")

PERIODS_A_YEAR = {
    "weekly": 52,
    "fortnightly": 26,
    "four_weekly": 13,
    "monthly": 12,
    "quarterly": 4,
    "half_yearly": 2,
    "yearly": 1,
}


def _occupying() -> ColumnElement[int]:
    """The last lease of the unit that had begun on the day; earlier ones are over by its start."""
    own = _l.alias("own")
    return (
        select(own.c.id)
        .where(own.c.unit_id == _u.c.id, own.c.status != "draft", own.c.first_day <= _AS_OF)
        .order_by(own.c.first_day.desc())
        .limit(1)
        .correlate(_u)
        .scalar_subquery()
    )


def _rent(of: ColumnElement[int]) -> ColumnElement[int]:
    """The rent of one period on the day, minor units; nil before the first."""
    amount = (
        select(_r.c.amount)
        .where(_r.c.lease_id == of, _r.c.effective_from <= _AS_OF)
        .order_by(_r.c.effective_from.desc(), _r.c.id.desc())
        .limit(1)
        .correlate(_l)
        .scalar_subquery()
    )
    return func.coalesce(amount, 0)


_yearly = _rent(_l.c.id) * case(
    *((_l.c.frequency == key, count) for key, count in PERIODS_A_YEAR.items()), else_=0
)
_place = _pr.c.name + literal("\x1f") + _u.c.label
# A lease whose agreed last day passed holds over, and its unit is let until it is ended.
_is_not_over = _l.c.ended_on.is_(None) | (_l.c.ended_on >= _AS_OF)
_units = _u.join(_pr, _pr.c.id == _u.c.property_id).outerjoin(
    _l, and_(_l.c.id == _occupying(), _is_not_over)
)
_here = (
    _u.c.organization_id == _HERE,
    _u.c.archived_at.is_(None),
    _pr.c.archived_at.is_(None),
)

RENT_ROLL = Listing(
    address="/reports/rent-roll",
    rows=select(
        _u.c.id,
        _u.c.label,
        _pr.c.id.label("property_id"),
        _pr.c.name.label("property"),
        _pr.c.is_single_unit,
        _u.c.area,
        _u.c.market_rent,
        _l.c.id.label("lease_id"),
        _l.c.reference,
        _l.c.first_day,
        _l.c.last_day,
        _l.c.ended_on,
        _l.c.frequency,
    )
    .select_from(_units)
    .where(*_here),
    counted=select(_u.c.id).select_from(_units).where(*_here),
    id=_u.c.id,
    sorts={
        "unit": _place,
        "from": func.coalesce(_l.c.first_day, date.max),
        "to": func.coalesce(_l.c.ended_on, _l.c.last_day, date.max),
    },
    default="unit",
    filters={
        "as_of": Filter(true(), lambda text: {"as_of": date.fromisoformat(text)}),
        "property": Filter(_pr.c.id == bindparam("property_id"), of_id("property_id")),
        "let": Filter({"yes": _l.c.id.is_not(None), "no": _l.c.id.is_(None)}),
    },
    totals={
        "let": case((_l.c.id.is_not(None), 1), else_=0),
        "yearly": func.coalesce(_yearly, 0),
        "market": func.coalesce(_u.c.market_rent, 0),
    },
)


def _sum_of_charges() -> ColumnElement[int]:
    return (
        select(func.coalesce(func.sum(_c.c.amount), 0))
        .where(
            _c.c.lease_id == _l.c.id,
            _c.c.recurrence == "period",
            _c.c.first_day <= _AS_OF,
            _c.c.last_day.is_(None) | (_c.c.last_day >= _AS_OF),
        )
        .scalar_subquery()
    )


def _first_name() -> ColumnElement[str]:
    return (
        select(_t.c.name)
        .join(_lp, _lp.c.tenant_id == _t.c.id)
        .where(_lp.c.lease_id == _l.c.id)
        .order_by(_lp.c.position, _lp.c.id)
        .limit(1)
        .scalar_subquery()
    )


def _parties() -> ColumnElement[int]:
    return select(func.count()).where(_lp.c.lease_id == _l.c.id).scalar_subquery()


def _posted(accounts: tuple[str, ...], sign: int) -> ColumnElement[int]:
    """Debit less credit of the lease's accounts on the day; the other way round below nil."""
    amount = func.coalesce(func.sum(_p.c.debit - _p.c.credit), 0) * sign
    return (
        select(amount)
        .join(_e, _e.c.id == _p.c.entry_id)
        .where(_p.c.lease_id == _l.c.id, _p.c.account.in_(accounts))
        .where(_e.c.effective_on <= _AS_OF)
        .scalar_subquery()
    )


_DETAILS = select(
    _l.c.id,
    _first_name().label("tenant"),
    _parties().label("parties"),
    _rent(_l.c.id).label("rent"),
    _yearly.label("yearly"),
    _sum_of_charges().label("charges"),
    _posted(("deposits_held",), -1).label("deposit"),
    _posted(("receivable", "tenant_credit"), 1).label("balance"),
).where(_l.c.organization_id == _HERE, _l.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class RollRow:
    """One unit of the rent roll; amounts are minor units, None where it is vacant."""

    unit: Row[*tuple[Any, ...]]
    detail: Row[*tuple[Any, ...]] | None

    def __getattr__(self, name: str) -> Any:
        if name in _OF_LEASE:
            return getattr(self.detail, name) if self.detail is not None else None
        return getattr(self.unit, name)

    @property
    def ends(self) -> date | None:
        ends: date | None = self.unit.ended_on or self.unit.last_day
        return ends

    @property
    def tenants(self) -> str:
        if self.detail is None:
            return ""
        more = self.detail.parties - 1
        return f"{self.detail.tenant} + {more}" if more > 0 else str(self.detail.tenant or "")


_OF_LEASE = frozenset({"rent", "yearly", "charges", "deposit", "balance"})

COLUMNS = (
    Column("Property", "property"),
    Column("Unit", "label"),
    Column("Tenants", "tenants"),
    Column("Lease", "reference"),
    Column("From", "first_day", "day"),
    Column("To", "ends", "day"),
    Column("Frequency", "frequency"),
    Column("Rent", "rent", "amount"),
    Column("Rent a year", "yearly", "amount"),
    Column("Charges", "charges", "amount"),
    Column("Market rent a month", "market_rent", "amount"),
    Column("Deposit held", "deposit", "amount"),
    Column("Balance", "balance", "amount"),
)


def with_details(rows: Sequence[Row[*tuple[Any, ...]]], as_of: date) -> list[RollRow]:
    """The units of a page with what their leases pay, hold and owe on the day."""
    ids = [row.lease_id for row in rows if row.lease_id is not None]
    details: Mapping[int, Row[*tuple[Any, ...]]] = {}
    if ids:
        found = db.session.execute(_DETAILS, {"ids": ids, "as_of": as_of})
        details = {row.id: row for row in found}
    return [RollRow(row, details.get(row.lease_id)) for row in rows]


def whole_roll(rows: Iterable[Row[*tuple[Any, ...]]], as_of: date) -> Iterator[RollRow]:
    """Every row of an export with its details, many at a time."""
    waiting = iter(list(rows))
    while batch := list(islice(waiting, MOST_IDS)):
        yield from with_details(batch, as_of)
