"""What a lease says, as plain values.

From the rules' sections "Lease" (frequency, dated rents, recurring charges, holding over),
"Due, issued, period" (the due rule) and "Taking over a running portfolio" (the cut-over).
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

DAY = timedelta(days=1)
WEEKS = {"weekly": 1, "fortnightly": 2, "four-weekly": 4}
MONTHS = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}


@dataclass(frozen=True)
class DueRule:
    """A day of the month, or its n-th working day, in the month before, of or after."""

    number: int = 1
    working: bool = False
    months: int = 0
    holidays: frozenset[date] = field(default=frozenset(), repr=False)


@dataclass(frozen=True)
class Dated:
    """From `start` the amount of one whole period is `amount` cents; nil is free of rent.

    A deferred one that begins inside a period waits for the next. Its rate of tax (0.19), and
    whether the amount is gross, stand with it.
    """

    start: date
    amount: int
    deferred: bool = False
    rate: Fraction = Fraction(0)
    gross: bool = False


@dataclass(frozen=True)
class Charge:
    """The rent, or what is charged beside it on days of its own.

    Of two amounts of one day the later listed counts.
    """

    name: str
    amounts: tuple[Dated, ...]
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Lease:
    """First and last days are inclusive; `succeeded_on` is the first day of the next lease."""

    name: str
    first: date
    charges: tuple[Charge, ...]
    agreed_last: date | None = None
    ended_on: date | None = None
    succeeded_on: date | None = None
    stops: bool = False
    frequency: str = "monthly"
    anniversary: bool = False
    arrears: bool = False
    due: DueRule = DueRule()
    method: str = "actual"
    cut_over: date | None = None
    lead: int = 5

    def last_known(self, as_of: date) -> date | None:
        """The last day to bill as one knows on `as_of`; None for open-ended.

        "A lease's range is: first day to the day it ended; else to the agreed last day; else
        open." It holds over from the day after the agreed last day on, or stops for good.
        """
        ends = [self.ended_on] if self.ended_on else []
        if self.succeeded_on:
            ends.append(self.succeeded_on - DAY)
        passed = self.agreed_last is not None and self.agreed_last < as_of
        waits = not self.ended_on and not passed
        if self.agreed_last and (self.stops or waits):
            ends.append(self.agreed_last)
        return min(ends, default=None)
