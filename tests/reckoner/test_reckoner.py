"""The worked examples of the rules, told to the second reckoning."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from tests.reckoner.books import Books, tax_of_note
from tests.reckoner.calendars import day_of_rule, full_periods, month_of
from tests.reckoner.taxes import taxes
from tests.reckoner.terms import Charge, Dated, DueRule, Lease

EPIPHANY = frozenset({date(2027, 1, 1), date(2027, 1, 6)})


def rent(*amounts: tuple[date, int]) -> Charge:
    dated = tuple(Dated(start, amount) for start, amount in amounts)
    return Charge("rent", dated)


def lease(first: date, amount: int = 1000_00, **terms: object) -> Lease:
    return Lease("A", first, (rent((first, amount)),), **terms)  # type: ignore[arg-type]


def issued(terms: Lease, as_of: date) -> list[tuple[date, list[int]]]:
    """Due dates and amounts of what a run issues."""
    made = Books({"A": terms}).run(as_of)
    return [(invoice.due, [line.amount for line in invoice.lines]) for invoice in made]


def test_day_31_stays_the_anchor() -> None:
    found = issued(lease(date(2027, 3, 17), due=DueRule(31)), date(2027, 5, 31))
    assert found == [
        (date(2027, 3, 31), [483_87]),
        (date(2027, 4, 30), [1000_00]),
        (date(2027, 5, 31), [1000_00]),
    ]
    months = [month_of(date(2028, month, 1)) for month in (1, 2, 3)]
    assert [day_of_rule(DueRule(31), month).day for month in months] == [31, 29, 31]


def test_nothing_is_due_before_the_first_day() -> None:
    assert issued(lease(date(2027, 3, 17)), date(2027, 3, 17))[0][0] == date(2027, 3, 17)


def test_anniversaries_are_reckoned_from_the_first_day() -> None:
    periods = full_periods(lease(date(2027, 1, 31), anniversary=True))
    assert [next(periods) for _ in range(3)] == [
        (date(2027, 1, 31), date(2027, 2, 27)),
        (date(2027, 2, 28), date(2027, 3, 30)),
        (date(2027, 3, 31), date(2027, 4, 29)),
    ]


@pytest.mark.parametrize(("holidays", "day"), [(frozenset({date(2027, 1, 1)}), 6), (EPIPHANY, 7)])
def test_third_working_day(holidays: frozenset[date], day: int) -> None:
    rule = DueRule(3, working=True, holidays=holidays)
    assert day_of_rule(rule, month_of(date(2027, 1, 1))) == date(2027, 1, day)


def test_a_month_with_fewer_working_days_takes_its_last() -> None:
    rule = DueRule(23, working=True)
    assert day_of_rule(rule, month_of(date(2027, 2, 1))) == date(2027, 2, 26)


@pytest.mark.parametrize(
    ("method", "cents"),
    [("actual", 483_87), ("fixed 30", 500_00), ("365", 493_15), ("none", 1000_00)],
)
def test_proration(method: str, cents: int) -> None:
    found = issued(lease(date(2027, 3, 17), method=method), date(2027, 3, 17))
    assert found[0][1] == [cents]


def test_a_change_inside_a_period_splits_it() -> None:
    charge = rent((date(2027, 1, 1), 1000_00), (date(2027, 4, 17), 1100_00))
    found = issued(Lease("A", date(2027, 4, 1), (charge,)), date(2027, 4, 1))
    assert found == [(date(2027, 4, 1), [533_33, 513_34])]


@pytest.mark.parametrize(("method", "cents"), [("actual", 500_00), ("365", 506_85)])
def test_ending_inside_an_issued_period(method: str, cents: int) -> None:
    books = Books(leases={"A": lease(date(2027, 11, 1), method=method)})
    books.run(date(2027, 11, 1))
    [credit] = books.end("A", date(2027, 11, 15), date(2027, 11, 10))
    assert credit.net == cents
    assert not books.run(date(2027, 12, 31))


def test_the_rest_after_the_agreed_last_day() -> None:
    books = Books(leases={"A": lease(date(2027, 11, 1), agreed_last=date(2027, 11, 15))})
    assert [line.amount for line in books.run(date(2027, 11, 15))[0].lines] == [500_00]
    [rest] = books.run(date(2027, 11, 16))
    assert (rest.due, rest.lines[0].amount) == (date(2027, 11, 16), 500_00)


def test_cut_over_by_anniversary_of_the_28th() -> None:
    terms = lease(date(2025, 5, 28), anniversary=True, cut_over=date(2027, 10, 31))
    books = Books(leases={"A": terms})
    assert not books.run(date(2027, 10, 26))
    [first] = books.run(date(2027, 10, 28))
    assert first.lines[0].start == date(2027, 11, 28)


def test_tax() -> None:
    rate = Fraction(19, 100)
    assert taxes([1000_00], rate, True) == [159_66]
    assert taxes([33_35, 33_35, 33_35], rate, False) == [6_34, 6_34, 6_33]


def test_partial_credits_and_the_last_takes_the_rest() -> None:
    rate = (Fraction(19, 100), False)
    assert [tax_of_note([(33_35, 100_05, 19_01)], rate) for _ in range(2)] == [6_34, 6_34]
    assert tax_of_note([(33_35, 33_35, 19_01 - 2 * 6_34)], rate) == 6_33
    assert tax_of_note([(33_35, 66_71, 12_67), (33_35, 66_71, 12_68)], rate) == 12_67


def test_the_rest_of_a_lengthened_lease_is_issued_when_it_is_near() -> None:
    terms = lease(date(2027, 11, 1), agreed_last=date(2027, 11, 25))
    books = Books(leases={"A": terms})
    assert [line.amount for line in books.run(date(2027, 11, 1))[0].lines] == [833_33]
    books.leases["A"] = replace(terms, agreed_last=date(2028, 5, 31))
    assert not books.run(date(2027, 11, 20))
    [rest] = books.run(date(2027, 11, 21))
    assert (rest.due, rest.lines[0].amount) == (date(2027, 11, 26), 166_67)


def test_a_run_catches_up_and_repeats_nothing() -> None:
    books = Books(leases={"A": lease(date(2027, 1, 1))})
    assert len(books.run(date(2027, 3, 27))) == 4  # due on 1 April, within five days
    assert not books.run(date(2027, 3, 27))
    assert {invoice.issued for invoice in books.invoices} == {date(2027, 3, 27)}
