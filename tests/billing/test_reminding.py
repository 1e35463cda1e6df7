"""When a document is reminded of: worked examples, and what holds on whichever day one looks."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.billing.reminding import (
    USUAL,
    Level,
    Overdue,
    check_order,
    filled_in,
    letter_for,
    next_level,
)

OCTOBER = date(2027, 10, 1)


def level(number: int, days: int, minimum: int = 0) -> Level:
    return Level(number, days, 7, f"Reminder {number}", "Dear {names}", minimum)


STEPS = (level(1, 7), level(2, 21), level(3, 35))


def reached(document: Overdue, day: date) -> int:
    found = next_level(STEPS, document, day)
    return found.level if found else 0


def test_the_first_comes_on_its_day_and_stays_due_until_it_is_made() -> None:
    document = Overdue(1, OCTOBER, 100_000)
    assert reached(document, date(2027, 10, 7)) == 0
    assert reached(document, date(2027, 10, 8)) == 1
    assert reached(document, date(2028, 3, 1)) == 1


def test_the_second_keeps_its_distance_from_a_first_that_was_late() -> None:
    in_time = Overdue(1, OCTOBER, 100_000, 1, date(2027, 10, 8))
    assert (reached(in_time, date(2027, 10, 21)), reached(in_time, date(2027, 10, 22))) == (0, 2)
    late = Overdue(1, OCTOBER, 100_000, 1, date(2027, 10, 20))
    assert (reached(late, date(2027, 11, 2)), reached(late, date(2027, 11, 3))) == (0, 2)


def test_what_was_issued_late_counts_from_its_issue() -> None:
    late = Overdue(1, OCTOBER, 100_000, issued_on=date(2027, 10, 15))
    assert (reached(late, date(2027, 10, 21)), reached(late, date(2027, 10, 22))) == (0, 1)
    early = Overdue(1, OCTOBER, 100_000, issued_on=date(2027, 9, 26))
    assert (reached(early, date(2027, 10, 7)), reached(early, date(2027, 10, 8))) == (0, 1)


def test_after_the_last_level_nothing_follows() -> None:
    assert reached(Overdue(1, OCTOBER, 100_000, 3, date(2027, 11, 5)), date(2029, 1, 1)) == 0


def test_a_letter_holds_all_that_is_overdue_at_the_highest_level_reached() -> None:
    documents = [
        Overdue(3, date(2027, 11, 1), 80_000),
        Overdue(1, date(2027, 9, 1), 100_000, 1, date(2027, 9, 8)),
        Overdue(2, OCTOBER, 90_000),
    ]
    letter = letter_for(STEPS, 7, documents, 0, date(2027, 11, 2))
    assert letter is not None
    assert (letter.level.level, letter.total) == (2, 270_000)
    assert [(item.invoice_id, item.level) for item in letter.items] == [(1, 2), (2, 1), (3, 0)]


def test_nobody_is_asked_for_what_credit_covers_or_for_less_than_the_least() -> None:
    documents = [Overdue(1, OCTOBER, 5_000)]
    day = date(2027, 10, 8)
    assert letter_for(STEPS, 7, documents, 5_000, day) is None
    assert letter_for(STEPS, 7, documents, 4_999, day) is not None
    assert letter_for([level(1, 7, minimum=5_001)], 7, documents, 0, day) is None
    assert letter_for([level(1, 7, minimum=5_000)], 7, documents, 0, day) is not None


def test_what_cannot_be_is_refused_beside_its_field() -> None:
    for values, field in (
        ((1, 0, 7, "a", "b"), "days"),
        ((1, 366, 7, "a", "b"), "days"),
        ((1, 7, 0, "a", "b"), "pay_within"),
        ((1, 7, 7, " ", "b"), "title"),
        ((1, 7, 7, "a", " "), "text"),
        ((1, 7, 7, "a", "Dear {name}"), "text"),
        ((1, 7, 7, "a", "b", -1), "minimum"),
    ):
        with pytest.raises(Refused) as refused:
            Level(*values)
        assert refused.value.field == field
    with pytest.raises(Refused) as refused:
        check_order([level(1, 7), level(3, 7)])
    assert refused.value.field == "level_3-days"


def test_the_usual_texts_say_who_how_much_until_when_and_what_to_quote() -> None:
    values = {"names": "Zoë", "total": "€5.00", "pay_by": "8 May", "reference": "L-1"}
    for usual in USUAL:
        text = filled_in(usual.text, values)
        assert all(value in text for value in values.values())
        assert "{" not in text
    check_order(USUAL)


days = st.integers(0, 120)


@given(st.lists(days, min_size=1, max_size=40))
def test_no_level_is_left_out_and_none_follows_too_soon(looks: list[int]) -> None:
    """Somebody looks on any days and makes what is due: the levels come one by one, spaced."""
    document, made = Overdue(1, OCTOBER, 100_000), []
    for offset in sorted(looks):
        day = OCTOBER + timedelta(days=offset)
        found = next_level(STEPS, document, day)
        if found is not None:
            made.append((found.level, day))
            document = Overdue(1, OCTOBER, 100_000, found.level, day)
    assert [number for number, _ in made] == list(range(1, len(made) + 1))
    for number, day in made:
        assert day >= OCTOBER + timedelta(days=STEPS[number - 1].days)
    for (_, before), (_, after) in pairwise(made):
        assert (after - before).days >= 14


@given(st.lists(days, min_size=1, max_size=40))
def test_looking_without_making_changes_nothing(looks: list[int]) -> None:
    document = Overdue(1, OCTOBER, 100_000)
    found = [next_level(STEPS, document, OCTOBER + timedelta(days=offset)) for offset in looks]
    assert found == [STEPS[0] if offset >= 7 else None for offset in looks]
