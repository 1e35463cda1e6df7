"""Late fees from the facts alone: the worked examples, and any order of payments and runs."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.billing.late import (
    NO_FEE,
    LateInvoice,
    LatePolicy,
    Settled,
    change_due,
    fee_part,
    fee_through,
    rate_text,
)
from proman.billing.settling import Move

DUE = date(2026, 10, 1)
ISSUED = date(2026, 9, 26)
FIVE_PER_CENT = LatePolicy(grace_days=3, rate=5_000)


def october(day: int) -> date:
    return DUE + timedelta(days=day - 1)


def rent(*moves: tuple[int, int], total: int = 100_000, issued: date = ISSUED) -> LateInvoice:
    return LateInvoice(
        DUE, issued, (Move(issued, total), *(Move(october(day), amount) for day, amount in moves))
    )


def test_the_example_of_the_rules() -> None:
    invoice = rent((3, -40_000))
    assert FIVE_PER_CENT.charged_from(DUE, ISSUED) == october(5)
    assert fee_through(FIVE_PER_CENT, invoice, october(4)) == NO_FEE
    fee = fee_through(FIVE_PER_CENT, invoice, october(5))
    assert (fee.amount, fee.formula) == (3_000, "5 % of 600.00 = 30.00")
    assert fee_through(FIVE_PER_CENT, invoice, october(28)) == fee


def test_what_is_recorded_later_takes_back_and_what_is_received_later_does_not() -> None:
    charged = Settled(3_000, october(5))
    backdated = change_due(FIVE_PER_CENT, rent((3, -40_000), (4, -30_000)), charged, october(9))
    assert backdated is not None
    assert (backdated.amount, backdated.fee.formula) == (-1_500, "5 % of 300.00 = 15.00")
    received_late = rent((3, -40_000), (5, -30_000))
    assert change_due(FIVE_PER_CENT, received_late, charged, october(9)) is None


def test_a_caught_up_invoice_counts_from_its_issue() -> None:
    invoice = rent(issued=october(20))
    assert fee_through(FIVE_PER_CENT, invoice, october(23)) == NO_FEE
    assert fee_through(FIVE_PER_CENT, invoice, october(24)).amount == 5_000


def test_what_was_paid_late_before_anybody_ran_bears_its_fee_all_the_same() -> None:
    change = change_due(FIVE_PER_CENT, rent((6, -100_000)), Settled(0, None), october(30))
    assert change is not None
    assert change.amount == 5_000


@pytest.mark.parametrize(
    ("amount", "days", "rate", "expected"),
    [(150_000, 5, 1_000, 7_500), (110_000, 10, 2_000, 22_000)],
)
def test_the_published_examples_of_a_daily_rate(
    amount: int, days: int, rate: int, expected: int
) -> None:
    """From https://calculator.academy/late-rent-calculator/: $1,500, 5 days at 1 % a day: $75;
    $1,100, 10 days at 2 % a day: $220."""
    policy = LatePolicy(grace_days=0, rate=rate, daily=True)
    fee = fee_through(policy, rent(total=amount), DUE + timedelta(days=days))
    assert fee.amount == expected


def test_daily_goes_by_what_was_open_each_day_and_is_rounded_once() -> None:
    policy = LatePolicy(grace_days=3, rate=33, daily=True)
    fee = fee_through(policy, rent((6, -70_000)), october(8))
    assert fee.formula == "0.033 % of (1000.00 × 2 days + 300.00 × 2 days) = 0.86"
    assert fee.amount == 86


def test_flat_once_and_daily() -> None:
    once = LatePolicy(grace_days=3, flat=1_000)
    assert fee_through(once, rent(), october(30)).formula == "10.00 on 1000.00 open"
    daily = LatePolicy(grace_days=3, flat=1_000, cap=2_500, daily=True)
    fee = fee_through(daily, rent(), october(7))
    assert (fee.amount, fee.formula) == (2_500, "10.00 × 3 days = 30.00, at most 25.00")


def test_a_balance_below_the_minimum_bears_nothing() -> None:
    policy = LatePolicy(grace_days=3, flat=1_000, minimum=5_000)
    assert fee_through(policy, rent((2, -95_001)), october(9)) == NO_FEE
    assert fee_through(policy, rent((2, -95_000)), october(9)).amount == 1_000


def test_a_fee_bears_no_fee() -> None:
    part = fee_part([("rent", 100_000), ("fee", 2_000), ("late_fee", 3_000)])
    invoice = LateInvoice(DUE, ISSUED, (Move(ISSUED, 105_000),), part)
    assert fee_through(FIVE_PER_CENT, invoice, october(5)).amount == 5_000


def test_a_waived_fee_is_not_charged_again() -> None:
    assert change_due(FIVE_PER_CENT, rent(), Settled(5_000, october(5)), october(30)) is None


def test_many_changes_are_told_as_one_sum() -> None:
    policy = LatePolicy(grace_days=3, rate=1_000, daily=True)
    invoice = rent(*((day, -10_000) for day in range(5, 10)))
    fee = fee_through(policy, invoice, october(10))
    assert fee.formula == "1 % of 4500.00 (the open amounts of 6 days) = 45.00"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"grace_days": -1, "flat": 1}, "grace_days"),
        ({"grace_days": 366, "flat": 1}, "grace_days"),
        ({"grace_days": 3}, "amount"),
        ({"grace_days": 3, "flat": 1, "rate": 1}, "amount"),
        ({"grace_days": 3, "flat": -1, "rate": 1}, "amount"),
        ({"grace_days": 3, "rate": 100_001}, "amount"),
        ({"grace_days": 3, "flat": 1, "minimum": -1}, "minimum"),
        ({"grace_days": 3, "flat": 1, "cap": -1}, "cap"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_at_its_field(
    values: dict[str, int], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        LatePolicy(**values)
    assert refusal.value.field == field


def test_rates_are_written_as_one_writes_them() -> None:
    assert [rate_text(rate) for rate in (5_000, 8_875, 33, 100_000)] == [
        "5",
        "8.875",
        "0.033",
        "100",
    ]


DAYS = st.integers(-10, 60)
POLICIES = st.builds(
    lambda grace, flat, amount, minimum, cap, daily: LatePolicy(
        grace, amount if flat else 0, 0 if flat else amount, minimum, cap, daily
    ),
    st.integers(0, 15),
    st.booleans(),
    st.integers(1, 20_000),
    st.integers(0, 60_000),
    st.sampled_from([0, 1, 999, 50_000]),
    st.booleans(),
)
PAYMENTS = st.lists(st.tuples(DAYS, st.integers(-30_000, 15_000).filter(bool)), max_size=8)


def day_by_day(policy: LatePolicy, invoice: LateInvoice, through: date) -> int:
    """The rule as a clerk would do it: each evening's open amount, one day after another."""
    day = max(invoice.due_date, invoice.issue_date) + timedelta(days=policy.grace_days + 1)
    thousandths = 0
    while day <= through:
        evening = sum(move.amount for move in invoice.moves if move.day < day)
        base = evening - invoice.fee_part
        if base > 0 and base >= policy.minimum:
            thousandths += policy.flat * 100_000 + policy.rate * base
        if not policy.daily:
            break
        day += timedelta(days=1)
    fee = (2 * thousandths + 100_000) // 200_000
    return min(fee, policy.cap) if policy.cap else fee


@given(POLICIES, PAYMENTS, DAYS, st.integers(0, 3_000), DAYS)
def test_the_fee_is_what_a_clerk_reckons_day_by_day(
    policy: LatePolicy, payments: list[tuple[int, int]], issued: int, part: int, asked: int
) -> None:
    issue = october(issued)
    moves = tuple(Move(october(day), amount) for day, amount in payments)
    invoice = LateInvoice(DUE, issue, (Move(issue, 100_000), *moves), part)
    assert fee_through(policy, invoice, october(asked)).amount == day_by_day(
        policy, invoice, october(asked)
    )


@given(
    POLICIES, st.lists(st.one_of(DAYS, st.tuples(DAYS, st.integers(-30_000, 15_000).filter(bool))))
)
def test_any_runs_between_any_payments_end_where_the_facts_are(
    policy: LatePolicy, story: list[int | tuple[int, int]]
) -> None:
    """A run on any day, late, twice or as of an earlier day; payments of any day."""
    known: list[Move] = [Move(ISSUED, 100_000)]
    settled = Settled(0, None)
    last = october(61)
    for event in (*story, 61, 61):
        if isinstance(event, tuple):
            known.append(Move(october(event[0]), event[1]))
            continue
        invoice = LateInvoice(DUE, ISSUED, tuple(known))
        change = change_due(policy, invoice, settled, october(event))
        if change is not None:
            settled = Settled(settled.amount + change.amount, change.through)
    facts = LateInvoice(DUE, ISSUED, tuple(sorted(known)))
    assert settled.amount == day_by_day(policy, facts, last)
    assert change_due(policy, facts, settled, last) is None
