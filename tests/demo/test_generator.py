"""The portfolio that a seed makes: the same again, believable, without overlaps."""

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proman.demo.behaviour import receipts
from proman.demo.generator import generate
from proman.demo.values import Behaviour, Portfolio
from proman.leases.rules import DueRule, Frequency, Periods, Timing

TODAY = date(2026, 11, 22)


def portfolio(leases: int = 300, seed: int = 1, months: int = 12) -> Portfolio:
    return generate(leases=leases, months=months, seed=seed, today=TODAY)


def test_the_same_seed_makes_the_same_and_another_seed_another() -> None:
    assert portfolio() == portfolio()
    assert portfolio() != portfolio(seed=2)


@given(st.integers(1, 400), st.integers(1, 24), st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_exactly_as_many_leases_as_asked_and_none_overlaps(
    leases: int, months: int, seed: int
) -> None:
    made = generate(leases=leases, months=months, seed=seed, today=TODAY)
    assert len(made.leases) == leases
    until: dict[tuple[int, int], date] = {}
    for lease in made.leases:
        where = (lease.property_index, lease.unit_index)
        assert lease.first_day > until.get(where, date.min)
        last = lease.ended_on or lease.last_day
        assert last is None or last >= lease.first_day
        until[where] = last or date.max
        assert all(rent.amount > 0 for rent in lease.rents)
        assert all(rent.from_day <= (lease.ended_on or date.max) for rent in lease.rents)


@given(st.dates(date(2020, 1, 1), date(2031, 12, 31)))
@settings(max_examples=25, deadline=None)
def test_any_day_can_be_today(today: date) -> None:
    assert len(generate(leases=120, months=12, seed=3, today=today).leases) == 120


def test_ten_leases_already_show_every_state() -> None:
    made = portfolio(10)
    states = Counter(lease.status for lease in made.leases)
    assert set(states) == {"draft", "active", "ended"}
    assert any(lease.first_day > TODAY for lease in made.leases if lease.status == "active")
    assert any(
        lease.last_day and lease.last_day < TODAY
        for lease in made.leases
        if lease.status == "active"
    )
    let = {(lease.property_index, lease.unit_index) for lease in made.leases}
    assert sum(len(place.units) for place in made.properties) > len(let)
    assert {"arrears", "partial", "over", "bouncer"} <= {x.behaviour.kind for x in made.leases}


def test_a_large_portfolio_has_every_kind_of_term() -> None:
    made = portfolio(4000)
    assert {Frequency(lease.frequency) for lease in made.leases} == set(Frequency)
    assert {Periods(lease.periods) for lease in made.leases} == set(Periods)
    assert {Timing(lease.timing) for lease in made.leases} == set(Timing)
    assert {str(DueRule.parse(x.due_rule)) for x in made.leases} >= {"day:31", "workday:3"}
    assert len({place.name for place in made.properties}) == len(made.properties)
    emails = [tenant.email for tenant in made.tenants]
    assert len(set(emails)) == len(emails)
    assert any(not tenant.name.isascii() for tenant in made.tenants)
    assert any(tenant.is_company for tenant in made.tenants)
    assert sum(len(place.units) == 1 for place in made.properties) > 50


def test_what_began_before_the_window_is_cut_over() -> None:
    made = portfolio()
    assert made.starts_on == date(2025, 12, 1)
    for lease in made.leases:
        before = made.starts_on - timedelta(days=1)
        assert lease.cut_over == (before if lease.first_day < made.starts_on else None)


def test_nothing_arrives_after_today_and_nobody_in_arrears_pays() -> None:
    due = TODAY - timedelta(days=1)
    late = Behaviour("late", 10)
    assert list(receipts(late, due, 1000, TODAY, Random(1))) == []
    gone = Behaviour("arrears", 0, stops_on=due)
    assert list(receipts(gone, due, 1000, TODAY + timedelta(days=99), Random(1))) == []
    (paid,) = receipts(late, due, 1000, TODAY + timedelta(days=99), Random(1))
    assert paid.amount == 1000


def test_a_portfolio_needs_a_lease_and_a_month() -> None:
    with pytest.raises(ValueError, match="At least one lease"):
        generate(leases=0, months=1, seed=1, today=TODAY)
