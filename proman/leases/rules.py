"""What a lease says, as plain values: its terms, its state on a day, and where its billing ends."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from proman.base.errors import Refused

EXPIRING_DAYS = 90
DEFAULT_LEAD_DAYS = 5
_ONE_DAY = timedelta(days=1)
_DUE_RULE = re.compile(r"(day|workday):([1-9]\d?)(?::(before|after))?")


class Frequency(StrEnum):
    """How long one period is; the rent is the amount of one period."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    FOUR_WEEKLY = "four_weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"

    @property
    def days(self) -> int:
        """Days of one period of a weekly kind, else nil."""
        return _DAYS.get(self, 0)

    @property
    def months(self) -> int:
        """Months of one period, nil for the weekly kinds."""
        return _MONTHS.get(self, 0)


_DAYS = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14, Frequency.FOUR_WEEKLY: 28}
_MONTHS = {
    Frequency.MONTHLY: 1,
    Frequency.QUARTERLY: 3,
    Frequency.HALF_YEARLY: 6,
    Frequency.YEARLY: 12,
}


class Periods(StrEnum):
    """Whether periods are those of the calendar or run from the lease's own first day."""

    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"


class Timing(StrEnum):
    """Whether a period is paid for at its beginning or after its end."""

    ADVANCE = "advance"
    ARREARS = "arrears"


class Proration(StrEnum):
    """How a lease's first and last part-period is reckoned."""

    ACTUAL = "actual"
    FIXED_30 = "fixed_30"
    DAYS_365 = "days_365"
    NONE = "none"


class HoldingOver(StrEnum):
    """What billing does once the agreed last day has passed and nobody ended the lease."""

    CONTINUE = "continue"
    STOP = "stop"


class RentChange(StrEnum):
    """Whether a change in mid-period splits the line or waits for the next period."""

    SPLIT = "split"
    DEFER = "defer"


class Recurrence(StrEnum):
    """A charge of every period, one that waits for the next run, or one invoiced at once."""

    PERIOD = "period"
    ONCE = "once"
    AT_ONCE = "at_once"


class LeaseStatus(StrEnum):
    """What is recorded of a lease; the rest is derived (see `LeaseState`)."""

    DRAFT = "draft"
    ACTIVE = "active"
    ENDED = "ended"


class LeaseState(StrEnum):
    """What a lease is on a given day."""

    DRAFT = "draft"
    UPCOMING = "upcoming"
    ACTIVE = "active"
    EXPIRING = "expiring"
    HOLDING_OVER = "holding_over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class DueRule:
    """Day `n` of a month (1–31) or its n-th working day, in the month `shift` months away.

    Written `day:N` or `workday:N`, then nothing, `:before` or `:after`.
    """

    n: int = 1
    working_day: bool = False
    shift: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.n <= (23 if self.working_day else 31):
            raise Refused("The due day is 1 to 31, or the 1st to 23rd working day.", "due_rule")
        if self.shift not in (-1, 0, 1):
            raise Refused("A due month is the one before, of or after the period.", "due_rule")

    @classmethod
    def parse(cls, text: str) -> "DueRule":
        """Reads `workday:3:before` and the like; raises Refused on anything else."""
        match = _DUE_RULE.fullmatch(text.strip())
        if match is None:
            raise Refused(
                f"“{text}” is not a due rule. Write day:1 or workday:3, then :before or :after.",
                "due_rule",
            )
        shift = {"before": -1, "after": 1}.get(match[3], 0)
        return cls(int(match[2]), match[1] == "workday", shift)

    def __str__(self) -> str:
        kind = "workday" if self.working_day else "day"
        return f"{kind}:{self.n}" + {-1: ":before", 0: "", 1: ":after"}[self.shift]


@dataclass(frozen=True, slots=True)
class RentStep:
    """The rent of one period from `first_day` on, in minor units, until the next step.

    `tax_rate` is in thousandths of a per cent (19 % = 19000); `gross` says that the amount
    holds the tax. `recorded` tells who set it and when, for the explanation of an amount.
    """

    first_day: date
    amount: int
    change: RentChange = RentChange.SPLIT
    tax_rate: int = 0
    gross: bool = False
    recorded: str = ""


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """A charge beside the rent, with dates of its own (both inclusive; no last day: open).

    `charge_id` is never nil: nil is the rent. A one-off charge is due on its `first_day`.
    """

    charge_id: int
    kind: str
    description: str
    amount: int
    first_day: date
    last_day: date | None = None
    tax_rate: int = 0
    gross: bool = False
    recurrence: Recurrence = Recurrence.PERIOD
    recorded: str = ""


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """All that billing has to know of one lease; days are inclusive, rents sorted by day.

    `next_lease_first_day` is that of the unit's next active lease that begins after this one's
    agreed last day. `country` and `region` (ISO 3166) choose the holidays of working days.
    """

    lease_id: int
    first_day: date
    last_day: date | None = None
    ended_on: date | None = None
    next_lease_first_day: date | None = None
    cut_over: date | None = None
    status: LeaseStatus = LeaseStatus.ACTIVE
    frequency: Frequency = Frequency.MONTHLY
    periods: Periods = Periods.CALENDAR
    timing: Timing = Timing.ADVANCE
    due_rule: DueRule = DueRule()
    lead_days: int = DEFAULT_LEAD_DAYS
    proration: Proration = Proration.ACTUAL
    holding_over: HoldingOver = HoldingOver.CONTINUE
    rents: tuple[RentStep, ...] = ()
    charges: tuple[ChargeTerms, ...] = ()
    country: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        if self.last_day is not None and self.last_day < self.first_day:
            raise Refused("The last day is before the first day.", "last_day")
        if self.ended_on is not None and self.ended_on < self.first_day:
            raise Refused("A lease cannot end before its first day.", "ended_on")


def occupied_range(terms: LeaseTerms) -> tuple[date, date | None]:
    """First and last day (inclusive) on which the lease holds its unit; None means open.

    To the day it ended; else to the agreed last day; else open.
    """
    return terms.first_day, terms.ended_on or terms.last_day


def billing_end(terms: LeaseTerms) -> date | None:
    """The last day (inclusive) that may ever be billed, or None while nothing ends it.

    The day it ended; a held-over lease is billed on until the day before the unit's next
    lease; one that stops at its agreed last day is never billed beyond it.
    """
    if terms.holding_over is HoldingOver.STOP and terms.last_day is not None:
        return min(terms.last_day, terms.ended_on or terms.last_day)
    if terms.ended_on is not None:
        return terms.ended_on
    if terms.last_day is not None and terms.next_lease_first_day is not None:
        return max(terms.last_day, terms.next_lease_first_day - _ONE_DAY)
    return None


def known_end(terms: LeaseTerms, as_of: date) -> date | None:
    """The last day (inclusive) that may be billed as things stand on `as_of`.

    Nothing after the agreed last day is billed before that day has passed.
    """
    if terms.ended_on is None and terms.last_day is not None and as_of <= terms.last_day:
        return terms.last_day
    return billing_end(terms)


def is_holding_over(terms: LeaseTerms, on: date) -> bool:
    """Whether the agreed last day has passed, nobody ended it and no next lease has begun."""
    if terms.status is not LeaseStatus.ACTIVE or terms.ended_on or terms.last_day is None:
        return False
    following = terms.next_lease_first_day
    return terms.last_day < on and (following is None or on < following)


def state(terms: LeaseTerms, on: date) -> LeaseState:
    """What the lease is on that day; expiring means that it ends within 90 days."""
    if terms.status is LeaseStatus.DRAFT:
        return LeaseState.DRAFT
    if is_holding_over(terms, on):
        return LeaseState.HOLDING_OVER
    last = terms.ended_on or terms.last_day
    if last is not None and last < on:
        return LeaseState.ENDED
    if on < terms.first_day:
        return LeaseState.UPCOMING
    if last is not None and (last - on).days <= EXPIRING_DAYS:
        return LeaseState.EXPIRING
    return LeaseState.ACTIVE
