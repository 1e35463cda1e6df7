"""Possible duplicates, split payments, and what keeps a payment from being reversed."""

from datetime import date

import pytest

from proman.base.errors import Refused
from proman.payments.rules import (
    Receipt,
    check_receipt_day,
    check_reversal,
    check_shares,
    is_possible_duplicate,
)

DAY = date(2027, 3, 1)
ONE = Receipt(DAY, "RENT A-07", 100000, frozenset({1}))


@pytest.mark.parametrize(
    ("other", "asks"),
    [
        (Receipt(DAY, "RENT A-07", 100000, frozenset({1})), True),
        (Receipt(DAY, " rent a-07 ", 100000, frozenset({1})), True),
        (Receipt(DAY, "RENT A-07", 100000, frozenset({2})), True),
        (Receipt(DAY, "RENT A-08", 100000, frozenset({1})), False),
        (Receipt(DAY, "RENT A-07", 100001, frozenset({1})), False),
        (Receipt(date(2027, 3, 2), "RENT A-07", 100000, frozenset({1})), False),
    ],
)
def test_the_same_reference_date_and_amount_ask(other: Receipt, asks: bool) -> None:
    assert is_possible_duplicate(ONE, other) is asks


def test_without_a_reference_the_lease_has_to_be_the_same() -> None:
    nameless = Receipt(DAY, "", 100000, frozenset({1}))
    assert is_possible_duplicate(nameless, Receipt(DAY, " ", 100000, frozenset({1})))
    assert not is_possible_duplicate(nameless, Receipt(DAY, "", 100000, frozenset({2})))


def test_money_does_not_come_from_the_future() -> None:
    check_receipt_day(DAY, DAY)
    with pytest.raises(Refused, match="future"):
        check_receipt_day(date(2027, 3, 2), DAY)


@pytest.mark.parametrize(
    ("amount", "shares"), [(0, [0]), (100, [60, 30]), (100, [100, 0]), (100, [120, -20])]
)
def test_parts_are_the_whole_of_a_payment(amount: int, shares: list[int]) -> None:
    with pytest.raises(Refused):
        check_shares(amount, shares)


def test_a_whole_payment_is_split() -> None:
    check_shares(100, [60, 40])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"on": date(2027, 2, 28)}, "on"),
        ({"on": date(2027, 3, 6)}, "on"),
        ({"reason": "  "}, "reason"),
        ({"deposit_part": 50000, "deposit_held": 49999}, None),
    ],
)
def test_a_reversal_is_refused(changes: dict[str, object], field: str | None) -> None:
    given: dict[str, object] = {
        "received_on": DAY,
        "on": date(2027, 3, 4),
        "today": date(2027, 3, 5),
        "reason": "No funds",
        "deposit_part": 0,
        "deposit_held": 0,
    }
    check_reversal(**given)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refusal:
        check_reversal(**{**given, **changes})  # type: ignore[arg-type]
    assert refusal.value.field == field


def test_a_deposit_that_is_still_held_can_be_taken_back() -> None:
    check_reversal(
        received_on=DAY,
        on=DAY,
        today=DAY,
        reason="No funds",
        deposit_part=50000,
        deposit_held=50000,
    )
