"""Reads what billing has to know of leases: their terms, and what of them is billed already."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Date,
    Row,
    Select,
    Table,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from proman.billing.billed import Billed, Extent, Span
from proman.billing.due import covered_by
from proman.billing.models import BilledPeriod
from proman.billing.reckoning import RENT
from proman.db import db
from proman.identity.models import Organization
from proman.leases.models import Charge, Lease, Rent
from proman.leases.rules import (
    ChargeTerms,
    DueRule,
    Frequency,
    HoldingOver,
    LeaseStatus,
    LeaseTerms,
    Periods,
    Proration,
    Recurrence,
    RentChange,
    RentStep,
    Timing,
)
from proman.ledger.queries import in_chunks
from proman.properties.models import Property, Unit

_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_p: Table = Property.__table__  # type: ignore[assignment]
_r: Table = Rent.__table__  # type: ignore[assignment]
_c: Table = Charge.__table__  # type: ignore[assignment]
_b: Table = BilledPeriod.__table__  # type: ignore[assignment]
_o: Table = Organization.__table__  # type: ignore[assignment]
_next = _l.alias("next_lease")
_HERE: BindParameter[Any] = bindparam("organization_id")
_CHOSEN: BindParameter[Any] = bindparam("lease_ids", expanding=True)

_NEXT_FIRST_DAY = (
    select(func.min(_next.c.first_day))
    .where(
        _next.c.organization_id == _HERE,
        _next.c.unit_id == _l.c.unit_id,
        _next.c.status != "draft",
        _next.c.first_day > _l.c.last_day,
    )
    .correlate(_l)
    .scalar_subquery()
)
# The organization's holidays count where a property has no region of its own.
_REGION = case(
    (_p.c.region != "", _p.c.region), (_p.c.country == _o.c.country, _o.c.region), else_=""
)
_LEASES = (
    select(
        _l.c.id,
        _l.c.first_day,
        _l.c.last_day,
        _l.c.ended_on,
        _NEXT_FIRST_DAY.label("next_first_day"),
        _l.c.cut_over,
        _l.c.status,
        _l.c.frequency,
        _l.c.periods,
        _l.c.timing,
        _l.c.due_rule,
        _l.c.lead_days,
        _l.c.proration,
        _l.c.holding_over,
        _p.c.country,
        _REGION.label("region"),
    )
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_p, _p.c.id == _u.c.property_id)
    .join(_o, _o.c.id == _l.c.organization_id)
    .where(_l.c.organization_id == _HERE)
    .order_by(_l.c.id)
)
_CHARGES = select(
    _c.c.lease_id,
    _c.c.id.label("charge_id"),
    _c.c.first_day,
    _c.c.id,
    _c.c.amount,
    _c.c.tax_rate,
    _c.c.gross,
    _c.c.recurrence.label("manner"),
    _c.c.kind,
    _c.c.description,
    _c.c.last_day,
).where(_c.c.organization_id == _HERE)
_RENTS = select(
    _r.c.lease_id,
    literal(RENT),
    _r.c.effective_from,
    _r.c.id,
    _r.c.amount,
    _r.c.tax_rate,
    _r.c.gross,
    _r.c.change,
    literal(""),
    literal(""),
    cast(null(), Date),
).where(_r.c.organization_id == _HERE)
_EXTENTS = (
    select(
        _b.c.lease_id,
        _b.c.charge_key,
        func.min(_b.c.period_start),
        func.max(_b.c.period_end),
        func.sum(_b.c.days),
    )
    .where(_b.c.organization_id == _HERE)
    .group_by(_b.c.lease_id, _b.c.charge_key)
)
_SPANS = (
    select(_b.c.lease_id, _b.c.charge_key, _b.c.period_start, _b.c.period_end, _b.c.ended_itself)
    .where(_b.c.organization_id == _HERE)
    .order_by(_b.c.lease_id, _b.c.charge_key, _b.c.period_start, _b.c.period_end)
)


class BillableLease(NamedTuple):
    """A lease's terms, and what of it was billed."""

    terms: LeaseTerms
    billed: Billed


def _chosen(statement: Select[Any], table: Table) -> Select[Any]:
    key = table.c.id if table is _l else table.c.lease_id
    return statement.where(key.in_(_CHOSEN))


def _amounts(charges: Select[Any], rents: Select[Any]) -> CompoundSelect[*tuple[Any, ...]]:
    """Rents and charges as one: both are dated amounts; of one day the later recorded is later."""
    both = union_all(charges, rents)
    return both.order_by("lease_id", "charge_id", "first_day", "id")


_STATEMENTS: Mapping[str, tuple[Any, Any]] = {
    "leases": (_LEASES, _chosen(_LEASES, _l)),
    "amounts": (
        _amounts(_CHARGES, _RENTS),
        _amounts(_chosen(_CHARGES, _c), _chosen(_RENTS, _r)),
    ),
    "extents": (_EXTENTS, _chosen(_EXTENTS, _b)),
    "spans": (_SPANS, _chosen(_SPANS, _b)),
}
"""Each for all leases of the organization, and for chosen ones."""


def _rows(name: str, lease_ids: Collection[int] | None) -> Iterator[Any]:
    everything, chosen = _STATEMENTS[name]
    if lease_ids is None:
        yield from db.session.execute(everything)
        return
    for chunk in in_chunks(lease_ids):
        yield from db.session.execute(chosen, {"lease_ids": chunk})


def billable_leases(lease_ids: Collection[int] | None = None) -> list[BillableLease]:
    """The leases, by id, with all that decides what they are billed; None: the organization's."""
    terms = lease_terms(lease_ids)
    extents: dict[int, dict[int, Extent]] = defaultdict(dict)
    for lease_id, charge_id, first, last, days in _rows("extents", lease_ids):
        extents[lease_id][charge_id] = Extent(first, last, int(days))
    known = {each.lease_id: covered_by(each, extents.get(each.lease_id, {})) for each in terms}
    with_gaps = [lease_id for lease_id, billed in known.items() if billed is None]
    known.update(billed_spans(with_gaps))
    return [BillableLease(each, known[each.lease_id] or Billed()) for each in terms]


def billed_spans(lease_ids: Collection[int]) -> dict[int, Billed]:
    """Every span that was billed of these leases."""
    found: dict[int, list[Span]] = {lease_id: [] for lease_id in lease_ids}
    for lease_id, *span in _rows("spans", lease_ids):
        found[lease_id].append(Span(*span))
    return {lease_id: Billed.of(spans) for lease_id, spans in found.items()}


def lease_terms(lease_ids: Collection[int] | None = None) -> list[LeaseTerms]:
    """The terms of leases, by id; None: of all leases of the organization."""
    leases = list(_rows("leases", lease_ids))
    rents: dict[int, list[RentStep]] = defaultdict(list)
    charges: dict[int, list[ChargeTerms]] = defaultdict(list)
    for row in _rows("amounts", lease_ids):
        lease_id, charge_id, first, _, amount, tax_rate, gross, manner, kind, words, last = row
        if charge_id == RENT:
            rents[lease_id].append(RentStep(first, amount, _CHANGES[manner], tax_rate, gross))
        else:
            charges[lease_id].append(
                ChargeTerms(
                    charge_id, kind, words, amount, first, last, tax_rate, gross,
                    _RECURRENCES[manner],
                )
            )  # fmt: skip
    return [
        _terms(row, tuple(rents.get(row[0], ())), tuple(charges.get(row[0], ()))) for row in leases
    ]


_CHANGES: Mapping[str, RentChange] = {str(each): each for each in RentChange}
_STATUSES: Mapping[str, LeaseStatus] = {str(each): each for each in LeaseStatus}
_RECURRENCES: Mapping[str, Recurrence] = {str(each): each for each in Recurrence}
_due_rule = lru_cache(maxsize=256)(DueRule.parse)


@lru_cache(maxsize=1024)
def _manner(*values: str) -> dict[str, Any]:
    """The settings of leases that are alike in their manner of billing."""
    frequency, periods, timing, proration, holding_over = values
    return {
        "frequency": Frequency(frequency),
        "periods": Periods(periods),
        "timing": Timing(timing),
        "proration": Proration(proration),
        "holding_over": HoldingOver(holding_over),
    }


def _terms(
    row: Row[Any], rents: tuple[RentStep, ...], charges: tuple[ChargeTerms, ...]
) -> LeaseTerms:
    return LeaseTerms(
        row.id,
        row.first_day,
        row.last_day,
        row.ended_on,
        row.next_first_day,
        row.cut_over,
        _STATUSES[row.status],
        due_rule=_due_rule(row.due_rule),
        lead_days=row.lead_days,
        rents=rents,
        charges=charges,
        country=row.country,
        region=row.region,
        **_manner(row.frequency, row.periods, row.timing, row.proration, row.holding_over),
    )
