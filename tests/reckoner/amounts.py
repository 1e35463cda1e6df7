"""What is charged for the days of a period.

From the rules' sections "Proration" (methods, cap, split by actual days, one rounding a line) and
"Lease" (dated amounts, rent-free periods, a charge's own days, the rest after the agreed last day).
"""

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache

from tests.reckoner.calendars import Piece
from tests.reckoner.terms import DAY, MONTHS, WEEKS, Charge, Dated, Lease


def rounded(amount: Fraction) -> int:
    """Whole cents, halves away from zero."""
    size = int(abs(amount) + Fraction(1, 2))
    return size if amount >= 0 else -size


def days(start: date, end: date) -> int:
    """How many, both counted."""
    return (end - start).days + 1


@dataclass(frozen=True)
class Part:
    """Days of one agreed amount, and what is charged for them in cents."""

    start: date
    end: date
    dated: Dated
    amount: int = 0

    @property
    def weight(self) -> int:
        return self.dated.amount * days(self.start, self.end)


def share(lease: Lease, piece: Piece, end: date) -> Fraction:
    """Which part of a period's amount its days from the lease's first to `end` bear."""
    count = days(piece.begins, end)
    whole = days(piece.full_start, piece.full_end)
    if count == whole or lease.method == "none":
        return Fraction(1)
    months = MONTHS.get(lease.frequency, 0)
    if lease.method == "actual" or lease.frequency in WEEKS:
        found = Fraction(count, whole)
    elif lease.method == "fixed 30":
        found = Fraction(count, 30 * months)
    else:
        found = Fraction(12, months) * Fraction(count, 365)
    return min(found, Fraction(1))


@lru_cache(maxsize=1024)
def agreed(charge: Charge) -> list[Dated]:
    """The amounts by their day; of two of one day the later listed counts alone."""
    by_day = {dated.start: dated for dated in charge.amounts}
    return [by_day[day] for day in sorted(by_day)]


def valid_on(charge: Charge, day: date, begins: date) -> Dated | None:
    """The amount agreed for a day of the period that begins so, if any is."""
    if (charge.first and day < charge.first) or (charge.last and day > charge.last):
        return None
    found = None
    for dated in agreed(charge):
        if dated.start <= (begins if dated.deferred else day):
            found = dated
    return found


def stretches(charge: Charge, begins: date, start: date, end: date) -> list[Part]:
    """The days from start to end by the amount that is agreed for them, nil left out."""
    cuts = {dated.start for dated in agreed(charge) if not dated.deferred}
    cuts |= {charge.first or start, charge.last + DAY if charge.last else start}
    starts = [start, *sorted(cut for cut in cuts if start < cut <= end)]
    ends = [*(cut - DAY for cut in starts[1:]), end]
    found = []
    for first, last in zip(starts, ends, strict=True):
        dated = valid_on(charge, first, begins)
        if dated and dated.amount:
            found.append(Part(first, last, dated))
    return found


def exact(lease: Lease, charge: Charge, piece: Piece, end: date) -> list[tuple[Part, Fraction]]:
    """What the days from the period's first of the lease to `end` cost, before rounding.

    "In a part-period the prorated amount is split by the part's actual days."
    """
    factor = share(lease, piece, end) / days(piece.begins, end)
    found = stretches(charge, piece.begins, piece.begins, end)
    return [(part, factor * part.weight) for part in found]


def allotted(total: Fraction, parts: list[tuple[Part, Fraction]]) -> list[Part]:
    """Each part rounded once; the last is the rounded total less the others."""
    cents = [rounded(share) for _, share in parts[:-1]]
    cents.append(rounded(total) - sum(cents))
    return [
        replace(part, amount=amount)
        for (part, _), amount in zip(parts, cents, strict=True)
        if amount
    ]


def parts_of(lease: Lease, charge: Charge, piece: Piece) -> list[Part]:
    """The lines of a charge for a piece of a period; none where nothing is charged."""
    whole = exact(lease, charge, piece, piece.end)
    total = sum((cost for _, cost in whole), Fraction(0))
    if not piece.is_rest:
        return allotted(total, whole) if whole else []
    last = piece.start - DAY
    if piece.cut:
        before = exact(lease, replace(charge, last=last), piece, piece.end)
    else:
        before = exact(lease, charge, piece, last)
    if not before:
        return allotted(total, whole) if whole else []
    billed = rounded(sum((cost for _, cost in before), Fraction(0)))
    rest = Fraction(rounded(total) - billed)
    found = stretches(charge, piece.begins, piece.start, piece.end)
    if rest <= 0 or not found:
        return []
    whole_weight = sum(part.weight for part in found)
    costs = [rest * part.weight / whole_weight for part in found]
    return allotted(rest, list(zip(found, costs, strict=True)))
