"""Reads index series with their values, and the rents that are to be indexed on a notice day."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row, Table, bindparam, exists, func, or_, select

from proman.base.errors import NotThere
from proman.db import db
from proman.leases.dated_rents import counts_from
from proman.leases.index_models import IndexClause, IndexSeries, IndexValue, RentIndexation
from proman.leases.indexing import (
    Clause,
    Days,
    Indexation,
    Published,
    Skipped,
    Step,
    TakesEffect,
    indexation_of,
    known_on,
)
from proman.leases.models import Lease, Rent
from proman.leases.queries import is_found, tenants_of
from proman.leases.rules import Frequency, LeaseTerms, Periods, RentChange, RentStep
from proman.leases.standing import place
from proman.properties.models import Property, Unit
from proman.web.listing import contains

_s: Table = IndexSeries.__table__  # type: ignore[assignment]
_v: Table = IndexValue.__table__  # type: ignore[assignment]
_c: Table = IndexClause.__table__  # type: ignore[assignment]
_x: Table = RentIndexation.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_r: Table = Rent.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_p: Table = Property.__table__  # type: ignore[assignment]
_HERE: Any = bindparam("organization_id")
_base = _v.alias("base")

_IS_USED = exists(
    select(1).where(
        or_(_x.c.base_value_id == _v.c.id, _x.c.new_value_id == _v.c.id),
        _x.c.organization_id == _v.c.organization_id,
    )
)
_SERIES = (
    select(
        _s.c.id,
        _s.c.name,
        select(func.count()).where(_v.c.series_id == _s.c.id).scalar_subquery().label("how_many"),
        select(func.max(_v.c.month)).where(_v.c.series_id == _s.c.id).scalar_subquery().label("to"),
        select(func.count()).where(_c.c.series_id == _s.c.id).scalar_subquery().label("leases"),
    )
    .where(_s.c.organization_id == _HERE)
    .order_by(_s.c.name, _s.c.id)
)
_VALUES_OF = (
    select(_v.c.id, _v.c.month, _v.c.value, _v.c.published_on, _IS_USED.label("is_used"))
    .where(_v.c.organization_id == _HERE, _v.c.series_id == bindparam("of_series"))
    .order_by(_v.c.month.desc(), _v.c.published_on.desc(), _v.c.id.desc())
    .limit(bindparam("rows"))
    .offset(bindparam("after"))
)
_CLAUSES = (
    select(
        _l.c.id,
        _l.c.reference,
        place().label("place"),
        tenants_of.label("tenants"),
        _l.c.first_day,
        _l.c.last_day,
        _l.c.ended_on,
        _l.c.holding_over,
        _l.c.frequency,
        _l.c.periods,
        _c.c.series_id,
        _c.c.base_month,
        _c.c.notice_months,
        _c.c.hold_months,
        _c.c.takes_effect,
        _c.c.threshold,
        _c.c.up_only,
        _c.c.same_month,
        _c.c.unchanged_since,
        _s.c.name.label("series"),
        _base.c.id.label("base_id"),
        _base.c.month.label("base_of"),
        _base.c.value.label("base_value"),
        _base.c.published_on.label("base_published_on"),
    )
    .select_from(_c)
    .join(_s, _s.c.id == _c.c.series_id)
    .join(_l, _l.c.id == _c.c.lease_id)
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_p, _p.c.id == _u.c.property_id)
    .outerjoin(_base, _base.c.id == _c.c.base_value_id)
    .where(
        _c.c.organization_id == _HERE,
        or_(_l.c.status == "active", _l.c.ended_on >= bindparam("notice")),
    )
    .order_by(_p.c.name, _u.c.label, _l.c.id)
)
_FOUND = _CLAUSES.where(is_found)
_CHOSEN = _CLAUSES.where(_l.c.id.in_(bindparam("lease_ids", expanding=True)))
_STEPS = (
    select(
        _r.c.lease_id,
        _r.c.effective_from,
        _r.c.amount,
        _r.c.change,
        _r.c.tax_rate,
        _r.c.gross,
    )
    .join(_c, _c.c.lease_id == _r.c.lease_id)
    .where(_c.c.organization_id == _HERE)
    .order_by(_r.c.lease_id, _r.c.effective_from, _r.c.id)
)
_STEPS_OF = _STEPS.where(_r.c.lease_id.in_(bindparam("lease_ids", expanding=True)))
_PUBLISHED = select(_v.c.series_id, _v.c.id, _v.c.month, _v.c.value, _v.c.published_on).where(
    _v.c.organization_id == _HERE, _v.c.published_on <= bindparam("day")
)


class Candidate(NamedTuple):
    """A lease with an index clause, and what a notice on the day would make of its rent."""

    lease: Row[Any]
    outcome: Indexation | Skipped

    @property
    def is_due(self) -> bool:
        """Whether a notice on that day makes another rent."""
        return isinstance(self.outcome, Indexation)


def all_series() -> list[Row[Any]]:
    """The index series by name: how many values, up to which month, for how many leases."""
    rows: Any = db.session.execute(_SERIES).all()
    return list(rows)


def the_series(series_id: int) -> IndexSeries:
    """One series. Raises NotThere."""
    found = db.session.scalar(select(IndexSeries).where(IndexSeries.id == series_id))
    if found is None:
        raise NotThere("This index does not exist.")
    return found


def values_of(series_id: int, page: int, rows: int) -> tuple[Sequence[Row[Any]], int]:
    """A page (from 1) of the values of a series, the newest month first, and how many there are.

    Each says whether a rent was reckoned from it.
    """
    count = db.session.scalar(
        select(func.count()).select_from(IndexValue).where(IndexValue.series_id == series_id)
    )
    asked = {"of_series": series_id, "rows": rows, "after": (page - 1) * rows}
    return db.session.execute(_VALUES_OF, asked).all(), count or 0


def the_value(series_id: int, value_id: int) -> IndexValue:
    """A value of the series. Raises NotThere."""
    statement = select(IndexValue).where(
        IndexValue.id == value_id, IndexValue.series_id == series_id
    )
    found = db.session.scalar(statement)
    if found is None:
        raise NotThere("This value does not exist.")
    return found


def is_used(value_id: int) -> bool:
    """Whether a rent was reckoned from the value."""
    either = or_(RentIndexation.base_value_id == value_id, RentIndexation.new_value_id == value_id)
    return db.session.scalar(select(RentIndexation.id).where(either).limit(1)) is not None


def candidates(
    notice_day: date, *, typed: str = "", lease_ids: Collection[int] | None = None
) -> list[Candidate]:
    """Every lease with a clause that has not ended by a notice on that day, by place, as of it.

    With a text only those whose tenant, unit or reference holds it; with ids only those leases.
    """
    asked = {"notice": notice_day}
    if lease_ids is not None:
        chosen = {"lease_ids": list(lease_ids)}
        leases = db.session.execute(_CHOSEN, chosen | asked).all()
        steps = db.session.execute(_STEPS_OF, chosen)
    else:
        found = db.session.execute(_FOUND, contains(typed) | asked) if typed else None
        leases = (found or db.session.execute(_CLAUSES, asked)).all()
        steps = db.session.execute(_STEPS)
    rents: dict[int, list[Any]] = defaultdict(list)
    for rent in steps:
        rents[rent.lease_id].append(rent)
    values: dict[int, list[Published]] = defaultdict(list)
    for series_id, *rest in db.session.execute(_PUBLISHED, {"day": notice_day}):
        values[series_id].append(Published(*rest))
    known = {key: known_on(published, notice_day) for key, published in values.items()}
    return [
        Candidate(
            row,
            indexation_of(
                *_said(row), _steps(row, rents[row.id]), known.get(row.series_id, {}), notice_day
            ),
        )
        for row in leases
    ]


def _steps(lease: Row[Any], rents: Sequence[Any]) -> list[Step]:
    """The rents of a lease by the day that each begins on: a deferred one with the next period."""
    found = [Step(each.effective_from, each.amount, each.tax_rate, each.gross) for each in rents]
    if all(each.change == RentChange.SPLIT for each in rents[1:]):
        return found
    terms = LeaseTerms(
        lease.id,
        lease.first_day,
        frequency=Frequency(lease.frequency),
        periods=Periods(lease.periods),
    )
    begins = [
        counts_from(terms, RentStep(each.effective_from, each.amount, RentChange(each.change)))
        for each in rents
    ]
    moved = [replace(step, first_day=day) for step, day in zip(found, begins, strict=True)]
    return sorted(moved, key=lambda step: step.first_day)


def the_candidate(lease_id: int, notice_day: date) -> Candidate:
    """One lease with a clause as of a notice on that day. Raises NotThere."""
    found = candidates(notice_day, lease_ids=[lease_id])
    if not found:
        raise NotThere("No lease with an index clause that has not ended is here.")
    return found[0]


def _said(row: Row[Any]) -> tuple[Clause, Days]:
    base = None
    if row.base_id is not None:
        base = Published(row.base_id, row.base_of, row.base_value, row.base_published_on)
    clause = Clause(
        row.base_month,
        base,
        row.notice_months,
        row.hold_months,
        TakesEffect(row.takes_effect),
        row.threshold,
        row.up_only,
        row.same_month,
        row.unchanged_since,
    )
    return clause, Days(row.first_day, row.last_day, row.ended_on, row.holding_over == "stop")
