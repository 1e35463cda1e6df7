"""The event table gives balanced entries on the accounts that the rules of the trade name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.ledger.rules import (
    EVENTS,
    Account,
    Line,
    Unbalanced,
    balanced,
    entry_lines,
    mirrored,
    parts_of,
)

TABLE = {
    "invoice": ("receivable", "income tax"),
    "deposit_request": ("receivable", "deposits_requested"),
    "payment": ("bank", "tenant_credit"),
    "allocation": ("tenant_credit", "receivable"),
    "allocation_to_deposit": ("tenant_credit deposits_requested", "receivable deposits_held"),
    "credit_note": ("income tax", "receivable"),
    "credit_note_of_deposit": ("deposits_requested", "receivable"),
    "release": ("receivable", "tenant_credit"),
    "release_of_deposit": ("receivable deposits_held", "tenant_credit deposits_requested"),
    "payment_reversal": ("tenant_credit", "bank"),
    "refund": ("tenant_credit", "bank"),
    "refund_reversal": ("bank", "tenant_credit"),
    "deposit_withheld": ("deposits_held", "receivable"),
    "deposit_withheld_reversal": ("receivable", "deposits_held"),
    "deposit_returned_reversal": ("bank", "deposits_held"),
    "deposit_interest_reversal": ("deposits_held", "expense"),
    "write_off_reversal": ("receivable", "bad_debt"),
    "deposit_returned": ("deposits_held", "bank"),
    "deposit_interest": ("expense", "deposits_held"),
    "write_off": ("bad_debt", "receivable"),
    "expense": ("expense", "bank"),
    "expense_reversal": ("bank", "expense"),
    "opening_owed": ("receivable", "opening_balances"),
    "opening_credit": ("opening_balances", "tenant_credit"),
    "opening_deposit": ("opening_balances", "deposits_held"),
}


def test_the_table_names_every_event() -> None:
    assert set(TABLE) == set(EVENTS)


@pytest.mark.parametrize("event", TABLE)
def test_an_event_debits_and_credits_the_accounts_of_the_table(event: str) -> None:
    lines = entry_lines(event, dict.fromkeys(parts_of(event), 100))
    debited, credited = TABLE[event]
    assert {line.account for line in lines if line.debit} == set(debited.split())
    assert {line.account for line in lines if line.credit} == set(credited.split())
    assert balanced(lines)


def test_an_invoice_with_tax() -> None:
    assert set(entry_lines("invoice", {"net": 84034, "tax": 15966})) == {
        Line("receivable", 100000, 0),
        Line("income", 0, 84034),
        Line("tax", 0, 15966),
    }


def test_a_part_of_nil_makes_no_line() -> None:
    lines = entry_lines("invoice", {"net": 48387, "tax": 0})
    assert {line.account for line in lines} == {Account.RECEIVABLE, Account.INCOME}


@pytest.mark.parametrize(
    "amounts",
    [{"net": 1}, {"net": 1, "tax": 0, "amount": 1}, {"net": -1, "tax": 2}, {"net": 0, "tax": 0}],
)
def test_amounts_that_are_missing_surplus_negative_or_nil_are_refused(
    amounts: dict[str, int],
) -> None:
    with pytest.raises(Unbalanced):
        entry_lines("invoice", amounts)


def test_an_event_not_in_the_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        entry_lines("gift", {"amount": 1})


@given(st.sampled_from(sorted(EVENTS)), st.lists(st.integers(1, 10**15), min_size=2, max_size=2))
def test_every_entry_balances_and_its_mirror_takes_it_back(event: str, amounts: list[int]) -> None:
    lines = entry_lines(event, dict(zip(parts_of(event), amounts, strict=False)))
    back = mirrored(lines)
    assert balanced(lines)
    assert balanced(back)
    for account in Account:
        both = [line for line in (*lines, *back) if line.account == account]
        assert sum(line.debit - line.credit for line in both) == 0


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [Line("bank", 1, 0)],
        [Line("bank", 2, 0), Line("income", 0, 1)],
        [Line("bank", 1, 1)],
        [Line("bank", 0, 0)],
        [Line("bank", -1, 0), Line("income", 0, -1)],
    ],
)
def test_what_is_not_an_entry(lines: list[Line]) -> None:
    assert not balanced(lines)
