"""Indexed rents by examples that others have published, and by what holds of every rent and day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.period import add_months
from proman.leases.indexing import (
    Clause,
    Days,
    Indexation,
    Published,
    Skipped,
    Step,
    TakesEffect,
    Why,
    change_of,
    effective_day,
    indexation_of,
    indexed,
    known_on,
    unchanged_since,
)

MARCH = date(2026, 3, 1)
BEGAN = Days(date(2026, 4, 1))
RENT = (Step(date(2026, 4, 1), 100_000),)
CLAUSE = Clause(MARCH)
NOTICE = date(2027, 4, 20)


def published(*rows: tuple[str, str, str]) -> list[Published]:
    """Values as (month, value, day of publication): "2026-03", "112.5", "2026-04-14"."""
    return [
        Published(
            place,
            date.fromisoformat(f"{month}-01"),
            int(Decimal(value) * 1000),
            date.fromisoformat(day),
        )
        for place, (month, value, day) in enumerate(rows, 1)
    ]


VALUES = published(
    ("2026-03", "112.5", "2026-04-14"),
    ("2027-02", "116.9", "2027-03-12"),
    ("2027-03", "117.3", "2027-04-13"),
    ("2027-04", "117.8", "2027-05-12"),
)


def reckon(notice: date = NOTICE, **changes: object) -> Indexation | Skipped:
    given_by = {"clause": CLAUSE, "days": BEGAN, "steps": RENT} | changes
    known = known_on(given_by.pop("values", VALUES), notice)  # type: ignore[arg-type]
    return indexation_of(**given_by, known=known, notice_day=notice)  # type: ignore[arg-type]


def why(found: Indexation | Skipped) -> tuple[Why, date | None]:
    assert isinstance(found, Skipped), found
    return found.why, found.day


@pytest.mark.parametrize(
    ("rent", "base", "new", "expected"),
    [
        # Indice de référence des loyers (INSEE): 2nd quarters of 2023 and 2024, 600 €.
        (60_000, 140_590, 145_170, 61_955),
        # 1,000.00 × 117.300 ÷ 112.500.
        (100_000, 112_500, 117_300, 104_267),
        # An index that falls makes the rent fall (§ 557b BGB knows no one-way clause).
        (100_000, 117_300, 112_500, 95_908),
        # Half a cent goes up: 1.00 × 100.5 ÷ 100 = 1.005.
        (100, 100_000, 100_500, 101),
    ],
)
def test_rent_times_new_index_by_base_index(rent: int, base: int, new: int, expected: int) -> None:
    assert indexed(rent, base, new) == expected


def test_the_change_of_the_index_as_courts_reckon_it() -> None:
    # BGH, 22.11.2017, VIII ZR 291/16: from 94.2 to 106.1 points is 12.6 per cent.
    assert round(change_of(94_200, 106_100) / 1000, 1) == 12.6


@given(
    st.integers(1, 10**11),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
)
def test_it_is_rounded_once_to_the_nearest_halves_away_from_nil(
    rent: int, base: int, new: int
) -> None:
    exact = Decimal(rent) * Decimal(new) / Decimal(base)
    found = indexed(rent, base, new)
    assert abs(2 * (found * base - rent * new)) <= base
    if exact == exact.to_integral_value() or 2 * exact == (2 * exact).to_integral_value():
        assert found == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("notice", "months", "expected"),
    [
        # § 557b (3) BGB: from the beginning of the month after next.
        (date(2027, 3, 1), 1, date(2027, 5, 1)),
        (date(2027, 3, 31), 1, date(2027, 5, 1)),
        (date(2027, 12, 31), 1, date(2028, 2, 1)),
        (date(2027, 11, 30), 0, date(2027, 12, 1)),
        (date(2027, 1, 31), 3, date(2027, 5, 1)),
    ],
)
def test_from_the_month_after_next(notice: date, months: int, expected: date) -> None:
    assert effective_day(replace(CLAUSE, notice_months=months), BEGAN.first_day, notice) == expected


@pytest.mark.parametrize(
    ("first_day", "notice", "months", "expected"),
    [
        # The French example: signed on 20 July 2023, revised on 20 July 2024.
        (date(2023, 7, 20), date(2024, 7, 15), 0, date(2024, 7, 20)),
        (date(2023, 7, 20), date(2024, 7, 20), 0, date(2024, 7, 20)),
        (date(2023, 7, 20), date(2024, 7, 15), 1, date(2025, 7, 20)),
        (date(2024, 2, 29), date(2025, 2, 1), 0, date(2025, 2, 28)),
        (date(2024, 2, 29), date(2027, 12, 1), 2, date(2028, 2, 29)),
    ],
)
def test_on_the_anniversary(first_day: date, notice: date, months: int, expected: date) -> None:
    clause = replace(CLAUSE, notice_months=months, takes_effect=TakesEffect.ANNIVERSARY)
    assert effective_day(clause, first_day, notice) == expected


_days = st.dates(date(2000, 1, 1), date(2080, 12, 31))


@given(_days, st.integers(0, 24), _days)
def test_the_tenant_has_the_whole_notice(notice: date, months: int, first_day: date) -> None:
    clause = Clause(MARCH, notice_months=months)
    on = effective_day(clause, first_day, notice)
    assert on.day == 1
    assert add_months(notice, months) < on <= add_months(notice, months + 1)
    clause = replace(clause, takes_effect=TakesEffect.ANNIVERSARY)
    on = effective_day(clause, first_day, notice)
    assert on >= add_months(notice, months)
    assert on == add_months(first_day, 12 * (on.year - first_day.year))
    if on.year > max(first_day.year, add_months(notice, months).year):
        before = add_months(first_day, 12 * (on.year - 1 - first_day.year))
        assert before < add_months(notice, months)


def test_it_takes_the_newest_value_that_was_published_by_the_notice() -> None:
    found = reckon()
    assert found == Indexation(VALUES[0], VALUES[2], RENT[0], 104_267, NOTICE, date(2027, 6, 1))
    earlier = reckon(date(2027, 4, 12))
    assert isinstance(earlier, Indexation)
    assert (earlier.new.value, earlier.new_rent) == (116_900, 103_911)


def test_a_correction_counts_from_its_publication_and_never_backwards() -> None:
    values = [*VALUES, replace(VALUES[0], id=9, value=112_600, published_on=date(2027, 5, 2))]
    assert reckon(values=values) == reckon()
    corrected = reckon(date(2027, 5, 2), values=values)
    assert isinstance(corrected, Indexation)
    assert corrected.base.value == 112_600
    # What the last indexation ended with is the base, whatever was published of it since.
    kept = reckon(date(2027, 5, 2), values=values, clause=replace(CLAUSE, base=VALUES[0]))
    assert isinstance(kept, Indexation)
    assert kept.base == VALUES[0]


def test_a_rent_holds_for_a_year() -> None:
    steps = (*RENT, Step(date(2026, 7, 1), 105_000))
    assert why(reckon(steps=steps)) == (Why.HELD, date(2027, 7, 1))
    may = reckon(date(2027, 5, 31), steps=steps)
    assert isinstance(may, Indexation)
    assert (may.old_rent, may.effective_from) == (105_000, date(2027, 7, 1))
    assert isinstance(reckon(steps=steps, clause=replace(CLAUSE, hold_months=0)), Indexation)
    since = replace(CLAUSE, unchanged_since=date(2026, 9, 1))
    assert why(reckon(clause=since)) == (Why.HELD, date(2027, 9, 1))


def test_of_two_rents_of_a_day_the_later_recorded_counts() -> None:
    typed_wrong = (*RENT, Step(date(2027, 1, 1), 120_000), Step(date(2027, 1, 1), 100_000))
    found = reckon(steps=typed_wrong)
    assert isinstance(found, Indexation)
    assert found.old_rent == 100_000


def test_rent_free_days_between_do_not_change_a_rent() -> None:
    steps = (*RENT, Step(date(2026, 12, 1), 0), Step(date(2027, 1, 1), 100_000))
    assert unchanged_since(steps) == date(2026, 4, 1)
    assert isinstance(reckon(steps=steps), Indexation)
    assert why(reckon(steps=steps[:2])) == (Why.RENT_FREE, date(2026, 12, 1))
    assert unchanged_since((Step(MARCH, 0),)) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"values": VALUES[1:]}, (Why.NO_BASE, MARCH)),
        ({"values": VALUES[:1]}, (Why.NO_NEWER, MARCH)),
        ({"days": Days(date(2027, 8, 1))}, (Why.NOT_BEGUN, date(2027, 8, 1))),
        (
            {"days": replace(BEGAN, ended_on=date(2027, 5, 31))},
            (Why.ENDS, date(2027, 5, 31)),
        ),
        ({"days": replace(BEGAN, last_day=NOTICE)}, (Why.ENDS, NOTICE)),
        (
            {"days": replace(BEGAN, last_day=date(2027, 3, 31), stops=True)},
            (Why.ENDS, date(2027, 3, 31)),
        ),
        ({"steps": (*RENT, Step(date(2027, 7, 1), 1))}, (Why.COMING, date(2027, 7, 1))),
        ({"clause": replace(CLAUSE, threshold=5_000)}, (Why.THRESHOLD, date(2027, 3, 1))),
        ({"steps": (Step(date(2026, 4, 1), 5),)}, (Why.SAME, date(2027, 3, 1))),
    ],
)
def test_why_a_rent_stays_as_it_is(changes: dict[str, object], expected: tuple[Why, date]) -> None:
    assert why(reckon(**changes)) == expected


def test_a_lease_that_holds_over_is_indexed() -> None:
    assert isinstance(reckon(days=replace(BEGAN, last_day=date(2027, 3, 31))), Indexation)


def test_a_threshold_that_is_reached_counts() -> None:
    # 112.5 to 117.3 is 4.267 per cent; of 100 to 105 exactly 5.
    values = published(("2026-03", "100", "2026-04-14"), ("2027-03", "105", "2027-04-13"))
    five = replace(CLAUSE, threshold=5_000)
    assert isinstance(reckon(clause=five, values=values), Indexation)
    assert why(reckon(clause=replace(five, threshold=5_001), values=values))[0] is Why.THRESHOLD


def test_an_index_that_fell_lets_the_rent_fall_unless_agreed_otherwise() -> None:
    values = published(("2026-03", "117.3", "2026-04-14"), ("2027-03", "112.5", "2027-04-13"))
    found = reckon(values=values)
    assert isinstance(found, Indexation)
    assert found.new_rent == 95_908
    assert why(reckon(values=values, clause=replace(CLAUSE, up_only=True)))[0] is Why.FELL


def test_the_same_quarter_of_each_year_as_in_france() -> None:
    values = published(
        ("2023-04", "140.59", "2023-07-13"),
        ("2024-01", "143.46", "2024-04-12"),
        ("2024-04", "145.17", "2024-07-12"),
        ("2024-07", "144.51", "2024-10-15"),
    )
    clause = Clause(
        date(2023, 4, 1),
        notice_months=0,
        takes_effect=TakesEffect.ANNIVERSARY,
        same_month=True,
    )
    days, steps = Days(date(2023, 7, 20)), (Step(date(2023, 7, 20), 60_000),)
    found = indexation_of(
        clause, days, steps, known_on(values, date(2024, 7, 15)), date(2024, 7, 15)
    )
    assert isinstance(found, Indexation)
    assert (found.new_rent, found.effective_from) == (61_955, date(2024, 7, 20))
    late = indexation_of(
        clause, days, steps, known_on(values, date(2024, 11, 1)), date(2024, 11, 1)
    )
    assert isinstance(late, Indexation)
    assert late.new.value == 145_170
    early = indexation_of(clause, days, steps, known_on(values, date(2024, 7, 1)), date(2024, 7, 1))
    assert why(early) == (Why.NO_NEWER, date(2023, 4, 1))


@given(st.integers(0, 700), st.integers(0, 3), st.integers(0, 24))
def test_what_is_indexed_was_announced_in_time_and_had_held(
    days_on: int, notice_months: int, hold_months: int
) -> None:
    clause = replace(CLAUSE, notice_months=notice_months, hold_months=hold_months)
    notice = date(2026, 5, 1) + timedelta(days=days_on)
    found = reckon(notice, clause=clause)
    if isinstance(found, Indexation):
        assert found.effective_from > add_months(notice, notice_months)
        assert found.effective_from >= add_months(RENT[0].first_day, hold_months)
        assert found.new.published_on <= notice
        assert found.base.month < found.new.month
