from dataclasses import replace
from datetime import date

import pytest

from proman.base.errors import Refused
from proman.leases.rules import (
    DueRule,
    HoldingOver,
    LeaseState,
    LeaseStatus,
    LeaseTerms,
    billing_end,
    known_end,
    occupied_range,
    state,
)

TERMS = LeaseTerms(1, date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("day:1", DueRule(1)),
        ("day:31", DueRule(31)),
        ("workday:3:before", DueRule(3, True, -1)),
        ("day:15:after", DueRule(15, False, 1)),
    ],
)
def test_a_due_rule_is_written_as_it_is_read(text: str, rule: DueRule) -> None:
    assert DueRule.parse(text) == rule
    assert str(rule) == text


@pytest.mark.parametrize("text", ["", "day", "day:0", "day:32", "workday:24", "day:1:of", "1"])
def test_what_is_no_due_rule_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        DueRule.parse(text)
    assert refusal.value.field == "due_rule"


@pytest.mark.parametrize(
    ("changes", "on", "expected"),
    [
        ({"status": LeaseStatus.DRAFT}, date(2026, 5, 1), LeaseState.DRAFT),
        ({}, date(2025, 12, 31), LeaseState.UPCOMING),
        ({}, date(2026, 1, 1), LeaseState.ACTIVE),
        ({}, date(2026, 10, 1), LeaseState.ACTIVE),
        ({}, date(2026, 10, 2), LeaseState.EXPIRING),
        ({}, date(2026, 12, 31), LeaseState.EXPIRING),
        ({}, date(2027, 1, 1), LeaseState.HOLDING_OVER),
        ({"next_lease_first_day": date(2027, 3, 1)}, date(2027, 2, 28), LeaseState.HOLDING_OVER),
        ({"next_lease_first_day": date(2027, 3, 1)}, date(2027, 3, 1), LeaseState.ENDED),
        ({"last_day": None}, date(2040, 1, 1), LeaseState.ACTIVE),
        (
            {"status": LeaseStatus.ENDED, "ended_on": date(2026, 5, 31)},
            date(2026, 5, 31),
            LeaseState.EXPIRING,
        ),
        (
            {"status": LeaseStatus.ENDED, "ended_on": date(2026, 5, 31)},
            date(2026, 6, 1),
            LeaseState.ENDED,
        ),
    ],
)
def test_what_a_lease_is_on_a_day(changes: dict, on: date, expected: LeaseState) -> None:
    assert state(replace(TERMS, **changes), on) is expected


def test_a_leases_range_ends_when_it_ended_else_as_agreed() -> None:
    assert occupied_range(TERMS) == (date(2026, 1, 1), date(2026, 12, 31))
    early = replace(TERMS, ended_on=date(2026, 5, 31))
    assert occupied_range(early) == (date(2026, 1, 1), date(2026, 5, 31))
    late = replace(TERMS, ended_on=date(2027, 2, 14))
    assert occupied_range(late) == (date(2026, 1, 1), date(2027, 2, 14))
    assert occupied_range(replace(TERMS, last_day=None)) == (date(2026, 1, 1), None)


def test_billing_goes_on_until_something_ends_the_lease() -> None:
    assert billing_end(TERMS) is None
    assert billing_end(replace(TERMS, ended_on=date(2027, 2, 14))) == date(2027, 2, 14)
    following = replace(TERMS, next_lease_first_day=date(2027, 3, 1))
    assert billing_end(following) == date(2027, 2, 28)


def test_billing_stops_at_the_agreed_last_day_where_the_lease_says_so() -> None:
    stops = replace(TERMS, holding_over=HoldingOver.STOP)
    assert billing_end(stops) == date(2026, 12, 31)
    assert billing_end(replace(stops, ended_on=date(2027, 2, 14))) == date(2026, 12, 31)
    assert billing_end(replace(stops, ended_on=date(2026, 2, 14))) == date(2026, 2, 14)


def test_nothing_beyond_the_agreed_last_day_is_known_before_it_has_passed() -> None:
    assert known_end(TERMS, date(2026, 12, 31)) == date(2026, 12, 31)
    assert known_end(TERMS, date(2027, 1, 1)) is None


def test_days_out_of_order_are_refused() -> None:
    with pytest.raises(Refused):
        LeaseTerms(1, date(2026, 1, 2), date(2026, 1, 1))
    with pytest.raises(Refused):
        LeaseTerms(1, date(2026, 1, 2), ended_on=date(2026, 1, 1))
