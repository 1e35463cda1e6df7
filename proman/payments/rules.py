"""What makes two payments look like one, how a payment may be split, and when it can be undone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from proman.base.errors import Refused

METHODS = ("transfer", "direct_debit", "card", "cash", "cheque", "other")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money as it arrived: when, with which reference, how much in all, for which leases."""

    received_on: date
    reference: str
    amount: int
    lease_ids: frozenset[int]


def normal_reference(reference: str) -> str:
    """A reference as it is compared: without regard to case and blanks."""
    return reference.replace(" ", "").lower()


def is_possible_duplicate(one: Receipt, other: Receipt) -> bool:
    """Whether the manager is asked before `one` is recorded beside `other`.

    The same reference, date and amount ask. Many payments of one day have no reference at all, so
    without one the leases have to be the same too.
    """
    if (one.received_on, one.amount) != (other.received_on, other.amount):
        return False
    reference = normal_reference(one.reference)
    if reference != normal_reference(other.reference):
        return False
    return bool(reference) or one.lease_ids == other.lease_ids


def check_receipt_day(received_on: date, today: date, field: str = "received_on") -> None:
    """Refuses money that is said to come in the future."""
    if received_on > today:
        raise Refused("Money cannot be received in the future.", field)


def check_shares(amount: int, shares: Iterable[int], field: str = "amount") -> None:
    """Refuses a payment of nothing, and shares that are nil, negative or not the whole of it."""
    each = tuple(shares)
    if amount <= 0:
        raise Refused("The amount must be more than nil.", field)
    if any(share <= 0 for share in each):
        raise Refused("Every lease of a split payment gets a part above nil.", field)
    if sum(each) != amount:
        raise Refused("The parts do not add up to the amount received.", field)


def check_reversal(
    *, received_on: date, on: date, today: date, reason: str, deposit_part: int, deposit_held: int
) -> None:
    """Refuses the reversal of a payment that cannot be undone.

    `deposit_part` is what the payment put into the lease's deposit, `deposit_held` what of that
    deposit is still held: once it was returned or withheld, the receipt stands.
    """
    if on < received_on:
        raise Refused("A payment cannot be reversed before it was received.", "on")
    if on > today:
        raise Refused("A payment cannot be reversed on a future day.", "on")
    if not reason.strip():
        raise Refused("Say why the payment is reversed.", "reason")
    if deposit_part > deposit_held:
        raise Refused(
            "This payment filled a deposit that was returned or withheld since. Reverse that first."
        )
