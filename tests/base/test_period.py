from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.period import Period, add_months, clipped, days_in_month

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_months_are_clipped_from_the_anchor() -> None:
    anchor = date(2027, 1, 31)
    assert [add_months(anchor, n) for n in (0, 1, 2, 3, 13)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
        date(2028, 2, 29),
    ]
    assert add_months(anchor, -2) == date(2026, 11, 30)


def test_both_ends_count() -> None:
    march = Period(date(2027, 3, 17), date(2027, 3, 31))
    assert march.days == 15
    assert date(2027, 3, 17) in march
    assert date(2027, 3, 31) in march
    assert date(2027, 4, 1) not in march
    assert len(list(march)) == 15


def test_a_period_never_ends_before_it_begins() -> None:
    with pytest.raises(ValueError, match="before"):
        Period(date(2027, 3, 2), date(2027, 3, 1))


@given(DAYS, st.integers(0, 400), DAYS, st.integers(0, 400))
def test_an_intersection_holds_exactly_the_shared_days(
    one: date, length: int, other: date, more: int
) -> None:
    left = Period(one, one + timedelta(days=length))
    right = Period(other, other + timedelta(days=more))
    shared = left.intersect(right)
    assert (shared is not None) == left.overlaps(right) == right.overlaps(left)
    assert set(shared or []) == set(left) & set(right)


@given(DAYS, st.integers(-600, 600))
def test_a_month_on_keeps_the_day_or_the_months_last(anchor: date, months: int) -> None:
    moved = add_months(anchor, months)
    assert moved.day == min(anchor.day, days_in_month(moved.year, moved.month))
    assert (moved.year - anchor.year) * 12 + moved.month - anchor.month == months


@given(st.integers(1990, 2100), st.integers(1, 12))
def test_a_months_length_is_the_calendars(year: int, month: int) -> None:
    last = clipped(year, month, 31)
    assert (last + timedelta(days=1)).day == 1
    assert Period.month(year, month).days == last.day
