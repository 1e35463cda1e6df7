"""The accounts, the table of money events as data, and what makes an entry balanced."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from proman.base.errors import Refused


class Account(StrEnum):
    """The accounts of an organization's journal."""

    RECEIVABLE = "receivable"
    BANK = "bank"
    TENANT_CREDIT = "tenant_credit"
    DEPOSITS_REQUESTED = "deposits_requested"
    DEPOSITS_HELD = "deposits_held"
    TAX = "tax"
    INCOME = "income"
    EXPENSE = "expense"
    BAD_DEBT = "bad_debt"
    OPENING_BALANCES = "opening_balances"


class Leg(NamedTuple):
    """One amount of an event moves from the account credited to the account debited."""

    debit: Account
    credit: Account
    part: str = "amount"


class Line(NamedTuple):
    """One side of an entry in minor units; exactly one of debit and credit is above nil."""

    account: str
    debit: int
    credit: int


class Unbalanced(Refused):
    """An entry whose debits and credits differ, or that moves nothing, was to be written."""


_A = Account
_ALLOCATED = Leg(_A.TENANT_CREDIT, _A.RECEIVABLE)
_RELEASED = Leg(_A.RECEIVABLE, _A.TENANT_CREDIT)

EVENTS: Mapping[str, tuple[Leg, ...]] = {
    "invoice": (
        Leg(_A.RECEIVABLE, _A.INCOME, "net"),
        Leg(_A.RECEIVABLE, _A.TAX, "tax"),
    ),
    "deposit_request": (Leg(_A.RECEIVABLE, _A.DEPOSITS_REQUESTED),),
    "payment": (Leg(_A.BANK, _A.TENANT_CREDIT),),
    "payment_reversal": (Leg(_A.TENANT_CREDIT, _A.BANK),),
    "allocation": (_ALLOCATED,),
    "allocation_to_deposit": (_ALLOCATED, Leg(_A.DEPOSITS_REQUESTED, _A.DEPOSITS_HELD)),
    "release": (_RELEASED,),
    "release_of_deposit": (_RELEASED, Leg(_A.DEPOSITS_HELD, _A.DEPOSITS_REQUESTED)),
    "credit_note": (
        Leg(_A.INCOME, _A.RECEIVABLE, "net"),
        Leg(_A.TAX, _A.RECEIVABLE, "tax"),
    ),
    "credit_note_of_deposit": (Leg(_A.DEPOSITS_REQUESTED, _A.RECEIVABLE),),
    "refund": (Leg(_A.TENANT_CREDIT, _A.BANK),),
    "refund_reversal": (Leg(_A.BANK, _A.TENANT_CREDIT),),
    "deposit_withheld": (Leg(_A.DEPOSITS_HELD, _A.RECEIVABLE),),
    "deposit_withheld_reversal": (Leg(_A.RECEIVABLE, _A.DEPOSITS_HELD),),
    "deposit_returned": (Leg(_A.DEPOSITS_HELD, _A.BANK),),
    "deposit_returned_reversal": (Leg(_A.BANK, _A.DEPOSITS_HELD),),
    "deposit_interest": (Leg(_A.EXPENSE, _A.DEPOSITS_HELD),),
    "deposit_interest_reversal": (Leg(_A.DEPOSITS_HELD, _A.EXPENSE),),
    "write_off": (Leg(_A.BAD_DEBT, _A.RECEIVABLE),),
    "write_off_reversal": (Leg(_A.RECEIVABLE, _A.BAD_DEBT),),
    "expense": (Leg(_A.EXPENSE, _A.BANK),),
    "expense_reversal": (Leg(_A.BANK, _A.EXPENSE),),
    "opening_owed": (Leg(_A.RECEIVABLE, _A.OPENING_BALANCES),),
    "opening_credit": (Leg(_A.OPENING_BALANCES, _A.TENANT_CREDIT),),
    "opening_deposit": (Leg(_A.OPENING_BALANCES, _A.DEPOSITS_HELD),),
}
"""Which accounts a money event debits and credits, by the part of its amount (the table of
docs/ledger.md). An invoice and its credit note have a `net` and a `tax` part, every other
event has one `amount`."""


def parts_of(event: str) -> tuple[str, ...]:
    """The names of the amounts that an event is posted with."""
    return tuple(dict.fromkeys(leg.part for leg in EVENTS[event]))


def sides(event: str) -> dict[Account, tuple[bool, tuple[str, ...]]]:
    """For each account of an event: whether it is debited, and which parts make its amount."""
    found: dict[Account, tuple[bool, tuple[str, ...]]] = {}
    for leg in EVENTS[event]:
        for account, debited in ((leg.debit, True), (leg.credit, False)):
            parts = found.get(account, (debited, ()))[1]
            found[account] = (debited, (*parts, leg.part))
    return found


def entry_lines(event: str, amounts: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines of one entry for an event; parts of nil make no line.

    Amounts are minor units and never negative: what takes an amount back is an event of its own.
    Raises KeyError for an unknown event and Unbalanced when an amount is missing, surplus or
    negative, or when all are nil.
    """
    if set(amounts) != set(parts_of(event)):
        raise Unbalanced(f"“{event}” is posted with {', '.join(parts_of(event))}.")
    if any(amount < 0 for amount in amounts.values()):
        raise Unbalanced(f"“{event}” cannot be posted with a negative amount.")
    lines = []
    for account, (debited, parts) in sides(event).items():
        amount = sum(amounts[part] for part in parts)
        if amount:
            lines.append(Line(account, amount, 0) if debited else Line(account, 0, amount))
    if not lines:
        raise Unbalanced(f"“{event}” of nothing is not posted.")
    return tuple(lines)


def mirrored(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines that take an entry back: debit and credit change places."""
    return tuple(Line(line.account, line.credit, line.debit) for line in lines)


def balanced(lines: Iterable[Line]) -> bool:
    """Whether an entry may be written: it moves something, every line has exactly one side above
    nil and none below, and the debits equal the credits."""
    entry = tuple(lines)
    one_sided = all(
        (line.debit > 0 and line.credit == 0) or (line.debit == 0 and line.credit > 0)
        for line in entry
    )
    return bool(entry) and one_sided and sum(x.debit for x in entry) == sum(x.credit for x in entry)
