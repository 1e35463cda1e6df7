"""What a late invoice bears, reckoned from its facts alone: pure arithmetic of late fees.

The facts are the due date, the issue and what moved the open amount on which effective day. When,
and how often, somebody asks makes no difference: the fee up to a day is one figure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from proman.base.errors import Refused
from proman.base.money import round_half_away
from proman.billing.reckoning import Show
from proman.billing.rules import plain
from proman.billing.settling import FEES, Move

LONGEST_GRACE = 365
WHOLE = 100_000
"""A rate of a hundred per cent, in thousandths of a per cent."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """How late invoices are charged: a flat amount or a rate, once or for each day.

    Amounts in minor units, the rate in thousandths of a per cent; a nil `cap` is none.
    """

    grace_days: int
    flat: int = 0
    rate: int = 0
    minimum: int = 0
    """An open balance below it bears nothing."""
    cap: int = 0
    """The most that one invoice ever bears."""
    daily: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.grace_days <= LONGEST_GRACE:
            raise Refused(f"0 to {LONGEST_GRACE} days.", "grace_days")
        if (self.flat > 0) == (self.rate > 0) or min(self.flat, self.rate) < 0:
            raise Refused("A late fee is a flat amount or a rate, above nil.", "amount")
        if self.rate > WHOLE:
            raise Refused("A rate is at most 100 per cent.", "amount")
        if self.minimum < 0:
            raise Refused("The minimum cannot be below nil.", "minimum")
        if self.cap < 0:
            raise Refused("The cap cannot be below nil.", "cap")

    def charged_from(self, due: date, issued: date) -> date:
        """The day after grace: due on the 1st, grace 3, is the 5th; later if issued later."""
        return max(due, issued) + timedelta(days=self.grace_days + 1)


@dataclass(frozen=True, slots=True)
class LateInvoice:
    """An issued invoice with what moved its open amount; the first move is its issue."""

    due_date: date
    issue_date: date
    moves: tuple[Move, ...]
    fee_part: int = 0
    """What of its total is fees already, which bear none; payments settle it last."""


class Stretch(NamedTuple):
    """Days, both inclusive, on which the same open amount bears a fee."""

    first: date
    last: date
    base: int

    @property
    def days(self) -> int:
        """Both ends counted."""
        return (self.last - self.first).days + 1


class Fee(NamedTuple):
    """What an invoice bears up to a day, and the days and open amounts that made it."""

    amount: int
    stretches: tuple[Stretch, ...]
    formula: str


NO_FEE = Fee(0, (), "")


def fee_part(lines: Iterable[tuple[str, int]]) -> int:
    """What of an invoice is fees, from its lines' kinds and totals."""
    return sum(total for kind, total in lines if kind in FEES)


def fee_through(policy: LatePolicy, invoice: LateInvoice, day: date, *, show: Show = plain) -> Fee:
    """The whole fee of an invoice up to and with a day.

    A day is charged on what was open when the day before it ended, so the first on what was open
    when grace ended. Once is that first day alone. The sum of the days is rounded once.
    1,000.00 due 1 October, grace 3, 400.00 received on the 3rd: from the 5th 5 % of 600.00.
    """
    first = policy.charged_from(invoice.due_date, invoice.issue_date)
    last = day if policy.daily else min(day, first)
    stretches = tuple(
        each
        for each in _stretches(invoice, first, last)
        if each.base > 0 and each.base >= policy.minimum
    )
    if not stretches:
        return NO_FEE
    exact = _exact(policy, stretches)
    amount = min(exact, policy.cap) if policy.cap else exact
    return Fee(amount, stretches, _formula(policy, stretches, exact, amount, show))


def _stretches(invoice: LateInvoice, first: date, last: date) -> Iterator[Stretch]:
    """Every day from `first` to `last` in stretches of one open amount."""
    if first > last:
        return
    by_day: dict[date, int] = {}
    for move in invoice.moves:
        # What happens on a day counts from the next one; before `first` only the sum does.
        begins = max(move.day + _ONE_DAY, first)
        by_day[begins] = by_day.get(begins, 0) + move.amount
    balance, since = 0, first
    for begins in sorted(by_day):
        if not by_day[begins] or begins > last:
            continue
        if begins > since:
            yield Stretch(since, begins - _ONE_DAY, balance - invoice.fee_part)
        balance, since = balance + by_day[begins], begins
    yield Stretch(since, last, balance - invoice.fee_part)


def _exact(policy: LatePolicy, stretches: Sequence[Stretch]) -> int:
    if policy.flat:
        return policy.flat * sum(each.days for each in stretches)
    return round_half_away(policy.rate * sum(each.base * each.days for each in stretches), WHOLE)


def _formula(
    policy: LatePolicy, stretches: Sequence[Stretch], exact: int, amount: int, show: Show
) -> str:
    """How the amount came about, in the words of a hand calculation."""
    if policy.flat:
        text = _flat_words(policy, stretches, show)
    else:
        text = f"{rate_text(policy.rate)} % of {_bases(policy, stretches, show)} = {show(exact)}"
    return text if amount == exact else f"{text}, at most {show(amount)}"


def _flat_words(policy: LatePolicy, stretches: Sequence[Stretch], show: Show) -> str:
    if not policy.daily:
        return f"{show(policy.flat)} on {show(stretches[0].base)} open"
    days = sum(each.days for each in stretches)
    return f"{show(policy.flat)} × {_days(days)} = {show(policy.flat * days)}"


def _bases(policy: LatePolicy, stretches: Sequence[Stretch], show: Show) -> str:
    if not policy.daily:
        return show(stretches[0].base)
    parts = [f"{show(each.base)} × {_days(each.days)}" for each in stretches]
    if len(parts) > 4:
        sum_of_days = show(sum(each.base * each.days for each in stretches))
        return f"{sum_of_days} (the open amounts of {_days(sum(s.days for s in stretches))})"
    return parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def rate_text(rate: int) -> str:
    """Thousandths of a per cent as one writes them: 5000 is 5, 8875 is 8.875."""
    whole, part = divmod(rate, 1000)
    return f"{whole}.{part:03d}".rstrip("0") if part else str(whole)


class Settled(NamedTuple):
    """What was charged for an invoice so far, up to which day; what was taken back is deducted.

    A fee that was waived stays charged: it is not charged again.
    """

    amount: int
    through: date | None


class Change(NamedTuple):
    """What is to be charged (above nil) or taken back (below), and up to which day it is known."""

    amount: int
    through: date
    fee: Fee


def change_due(
    policy: LatePolicy,
    invoice: LateInvoice,
    settled: Settled,
    day: date,
    *,
    show: Show = plain,
) -> Change | None:
    """What a run on a day has to do for an invoice; None where the facts are met already.

    A run as of an earlier day than one before it takes nothing back for the days between.
    """
    through = max(day, settled.through or day)
    fee = fee_through(policy, invoice, through, show=show)
    difference = fee.amount - settled.amount
    return Change(difference, through, fee) if difference else None
