from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proman.billing.billed import Billed
from proman.billing.corrections import CreditLine, IssuedLine, credit_for_ending, full_credit
from proman.billing.rules import Plan, plan
from proman.billing.tax import Taxed
from proman.leases.rules import (
    ChargeTerms,
    HoldingOver,
    LeaseStatus,
    LeaseTerms,
    Proration,
    Recurrence,
    RentStep,
)

FIRST = date(2027, 1, 1)


def lease(**changes: Any) -> LeaseTerms:
    return replace(LeaseTerms(1, FIRST, rents=(RentStep(FIRST, 100000),)), **changes)


def issued(found: Plan) -> list[IssuedLine]:
    lines = [(at, line) for at, i in enumerate(found.invoices, 1) for line in i.lines]
    return [
        IssuedLine(
            number,
            at,
            line.charge_id,
            line.kind,
            line.description,
            line.first_day,
            line.last_day,
            line.net,
            line.tax_rate,
            line.tax,
            line.gross,
            line.period_amount,
        )
        for number, (at, line) in enumerate(lines, 1)
    ]


def totals(credits: list[CreditLine]) -> list[int]:
    return [credit.total for credit in credits]


@pytest.mark.parametrize(
    ("proration", "amounts"),
    [
        (Proration.ACTUAL, [50000]),
        (Proration.FIXED_30, [50000]),
        (Proration.DAYS_365, [50685]),
        (Proration.NONE, []),
    ],
)
def test_november_with_the_last_day_on_the_15th(proration: Proration, amounts: list[int]) -> None:
    terms = lease(proration=proration)
    lines = issued(plan(terms, as_of=date(2027, 11, 1)))
    credits = credit_for_ending(terms, date(2027, 11, 15), lines)
    assert totals(credits) == amounts
    for credit in credits:
        assert credit.first_day == date(2027, 11, 16)
        assert credit.last_day == date(2027, 11, 30)


def test_the_credit_says_how_it_came_about() -> None:
    terms = lease()
    lines = issued(plan(terms, as_of=date(2027, 11, 1)))
    (credit,) = credit_for_ending(terms, date(2027, 11, 15), lines)
    assert credit.explanation == (
        "1000.00 issued less 1000.00 × 15/30 days = 500.00 for the days to 15 November 2027"
        " = 500.00"
    )


def test_periods_after_the_end_are_credited_whole_and_one_offs_stay() -> None:
    fee = ChargeTerms(5, "fee", "Key", 2500, date(2027, 11, 28), recurrence=Recurrence.ONCE)
    terms = lease(charges=(fee,))
    lines = issued(plan(terms, as_of=date(2027, 12, 1)))
    credits = credit_for_ending(terms, date(2027, 11, 15), lines)
    assert totals(credits) == [50000, 100000]


def test_a_later_change_of_rent_does_not_alter_the_credit() -> None:
    terms = lease()
    lines = issued(plan(terms, as_of=date(2027, 11, 1)))
    changed = replace(terms, rents=(*terms.rents, RentStep(date(2027, 11, 1), 110000)))
    assert totals(credit_for_ending(changed, date(2027, 11, 15), lines)) == [50000]


def test_a_split_period_gives_back_its_last_days_first() -> None:
    steps = (RentStep(FIRST, 100000), RentStep(date(2027, 4, 17), 110000))
    terms = lease(rents=steps)
    lines = issued(plan(terms, as_of=date(2027, 4, 1)))
    assert totals(credit_for_ending(terms, date(2027, 4, 20), lines)) == [36667]
    assert totals(credit_for_ending(terms, date(2027, 4, 10), lines)) == [20000, 51334]


def test_tax_goes_with_the_line_and_what_was_credited_is_not_credited_again() -> None:
    terms = lease(rents=(RentStep(FIRST, 10005, tax_rate=19000),))
    (line,) = issued(plan(terms, as_of=FIRST))
    (part,) = credit_for_ending(terms, date(2027, 1, 15), [line])
    assert (part.net, part.tax) == (5164, 981)
    rest = full_credit([line._replace(credited=Taxed(part.net, part.tax))])
    assert [(c.net, c.tax) for c in rest] == [(10005 - 5164, 1901 - 981)]
    assert full_credit([line._replace(credited=Taxed(line.net, line.tax))]) == []


def test_a_lease_that_stops_gives_nothing_back_for_days_never_billed() -> None:
    terms = lease(last_day=date(2027, 11, 15), holding_over=HoldingOver.STOP)
    lines = issued(plan(terms, as_of=date(2027, 12, 20)))
    assert credit_for_ending(terms, date(2027, 12, 10), lines) == []


@settings(deadline=None)
@given(
    st.integers(0, 40),
    st.integers(1, 400),
    st.integers(0, 400),
    st.sampled_from(Proration),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 300_000), st.booleans()), max_size=3),
    st.none() | st.integers(20, 300),
)
def test_after_an_ending_the_books_stand_as_if_it_had_been_known(
    offset: int,
    run_after: int,
    end_after: int,
    proration: Proration,
    changes: list[tuple[int, int, bool]],
    agreed: int | None,
) -> None:
    """Issued less credited, and billed on to the end, is what a lease known to end there bears.

    Only where a method weighs the days of a split differently may a short stay have come cheaper.
    """
    first = FIRST + timedelta(days=offset)
    steps = {first: RentStep(first, 100_000)}
    for days, amount, gross in changes:
        day = first + timedelta(days=days)
        steps[day] = RentStep(day, amount, tax_rate=19000, gross=gross)
    terms = LeaseTerms(
        1,
        first,
        first + timedelta(days=agreed) if agreed else None,
        proration=proration,
        rents=tuple(steps[day] for day in sorted(steps)),
    )
    run = first + timedelta(days=run_after)
    ended_on = first + timedelta(days=end_after)
    ended = replace(terms, ended_on=ended_on, status=LeaseStatus.ENDED)
    late = max(run, ended_on) + timedelta(days=60)
    first_run = plan(terms, as_of=run)
    before, known = issued(first_run), issued(plan(ended, as_of=late))
    billed = Billed.of(span for invoice in first_run.invoices for span in invoice.billed)
    after = issued(plan(ended, as_of=late, billed=billed))
    credits = credit_for_ending(terms, ended_on, before)
    assert all(credit.net > 0 or credit.tax > 0 for credit in credits)
    taken = sum(c.net + (c.tax if c.of.gross else 0) for c in credits)

    def amount(lines: list[IssuedLine]) -> int:
        return sum(line.amount for line in lines)

    left = amount(before) - taken + amount(after)
    assert left == amount(known) or (changes and proration is not Proration.ACTUAL)
    assert left <= amount(known), "what is issued is only ever lowered, to what it would have been"


@pytest.mark.parametrize("gross", [False, True])
def test_the_tax_of_a_credit_note_is_rounded_on_the_sum_of_a_rate(gross: bool) -> None:
    """Half of two lines of 66.71: 33.35 each; net they bear 12.67 together, alone 6.34 each."""
    parking = ChargeTerms(7, "parking", "Parking", 6671, FIRST, tax_rate=19000, gross=gross)
    rent = RentStep(FIRST, 6671, tax_rate=19000, gross=gross)
    terms = lease(rents=(rent,), charges=(parking,), proration=Proration.FIXED_30)
    lines = issued(plan(terms, as_of=FIRST))
    credits = credit_for_ending(terms, FIRST + timedelta(days=14), lines)
    amount = sum(credit.net + credit.tax * gross for credit in credits)
    assert amount == 2 * (6671 - 3336)
    assert sum(credit.tax for credit in credits) == (1065 if gross else 1267)
    assert [credit.tax for credit in credits] == ([532, 533] if gross else [634, 633])


def test_a_line_that_is_credited_whole_bears_the_tax_that_it_bore() -> None:
    """The last of three lines of 33.35 bears 6.33; parking begins after the last day."""
    half = FIRST + timedelta(days=15)
    charges = tuple(
        ChargeTerms(number, "parking", "Parking", amount, first, tax_rate=19000)
        for number, amount, first in [(7, 3335, FIRST), (8, 6461, half)]
    )
    terms = lease(rents=(RentStep(FIRST, 3335, tax_rate=19000),), charges=charges)
    lines = issued(plan(terms, as_of=FIRST))
    assert [(line.net, line.tax) for line in lines] == [(3335, 634), (3335, 634), (3335, 633)]
    credits = credit_for_ending(
        replace(terms, proration=Proration.NONE), FIRST + timedelta(14), lines
    )
    assert [(credit.net, credit.tax) for credit in credits] == [(3335, 633)]
