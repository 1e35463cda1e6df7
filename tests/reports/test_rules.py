"""Ageing, occupancy, months and running balances."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.reports.rules import (
    BUCKETS,
    Movement,
    Occupancy,
    age,
    bucket_of,
    month_of,
    months_back,
    overdue_total,
    statement,
    sum_by_month,
)

TODAY = date(2027, 3, 31)


@pytest.mark.parametrize(
    ("days_overdue", "key"),
    [
        (-40, "not_due"),
        (0, "not_due"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "over_90"),
        (4000, "over_90"),
    ],
)
def test_bucket_of_days_overdue(days_overdue: int, key: str) -> None:
    assert bucket_of(TODAY - timedelta(days=days_overdue), TODAY).key == key


@given(st.dates(), st.dates(date(1900, 1, 1), date(2999, 1, 1)))
def test_due_range_holds_exactly_what_falls_into_the_bucket(due: date, as_of: date) -> None:
    holding = []
    for bucket in BUCKETS:
        earliest, latest = bucket.due_range(as_of)
        if (earliest is None or due >= earliest) and (latest is None or due <= latest):
            holding.append(bucket)
    assert holding == [bucket_of(due, as_of)]


def test_age_sums_every_bucket_and_overdue_leaves_out_what_is_not_due() -> None:
    items = [
        (date(2027, 4, 1), 100_000),
        (date(2027, 3, 1), 48_387),
        (date(2027, 3, 30), 1),
        (date(2026, 1, 1), 7),
    ]
    sums = age(items, TODAY)
    assert sums == {
        "not_due": 100_000,
        "days_1_30": 48_388,
        "days_31_60": 0,
        "days_61_90": 0,
        "over_90": 7,
    }
    assert overdue_total(sums) == 48_395


@pytest.mark.parametrize(
    ("units", "let", "shown"),
    [(0, 0, "0"), (3, 3, "100"), (3, 2, "66.7"), (10_000, 9_999, "99.9"), (10_000, 1, "0.1")],
)
def test_occupancy_never_rounds_to_all_or_none(units: int, let: int, shown: str) -> None:
    occupancy = Occupancy(units, let)
    assert occupancy.percent == shown
    assert occupancy.vacant == units - let


def test_months() -> None:
    assert month_of(date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 2, 29))
    assert month_of(date(2026, 12, 31)) == (date(2026, 12, 1), date(2026, 12, 31))
    assert months_back(date(2027, 1, 31), 3) == [
        (date(2026, 11, 1), date(2026, 11, 30)),
        (date(2026, 12, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), date(2027, 1, 31)),
    ]


def test_sum_by_month_leaves_out_other_days() -> None:
    months = months_back(date(2027, 2, 1), 2)
    days = [(date(2026, 12, 31), 9), (date(2027, 1, 1), 1), (date(2027, 2, 28), 2)]
    assert sum_by_month(days, months) == [1, 2]


def test_statement_runs_the_balance_and_skips_allocations() -> None:
    moves = [
        Movement(date(2027, 3, 17), "issued", "2027-00001", 48_387),
        Movement(date(2027, 3, 20), "payment", "Transfer", -100_000),
        Movement(date(2027, 3, 20), "allocation", "", 0),
    ]
    made = statement(0, moves, date(2027, 3, 1), date(2027, 3, 31))
    assert [line.balance for line in made.lines] == [48_387, -51_613]
    assert (made.debits, made.credits, made.closing) == (48_387, 100_000, -51_613)


def test_statement_without_movement_closes_as_it_opened() -> None:
    assert statement(500, [], TODAY, TODAY).closing == 500
