"""Which open documents a credit pays, how much of each and from which day: pure decisions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from proman.base.errors import Refused

DEPOSIT_REQUEST = "deposit_request"
OPENING = "opening"
LATE_FEE = "late_fee"
FEES = frozenset({"fee", LATE_FEE})


class Move(NamedTuple):
    """On a day (inclusive) an amount in minor units was added, or taken away where negative."""

    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class Source:
    """Credit of one lease by where it came from; without a payment it came from elsewhere."""

    payment_id: int | None
    moves: tuple[Move, ...]

    @property
    def left(self) -> int:
        """What of it is not used, minor units."""
        return sum(move.amount for move in self.moves)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An invoice, deposit request or opening item that is not settled."""

    invoice_id: int
    kind: str
    category: int
    due_date: date
    moves: tuple[Move, ...]

    @property
    def open(self) -> int:
        """What of it is not settled, minor units."""
        return sum(move.amount for move in self.moves)


class Step(NamedTuple):
    """One allocation to be made: an amount of a source put against a document on a day.

    One that names an allocation releases that much of it.
    """

    payment_id: int | None
    invoice_id: int
    kind: str
    amount: int
    effective_on: date
    reverses_id: int | None = None


def category(kind: str, line_kinds: Iterable[str]) -> int:
    """The rank of a document among those due on one day: opening items, rent, charges, fees."""
    kinds = set(line_kinds)
    if kind == OPENING:
        return 0
    if "rent" in kinds:
        return 1
    return 3 if kinds and kinds <= FEES else 2


def available_from(moves: Iterable[Move], amount: int) -> date:
    """The first day from which `amount` is there and stays so.

    For a payment that is its receipt and for an invoice its issue, unless something was used or
    paid in between and released later. Raises ValueError when the amount is not there at all.
    """
    by_day: dict[date, int] = {}
    for move in moves:
        by_day[move.day] = by_day.get(move.day, 0) + move.amount
    balance, since = 0, None
    for day in sorted(by_day):
        balance += by_day[day]
        if balance < amount:
            since = None
        elif since is None:
            since = day
    if since is None:
        raise ValueError("more was asked for than there is")
    return since


def put(
    sources: Sequence[Source], items: Sequence[OpenItem], wanted: Mapping[int, int] | None
) -> list[Step]:
    """By hand where amounts are named, else the oldest first."""
    return oldest_first(sources, items) if wanted is None else by_hand(sources, items, wanted)


def oldest_first(sources: Sequence[Source], items: Sequence[OpenItem]) -> list[Step]:
    """Puts the credit against the documents: oldest due date, then category, then id.

    Deposit requests are never filled this way. Older credit is used first.
    """
    wanted = {item.invoice_id: item.open for item in items if item.kind != DEPOSIT_REQUEST}
    ordered = sorted(items, key=lambda item: (item.due_date, item.category, item.invoice_id))
    return _put(sources, [item for item in ordered if item.invoice_id in wanted], wanted)


def by_hand(
    sources: Sequence[Source], items: Sequence[OpenItem], wanted: Mapping[int, int]
) -> list[Step]:
    """Puts the credit where the manager says: `wanted` is an amount for each invoice id.

    Amounts of nil are left out. Raises Refused, with the field `allocation-<invoice id>`, for one
    that is negative, beyond what is open, or for a document that is not open for this lease; and
    without a field when they come to more than the credit.
    """
    known = {item.invoice_id: item for item in items}
    for invoice_id, amount in wanted.items():
        field = f"allocation-{invoice_id}"
        if amount < 0:
            raise Refused("An allocation cannot be negative.", field)
        if amount and invoice_id not in known:
            raise Refused("This invoice is not open for the lease.", field)
        if amount and amount > known[invoice_id].open:
            raise Refused("That is more than is open.", field)
    if sum(wanted.values()) > sum(source.left for source in sources):
        raise Refused("The amounts come to more than there is to allocate.")
    ordered = sorted(items, key=lambda item: (item.due_date, item.category, item.invoice_id))
    return _put(sources, ordered, {key: amount for key, amount in wanted.items() if amount})


def _put(
    sources: Sequence[Source], items: Sequence[OpenItem], wanted: Mapping[int, int]
) -> list[Step]:
    steps: list[Step] = []
    usable = [source for source in sources if source.left > 0]
    usable.sort(key=lambda source: (source.moves[0].day, source.payment_id or 0))
    credit = [(source, list(source.moves)) for source in usable]
    for item in items:
        moves, due = list(item.moves), wanted.get(item.invoice_id, 0)
        for source, left in credit:
            amount = min(due, sum(move.amount for move in left))
            if amount <= 0:
                continue
            day = max(available_from(left, amount), available_from(moves, amount))
            left.append(Move(day, -amount))
            moves.append(Move(day, -amount))
            due -= amount
            steps.append(Step(source.payment_id, item.invoice_id, item.kind, amount, day))
    return steps


class Paid(NamedTuple):
    """An allocation that still stands: its amount less what of it was released."""

    allocation_id: int
    payment_id: int | None
    invoice_id: int
    kind: str
    amount: int
    since: date
    """The allocation's own day: a release is never dated before it."""


def newest_first(paid: Iterable[Paid], amount: int, on: date) -> list[Step]:
    """What to release of a document so that `amount` of it is open again: the newest first.

    A release is on the day asked for, or on the allocation's own day where that is later. Raises
    ValueError when less than `amount` is paid.
    """
    steps: list[Step] = []
    for part in sorted(paid, key=lambda part: (part.since, part.allocation_id), reverse=True):
        share = min(amount, part.amount)
        if share > 0:
            steps.append(released(part, share, on))
            amount -= share
    if amount > 0:
        raise ValueError("less is paid than was to be released")
    return steps


def released(paid: Paid, amount: int, on: date) -> Step:
    """The release of some of an allocation on a day, or on its own day where that is later."""
    day = max(on, paid.since)
    return Step(paid.payment_id, paid.invoice_id, paid.kind, amount, day, paid.allocation_id)
