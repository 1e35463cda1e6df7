"""What a lease is, in SQL: the same as the rules say, for every kind of lease."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from proman.db import db
from proman.leases.models import Lease
from proman.leases.queries import next_lease_first_day, the_lease
from proman.leases.standing import days_of, state, state_clauses
from proman.leases.summary import summary_of
from proman.properties.models import Unit
from proman.properties.queries import bound_unit, is_let
from proman.tenants.models import Tenant
from proman.tenants.queries import home_of
from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_tenant, make_unit

TODAY = date(2026, 6, 15)
DAY = timedelta(days=1)

KINDS = {
    "draft": {"status": "draft"},
    "upcoming": {"first_day": TODAY + DAY},
    "begins today": {"first_day": TODAY},
    "open": {},
    "far end": {"last_day": TODAY + 91 * DAY},
    "in 90 days": {"last_day": TODAY + 90 * DAY},
    "ends today": {"last_day": TODAY},
    "holding over": {"last_day": TODAY - DAY},
    "ended yesterday": {"status": "ended", "ended_on": TODAY - DAY},
    "ended for today": {"status": "ended", "ended_on": TODAY},
    "ended for later": {"status": "ended", "ended_on": TODAY + 5 * DAY},
    "ended before its end": {
        "status": "ended",
        "last_day": TODAY + 30 * DAY,
        "ended_on": TODAY - DAY,
    },
    "upcoming and ended": {
        "status": "ended",
        "first_day": TODAY + DAY,
        "ended_on": TODAY + 2 * DAY,
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_sql_and_rules_agree(home: Cast, kind: str) -> None:
    lease = the_lease(make_lease(**KINDS[kind]))  # type: ignore[arg-type]
    expected = summary_of(lease, next_lease_first_day(lease), TODAY).state
    statement = select(state(Lease.__table__.c)).where(
        Lease.__table__.c.id == lease.id,
        Lease.__table__.c.organization_id == home.organization,
    )
    found = db.session.execute(
        statement.execution_options(everywhere=True), days_of(TODAY)
    ).scalar_one()
    assert found == expected


def test_a_next_lease_ends_a_held_over_one(home: Cast) -> None:
    unit = make_unit()
    first = the_lease(make_lease(unit, last_day=TODAY - 10 * DAY))
    make_lease(unit, first_day=TODAY - 3 * DAY)
    assert summary_of(first, next_lease_first_day(first), TODAY).state == "ended"
    assert summary_of(first, next_lease_first_day(first), TODAY - 5 * DAY).state == "holding_over"


@pytest.mark.parametrize(
    ("kind", "let", "bound"),
    [
        ("draft", False, False),
        ("upcoming", False, True),
        ("open", True, True),
        ("ends today", True, True),
        ("holding over", True, True),
        ("ended yesterday", False, False),
        ("ended for today", True, True),
    ],
)
def test_occupancy_follows_from_leases(home: Cast, kind: str, let: bool, bound: bool) -> None:
    unit = make_unit()
    make_lease(unit, **KINDS[kind])  # type: ignore[arg-type]
    assert is_let(unit, TODAY) is let
    assert (bound_unit(TODAY, unit_id=unit) is not None) is bound


def test_a_tenant_is_at_home_where_they_rent(home: Cast) -> None:
    house = make_property(name="Mill", is_single_unit=True)
    court = make_property(name="Court")
    tenant = make_tenant()
    assert home_of(tenant, TODAY) is None
    make_lease(make_unit(house, label="Mill"), [tenant])
    assert home_of(tenant, TODAY) == "Mill"
    make_lease(make_unit(court, label="A-07"), [make_tenant(), tenant])
    assert set((home_of(tenant, TODAY) or "").split(", ")) == {"Mill", "Court · A-07"}


def test_every_state_can_be_filtered(home: Cast) -> None:
    assert set(state_clauses(Lease.__table__.c)) == {
        *("current", "draft", "upcoming", "expiring", "holding_over", "ended")
    }
    assert Unit.is_let is not None
    assert Tenant.home is not None
