"""The figures of the first page, each the sum of the list that it links to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    union_all,
)

from proman.billing.models import Invoice
from proman.db import db
from proman.identity.models import Organization
from proman.leases.models import Lease
from proman.leases.queries import LEASE_ROWS
from proman.leases.standing import state_clauses
from proman.payments.models import Payment, PaymentReversal
from proman.properties.models import Property, Unit
from proman.reports.rules import (
    LEASES_ENDING_DAYS,
    Occupancy,
    age,
    months_back,
    sum_by_month,
)

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_pr: Table = Property.__table__  # type: ignore[assignment]
_p: Table = Payment.__table__  # type: ignore[assignment]
_rev: Table = PaymentReversal.__table__  # type: ignore[assignment]
_o: Table = Organization.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
_TODAY: ColumnElement[date] = bindparam("today")
MONTHS = 12
ENDING_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Steps:
    """What a new installation has done already."""

    letterhead: bool
    portfolio: bool
    lease: bool
    billing: bool

    @property
    def are_done(self) -> bool:
        return self.letterhead and self.portfolio and self.lease and self.billing


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Amounts in minor units; months oldest first, the current one last."""

    occupancy: Occupancy
    ending: int
    holding_over: int
    steps: Steps
    ages: dict[str, int]
    months: Sequence[tuple[date, date]]
    due: Sequence[int]
    received: Sequence[int]

    @property
    def open(self) -> int:
        return sum(self.ages.values())

    @property
    def overdue(self) -> int:
        return self.open - self.ages["not_due"]


def _following() -> ColumnElement[bool]:
    """Whether the unit's next lease has begun (its predecessor is over then)."""
    other = _l.alias("other")
    return exists(
        select(other.c.id).where(
            other.c.unit_id == _l.c.unit_id,
            other.c.status != "draft",
            other.c.first_day > _l.c.first_day,
            other.c.first_day <= _TODAY,
        )
    )


_last = func.coalesce(_l.c.ended_on, _l.c.last_day)
_begun = and_(_l.c.organization_id == _HERE, _l.c.status != "draft", _l.c.first_day <= _TODAY)
_over = and_(_l.c.ended_on.is_(None), _l.c.last_day < _TODAY)
_ours = _u.c.organization_id == _HERE
_archived = select(_pr.c.id).where(_pr.c.organization_id == _HERE, _pr.c.archived_at.is_not(None))


def _count(*where: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(_l).where(*where).scalar_subquery()


_PORTFOLIO = select(
    select(func.count())
    .select_from(_u)
    .where(_ours, _u.c.archived_at.is_(None), _u.c.property_id.not_in(_archived))
    .scalar_subquery()
    .label("units"),
    _count(_begun, _last.is_(None) | (_last >= _TODAY)).label("let"),
    _count(_begun, _last >= _TODAY, _last <= bindparam("soon")).label("ending"),
    _count(_begun, _over, ~_following()).label("holding_over"),
    exists(select(_pr.c.id).where(_pr.c.organization_id == _HERE)).label("has_property"),
    exists(select(_l.c.id).where(_l.c.organization_id == _HERE)).label("has_lease"),
    exists(select(_i.c.id).where(_i.c.organization_id == _HERE)).label("has_invoice"),
    exists(select(_o.c.id).where(_o.c.id == _HERE, _o.c.street != "", _o.c.city != "")).label(
        "has_letterhead"
    ),
)
_ENDING = (
    LEASE_ROWS.where(state_clauses(_l.c)["expiring"])
    .order_by(func.coalesce(_l.c.ended_on, _l.c.last_day), _l.c.id)
    .limit(ENDING_SHOWN)
)
_OPEN = (
    select(_i.c.due_date, func.sum(_i.c.open))
    .where(_i.c.organization_id == _HERE, _i.c.open > 0)
    .group_by(_i.c.due_date)
)


def _within(day: ColumnElement[date]) -> ColumnElement[bool]:
    return and_(day >= bindparam("first"), day <= bindparam("last"))


_signed = case((_i.c.kind == "credit_note", -_i.c.total), else_=_i.c.total)
_DUE = (
    select(literal("due").label("what"), _i.c.due_date.label("day"), func.sum(_signed).label("sum"))
    .where(_i.c.organization_id == _HERE, _within(_i.c.due_date))
    .group_by(_i.c.due_date)
)
_RECEIVED = (
    select(literal("received"), _p.c.received_on, func.sum(_p.c.amount))
    .where(_p.c.organization_id == _HERE, _within(_p.c.received_on))
    .group_by(_p.c.received_on)
)
_REVERSED = (
    select(literal("received"), _p.c.received_on, func.sum(-_p.c.amount))
    .join(_rev, _rev.c.payment_id == _p.c.id)
    .where(_rev.c.organization_id == _HERE, _within(_p.c.received_on))
    .group_by(_p.c.received_on)
)
_BY_DAY = union_all(_DUE, _RECEIVED, _REVERSED)


def dashboard(today: date) -> Dashboard:
    """Every figure of the first page as of today, in three queries.

    Due counts what is due in a month, credit notes taken off. Received counts receipts of a month
    that were not reversed, by the day of the receipt.
    """
    row = db.session.execute(_PORTFOLIO, _days(today)).one()
    open_by_day = [(day, int(amount)) for day, amount in db.session.execute(_OPEN)]
    months = months_back(today, MONTHS)
    due, received = _by_month(months)
    return Dashboard(
        occupancy=Occupancy(row.units, row.let + row.holding_over),
        ending=row.ending,
        holding_over=row.holding_over,
        steps=Steps(
            letterhead=bool(row.has_letterhead),
            portfolio=bool(row.has_property),
            lease=bool(row.has_lease),
            billing=bool(row.has_invoice),
        ),
        ages=age(open_by_day, today),
        months=months,
        due=due,
        received=received,
    )


def leases_that_end(today: date) -> Sequence[Row[*tuple[Any, ...]]]:
    """The first leases to end within 90 days, the soonest first, as lists show them."""
    return db.session.execute(_ENDING, _days(today)).all()


def _days(today: date) -> dict[str, date]:
    return {"today": today, "soon": today + timedelta(days=LEASES_ENDING_DAYS)}


def _by_month(months: Sequence[tuple[date, date]]) -> tuple[list[int], list[int]]:
    bound = {"first": months[0][0], "last": months[-1][1]}
    days: dict[str, list[tuple[date, int]]] = {"due": [], "received": []}
    for what, day, amount in db.session.execute(_BY_DAY, bound):
        days[what].append((day, int(amount)))
    return sum_by_month(days["due"], months), sum_by_month(days["received"], months)
