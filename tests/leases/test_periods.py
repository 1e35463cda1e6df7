from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.period import Period, days_in_month
from proman.leases.periods import due_day, full_period, period_index
from proman.leases.rules import DueRule, Frequency, LeaseTerms, Periods, Timing

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
TERMS = st.builds(
    LeaseTerms,
    st.just(1),
    first_day=DAYS,
    frequency=st.sampled_from(Frequency),
    periods=st.sampled_from(Periods),
    timing=st.sampled_from(Timing),
    due_rule=st.builds(DueRule, st.integers(1, 31)),
)


def _dues(rule: str, first: date, count: int, **terms: object) -> list[date]:
    lease = LeaseTerms(1, first, due_rule=DueRule.parse(rule), **terms)  # type: ignore[arg-type]
    return [due_day(lease, full_period(lease, index)) for index in range(count)]


def test_anniversary_periods_are_reckoned_from_the_first_day_each_time() -> None:
    lease = LeaseTerms(1, date(2027, 1, 31), periods=Periods.ANNIVERSARY)
    assert [full_period(lease, index) for index in range(3)] == [
        Period(date(2027, 1, 31), date(2027, 2, 27)),
        Period(date(2027, 2, 28), date(2027, 3, 30)),
        Period(date(2027, 3, 31), date(2027, 4, 29)),
    ]


@pytest.mark.parametrize(
    ("frequency", "first", "last"),
    [
        (Frequency.MONTHLY, date(2027, 5, 1), date(2027, 5, 31)),
        (Frequency.QUARTERLY, date(2027, 4, 1), date(2027, 6, 30)),
        (Frequency.HALF_YEARLY, date(2027, 1, 1), date(2027, 6, 30)),
        (Frequency.YEARLY, date(2027, 1, 1), date(2027, 12, 31)),
        (Frequency.WEEKLY, date(2027, 5, 17), date(2027, 5, 23)),
        (Frequency.FORTNIGHTLY, date(2027, 5, 17), date(2027, 5, 30)),
        (Frequency.FOUR_WEEKLY, date(2027, 5, 17), date(2027, 6, 13)),
    ],
)
def test_the_first_full_period_of_each_frequency(
    frequency: Frequency, first: date, last: date
) -> None:
    lease = LeaseTerms(1, date(2027, 5, 17), frequency=frequency)
    assert full_period(lease, 0) == Period(first, last)


def test_a_due_day_is_clipped_from_its_anchor_each_time() -> None:
    assert _dues("day:31", date(2027, 1, 1), 4) == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]
    assert _dues("day:31", date(2028, 2, 1), 1) == [date(2028, 2, 29)]


def test_a_working_day_knows_the_regions_holidays() -> None:
    assert _dues("workday:3", date(2027, 1, 1), 1, country="DE") == [date(2027, 1, 6)]
    bavaria = _dues("workday:3", date(2027, 1, 1), 1, country="DE", region="BY")
    assert bavaria == [date(2027, 1, 7)]


def test_the_month_before_of_or_after() -> None:
    assert _dues("day:25:before", date(2027, 3, 1), 1) == [date(2027, 2, 25)]
    assert _dues("day:5:after", date(2027, 3, 1), 1) == [date(2027, 4, 5)]
    assert _dues("workday:1:before", date(2027, 1, 1), 1) == [date(2026, 12, 1)]


def test_in_arrears_by_calendar_in_the_month_after_the_period() -> None:
    arrears = {"timing": Timing.ARREARS}
    assert _dues("day:31", date(2027, 1, 1), 2, **arrears) == [
        date(2027, 2, 28),
        date(2027, 3, 31),
    ]
    quarterly = _dues("day:5", date(2027, 1, 1), 1, frequency=Frequency.QUARTERLY, **arrears)
    assert quarterly == [date(2027, 4, 5)]


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ("day:1", date(2027, 5, 1)),
        ("day:16", date(2027, 5, 16)),
        ("day:17", date(2027, 4, 17)),
        ("day:31", date(2027, 4, 30)),
    ],
)
def test_in_arrears_by_anniversary_on_the_first_such_day_after_its_end(
    rule: str, due: date
) -> None:
    """The period is 17 March to 16 April."""
    dues = _dues(rule, date(2027, 3, 17), 1, periods=Periods.ANNIVERSARY, timing=Timing.ARREARS)
    assert dues == [due]


@pytest.mark.parametrize("month", ["before", "after"])
@pytest.mark.parametrize("periods", list(Periods))
def test_in_arrears_the_month_of_the_rule_does_not_count(periods: Periods, month: str) -> None:
    """Neither due before the period's end nor a month too late."""
    arrears = {"timing": Timing.ARREARS, "periods": periods}
    assert _dues(f"day:5:{month}", date(2027, 1, 1), 1, **arrears) == [date(2027, 2, 5)]


def test_weekly_kinds_are_due_on_their_first_day_or_the_day_after_their_end() -> None:
    first = date(2027, 3, 17)
    assert _dues("day:1", first, 2, frequency=Frequency.FORTNIGHTLY) == [
        first,
        first + timedelta(days=14),
    ]
    arrears = _dues("day:1", first, 1, frequency=Frequency.WEEKLY, timing=Timing.ARREARS)
    assert arrears == [first + timedelta(days=7)]


@given(TERMS, st.integers(0, 500))
def test_periods_follow_each_other_without_gap_or_overlap(terms: LeaseTerms, index: int) -> None:
    one, following = full_period(terms, index), full_period(terms, index + 1)
    assert following.first == one.last + timedelta(days=1)
    assert terms.first_day in full_period(terms, 0)


@given(TERMS, DAYS)
def test_every_day_has_its_period(terms: LeaseTerms, day: date) -> None:
    assert day in full_period(terms, period_index(terms, day))


@given(TERMS, st.integers(0, 200))
def test_anchors_never_drift(terms: LeaseTerms, index: int) -> None:
    full = full_period(terms, index)
    if terms.frequency.months and terms.periods is Periods.ANNIVERSARY:
        longest = days_in_month(full.first.year, full.first.month)
        assert full.first.day == min(terms.first_day.day, longest)
    due = due_day(terms, full)
    if terms.frequency.months:
        assert due.day == min(terms.due_rule.n, days_in_month(due.year, due.month))


@given(TERMS, st.integers(0, 200))
def test_due_days_never_go_back(terms: LeaseTerms, index: int) -> None:
    one, other = full_period(terms, index), full_period(terms, index + 1)
    assert due_day(terms, one) <= due_day(terms, other)
    if terms.timing is Timing.ARREARS:
        assert due_day(terms, one) > one.last
