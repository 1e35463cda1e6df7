"""The arithmetic of the reports on plain values: ageing, occupancy, months, running balances."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

LEASES_ENDING_DAYS = 90
"""A lease that ends within so many days is shown as ending (the same span as "expiring")."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A class of age: from so many to so many days overdue, both inclusive; None is without end."""

    key: str
    label: str
    from_days: int | None
    to_days: int | None

    def due_range(self, as_of: date) -> tuple[date | None, date | None]:
        """First and last due date (inclusive) of what has this age on `as_of`."""
        earliest = None if self.to_days is None else as_of - timedelta(days=self.to_days)
        latest = None if self.from_days is None else as_of - timedelta(days=self.from_days)
        return earliest, latest


BUCKETS = (
    Bucket("not_due", "Not due", None, 0),
    Bucket("days_1_30", "1–30 days", 1, 30),
    Bucket("days_31_60", "31–60 days", 31, 60),
    Bucket("days_61_90", "61–90 days", 61, 90),
    Bucket("over_90", "Over 90 days", 91, None),
)
OVERDUE = BUCKETS[1:]


def bucket_of(due: date, as_of: date) -> Bucket:
    """The age of what was due on `due`. On the due day itself it is not overdue yet."""
    days = (as_of - due).days
    for bucket in BUCKETS:
        if bucket.to_days is None or days <= bucket.to_days:
            return bucket
    raise AssertionError("the last bucket has no end")


def age(items: Iterable[tuple[date, int]], as_of: date) -> dict[str, int]:
    """Sums of (due date, open minor units) by the key of their bucket; every bucket is there."""
    sums = {bucket.key: 0 for bucket in BUCKETS}
    for due, amount in items:
        sums[bucket_of(due, as_of).key] += amount
    return sums


def overdue_total(sums: Mapping[str, int]) -> int:
    """What is past its due date, of sums by bucket."""
    return sum(sums[bucket.key] for bucket in OVERDUE)


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How many units there are and how many of them are let on the day asked."""

    units: int
    let: int

    @property
    def vacant(self) -> int:
        return self.units - self.let

    @property
    def per_mille(self) -> int:
        """Let units in thousandths, rounded; 1000 only when all are let, 0 only when none is."""
        if self.units == 0:
            return 0
        rounded = (2000 * self.let + self.units) // (2 * self.units)
        if 0 < self.let < self.units:
            return min(999, max(1, rounded))
        return rounded

    @property
    def percent(self) -> str:
        """As shown: "93.4" or "100"."""
        whole, tenth = divmod(self.per_mille, 10)
        return f"{whole}.{tenth}" if tenth else str(whole)


def month_of(day: date) -> tuple[date, date]:
    """First and last day (inclusive) of the calendar month that holds `day`."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - _ONE_DAY


def months_back(day: date, count: int) -> list[tuple[date, date]]:
    """The last `count` calendar months, oldest first, ending with the month of `day`."""
    months = [month_of(day)]
    while len(months) < count:
        months.append(month_of(months[-1][0] - _ONE_DAY))
    return months[::-1]


def sum_by_month(
    days: Iterable[tuple[date, int]], months: Iterable[tuple[date, date]]
) -> list[int]:
    """Sums of (day, amount) for each month; days outside of all of them do not count."""
    sums = {first: 0 for first, _ in months}
    for day, amount in days:
        first = day.replace(day=1)
        if first in sums:
            sums[first] += amount
    return list(sums.values())


@dataclass(frozen=True, slots=True)
class Movement:
    """One money event of a lease: above nil the tenant owes more, below nil less."""

    day: date
    event: str
    text: str
    amount: int
    invoice_id: int | None = None
    payment_id: int | None = None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A movement and the lease's balance after it."""

    movement: Movement
    balance: int

    @property
    def day(self) -> date:
        return self.movement.day

    @property
    def text(self) -> str:
        return self.movement.text

    @property
    def debit(self) -> int:
        return max(self.movement.amount, 0)

    @property
    def credit(self) -> int:
        return max(-self.movement.amount, 0)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a lease owed at the first day's beginning, what happened, what it owes at the end."""

    first_day: date
    last_day: date
    opening: int
    lines: tuple[StatementLine, ...]

    @property
    def closing(self) -> int:
        return self.lines[-1].balance if self.lines else self.opening

    @property
    def debits(self) -> int:
        return sum(line.debit for line in self.lines)

    @property
    def credits(self) -> int:
        return sum(line.credit for line in self.lines)


def statement(
    opening: int, movements: Iterable[Movement], first_day: date, last_day: date
) -> Statement:
    """Runs the balance through movements already in order; events that moved nothing are left out.

    An allocation moves nothing: it turns the lease's credit into paid, and both are its balance.
    """
    lines = tuple(_running(opening, (move for move in movements if move.amount)))
    return Statement(first_day, last_day, opening, lines)


def _running(balance: int, movements: Iterable[Movement]) -> Iterator[StatementLine]:
    for movement in movements:
        balance += movement.amount
        yield StatementLine(movement, balance)
