"""What a lease is on a day, in SQL, for the day bound as `today`; the same as `rules.state`.

The lower domains learn from here who lives where: `Unit.is_let` and `Tenant.home` are declared on
this side of the ladder.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
)

from proman.leases.models import Lease, LeaseParty
from proman.leases.rules import EXPIRING_DAYS
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

TODAY: BindParameter[date] = bindparam("today")
SOON: BindParameter[date] = bindparam("soon")
"""The last day that counts as expiring: 90 days after today."""


def days_of(today: Any) -> dict[str, Any]:
    """The values of `today` and `soon` for a statement that asks what leases are."""
    return {"today": today, "soon": today + timedelta(days=EXPIRING_DAYS)}


def is_superseded(lease: Any) -> ColumnElement[bool]:
    """Whether the unit's next lease has begun since the lease's agreed last day."""
    following = Lease.__table__.alias("following")
    return exists(
        select(1).where(
            following.c.unit_id == lease.unit_id,
            following.c.organization_id == lease.organization_id,
            following.c.status != "draft",
            following.c.first_day > lease.last_day,
            following.c.first_day <= TODAY,
        )
    )


def is_holding_over(lease: Any) -> ColumnElement[bool]:
    """The agreed last day has passed, nobody ended the lease, no other began."""
    return and_(lease.status == "active", lease.last_day < TODAY, ~is_superseded(lease))


def is_not_over(lease: Any) -> ColumnElement[bool]:
    """Upcoming, running or holding over: the lease is not a draft and has not ended."""
    last = func.coalesce(lease.ended_on, lease.last_day)
    return and_(lease.status != "draft", or_(last.is_(None), last >= TODAY, is_holding_over(lease)))


def state(lease: Any) -> ColumnElement[str]:
    """The lease's state in one word (see `rules.LeaseState`)."""
    last = func.coalesce(lease.ended_on, lease.last_day)
    return case(
        (lease.status == "draft", "draft"),
        (is_holding_over(lease), "holding_over"),
        (last < TODAY, "ended"),
        (lease.first_day > TODAY, "upcoming"),
        (last <= SOON, "expiring"),
        else_="active",
    )


def state_clauses(lease: Any) -> dict[str, ColumnElement[bool]]:
    """For each state the condition that a lease is in it."""
    last = func.coalesce(lease.ended_on, lease.last_day)
    over = is_holding_over(lease)
    is_draft = lease.status == "draft"
    begun = lease.first_day <= TODAY
    return {
        "current": and_(~is_draft, begun, is_not_over(lease)),
        "draft": is_draft,
        "upcoming": and_(~is_draft, ~begun),
        "expiring": and_(~is_draft, begun, last >= TODAY, last <= SOON),
        "holding_over": over,
        "ended": and_(~is_draft, last < TODAY, ~over),
    }


def place() -> ColumnElement[str]:
    """The unit as a person would name it: a single-unit property by its own name."""
    whole: ColumnElement[str] = Property.__table__.c.name
    label = Unit.__table__.c.label
    return case((Property.__table__.c.is_single_unit, whole), else_=whole + " · " + label)


def _is_held(*, begun: bool) -> ColumnElement[bool]:
    lease = Lease.__table__.alias("letting")
    statement = select(1).where(
        lease.c.unit_id == Unit.__table__.c.id,
        lease.c.organization_id == Unit.__table__.c.organization_id,
        is_not_over(lease.c),
    )
    if begun:
        statement = statement.where(lease.c.first_day <= TODAY)
    return exists(statement).correlate(Unit.__table__)


_tenancy = Lease.__table__.alias("tenancy")
_party = LeaseParty.__table__.alias("party")


def _tenancies(column: Any) -> Select[Any]:
    """The leases that a tenant is on and that are not over, one row each."""
    return (
        select(column)
        .select_from(_party)
        .join(_tenancy, _tenancy.c.id == _party.c.lease_id)
        .where(
            _party.c.tenant_id == Tenant.__table__.c.id,
            _party.c.organization_id == Tenant.__table__.c.organization_id,
            or_(_party.c.left_on.is_(None), _party.c.left_on >= TODAY),
            is_not_over(_tenancy.c),
        )
        .correlate(Tenant.__table__)
    )


def _home() -> ColumnElement[str | None]:
    statement = (
        _tenancies(func.aggregate_strings(place(), ", "))
        .join(Unit.__table__, Unit.__table__.c.id == _tenancy.c.unit_id)
        .join(Property.__table__, Property.__table__.c.id == Unit.__table__.c.property_id)
    )
    home: ColumnElement[str | None] = statement.scalar_subquery()
    return home


Unit.is_let = _is_held(begun=True)
Unit.is_bound = _is_held(begun=False)
Tenant.home = _home()
Tenant.is_renting = exists(_tenancies(1))
