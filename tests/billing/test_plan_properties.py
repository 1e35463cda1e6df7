"""What must hold of every plan, whatever the terms."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from proman.base.money import round_half_away
from proman.base.period import Period
from proman.billing.billed import Billed, Extent, Span
from proman.billing.due import covered_by
from proman.billing.reckoning import charge_item, portions, rent_item, share
from proman.billing.rules import Plan, plain, plan
from proman.leases.periods import full_period
from proman.leases.rules import (
    ChargeTerms,
    DueRule,
    Frequency,
    HoldingOver,
    LeaseTerms,
    Periods,
    Proration,
    RentChange,
    RentStep,
    Timing,
)

FIRST = date(2024, 1, 1)
DAYS = st.integers(0, 900).map(lambda days: FIRST + timedelta(days=days))
STEPS = st.lists(
    st.builds(
        RentStep,
        DAYS,
        st.integers(0, 500_000),
        st.sampled_from(RentChange),
        st.sampled_from([0, 19000]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda step: step.first_day,
).map(lambda steps: tuple(sorted(steps, key=lambda step: step.first_day)))
CHARGES = st.lists(
    st.builds(
        lambda id_, first, length, amount: ChargeTerms(
            id_,
            "parking",
            "Parking",
            amount,
            first,
            None if length is None else first + timedelta(days=length),
        ),
        st.integers(1, 9),
        DAYS,
        st.none() | st.integers(0, 400),
        st.integers(0, 50_000),
    ),
    max_size=2,
    unique_by=lambda charge: charge.charge_id,
).map(tuple)
RULES = st.sampled_from(["day:1", "day:31", "workday:3", "day:25:before", "day:5:after"])


@st.composite
def leases(draw: st.DrawFn) -> LeaseTerms:
    """Any lease: every frequency, with or without ends, changes, charges and a cut-over."""
    first = draw(DAYS)
    last = first + timedelta(days=draw(st.integers(0, 500)))
    following = last + timedelta(days=draw(st.integers(1, 90)))
    return LeaseTerms(
        lease_id=1,
        first_day=first,
        last_day=draw(st.none() | st.just(last)),
        ended_on=draw(st.none() | st.just(first + timedelta(days=draw(st.integers(0, 500))))),
        next_lease_first_day=draw(st.none() | st.just(following)),
        cut_over=draw(st.none() | DAYS),
        frequency=draw(st.sampled_from(Frequency)),
        periods=draw(st.sampled_from(Periods)),
        timing=draw(st.sampled_from(Timing)),
        due_rule=DueRule.parse(draw(RULES)),
        proration=draw(st.sampled_from(Proration)),
        holding_over=draw(st.sampled_from(HoldingOver)),
        rents=draw(STEPS),
        charges=draw(CHARGES),
        country="DE",
    )


def spans(*plans: Plan) -> list[Span]:
    return [span for p in plans for invoice in p.invoices for span in invoice.billed]


@settings(deadline=None)
@given(leases(), DAYS)
def test_what_was_issued_is_never_issued_again(terms: LeaseTerms, as_of: date) -> None:
    found = plan(terms, as_of=as_of)
    assert plan(terms, as_of=as_of, billed=Billed.of(spans(found))).invoices == ()


@settings(deadline=None)
@given(leases(), DAYS, DAYS)
def test_runs_on_the_way_bill_the_same_as_one_at_the_end(
    terms: LeaseTerms, one: date, other: date
) -> None:
    """Where nothing but the days goes by, catching up and keeping up come to the same."""
    early, late = min(one, other), max(one, other)
    first = plan(terms, as_of=early)
    second = plan(terms, as_of=late, billed=Billed.of(spans(first)))
    whole = plan(terms, as_of=late)
    assert sorted(spans(first, second)) == sorted(spans(whole))

    def lines(*plans: Plan) -> list[tuple[date, int, date, int]]:
        return sorted(
            (i.due_date, line.charge_id, line.first_day, line.net + line.tax * line.gross)
            for p in plans
            for i in p.invoices
            for line in i.lines
        )

    assert lines(first, second) == lines(whole)


@settings(deadline=None)
@given(leases(), DAYS)
def test_an_invoices_totals_are_the_sum_of_what_is_printed(terms: LeaseTerms, as_of: date) -> None:
    for invoice in plan(terms, as_of=as_of).invoices:
        assert invoice.net == sum(line.net for line in invoice.lines)
        assert invoice.tax == sum(line.tax for line in invoice.lines)
        assert invoice.total > 0
        assert all(line.net > 0 for line in invoice.lines)
        assert invoice.first_day == min(line.first_day for line in invoice.lines)


@settings(deadline=None)
@given(leases(), DAYS)
def test_no_day_is_billed_twice_nor_outside_the_lease(terms: LeaseTerms, as_of: date) -> None:
    seen: set[tuple[int, date]] = set()
    end = terms.ended_on
    for invoice in plan(terms, as_of=as_of).invoices:
        assert invoice.due_date >= terms.first_day
        for line in invoice.lines:
            days = {(line.charge_id, day) for day in Period(line.first_day, line.last_day)}
            assert not days & seen
            seen |= days
            assert line.first_day >= terms.first_day
            assert end is None or line.last_day <= end


@settings(deadline=None)
@given(leases(), DAYS)
def test_due_dates_are_one_an_invoice_and_in_order(terms: LeaseTerms, as_of: date) -> None:
    dues = [invoice.due_date for invoice in plan(terms, as_of=as_of).invoices]
    assert dues == sorted(set(dues))
    assert all(due - timedelta(days=terms.lead_days) <= as_of for due in dues)


@settings(deadline=None)
@given(leases(), DAYS, DAYS)
def test_the_extents_alone_tell_the_same_as_all_spans(
    terms: LeaseTerms, one: date, other: date
) -> None:
    billed = spans(plan(terms, as_of=min(one, other)))
    extents = {
        charge_id: Extent(
            min(s.first for s in billed if s.charge_id == charge_id),
            max(s.last for s in billed if s.charge_id == charge_id),
            sum(s.days for s in billed if s.charge_id == charge_id),
        )
        for charge_id in {s.charge_id for s in billed}
    }
    covered = covered_by(terms, extents)
    if covered is not None:
        late = max(one, other)
        known = plan(terms, as_of=late, billed=Billed.of(billed))
        assert plan(terms, as_of=late, billed=covered) == known


@settings(deadline=None)
@given(leases(), st.integers(0, 30), st.integers(0, 60), st.integers(0, 60))
def test_split_parts_come_to_the_rounded_whole(
    terms: LeaseTerms, index: int, cut_first: int, cut_last: int
) -> None:
    full = full_period(terms, index)
    first = min(max(full.first, terms.first_day) + timedelta(days=cut_first), full.last)
    last = max(full.last - timedelta(days=cut_last), first)
    part = share(terms, full, first, last)
    assert Fraction(part.numerator, part.denominator) <= 1
    for item in [rent_item(terms), *(charge_item(c) for c in terms.charges)]:
        lines = portions(terms, item, full, first, last, plain)
        days = (last - first).days + 1
        exact = sum(
            line.step.amount * part.numerator * ((line.last - line.first).days + 1)
            for line in lines
        )
        assert sum(line.amount for line in lines) == round_half_away(exact, part.denominator * days)
        assert all(line.amount > 0 for line in lines)


@settings(deadline=None)
@given(leases(), DAYS)
def test_a_whole_period_is_the_agreed_amount(terms: LeaseTerms, as_of: date) -> None:
    steady = replace(terms, rents=(RentStep(FIRST, 123_457),), charges=())
    for invoice in plan(steady, as_of=as_of).invoices:
        for line in invoice.lines:
            if "whole period" in line.explanation:
                assert line.net == 123_457
            assert line.net <= 123_457
