"""Stretches of days, both ends inclusive, and months that are clipped to their last day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_ONE_DAY = timedelta(days=1)
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_in_month(year: int, month: int) -> int:
    """How many days that month has, 29 February included."""
    if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        return 29
    return _LENGTHS[month - 1]


def clipped(year: int, month: int, day: int) -> date:
    """That day of the month, or the month's last day where the month is shorter."""
    return date(year, month, min(day, days_in_month(year, month)))


def add_months(anchor: date, months: int) -> date:
    """The anchor's day so many months on, clipped; always reckon from the anchor itself.

    31 January + 1 month is 28 (29) February, + 2 months is 31 March.
    """
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return clipped(year, month + 1, anchor.day)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `first` to `last`, both inclusive."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a period cannot end ({self.last}) before it begins ({self.first})")

    @property
    def days(self) -> int:
        """How many days, both ends counted."""
        return self.last.toordinal() - self.first.toordinal() + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __iter__(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += _ONE_DAY

    def intersect(self, other: "Period") -> "Period | None":
        """The days that both have, or None."""
        return self.clip(other.first, other.last)

    def clip(self, first: date | None, last: date | None) -> "Period | None":
        """What is left from `first` to `last` (both inclusive, None is open), or None."""
        start = self.first if first is None or first < self.first else first
        end = self.last if last is None or last > self.last else last
        return Period(start, end) if start <= end else None

    def overlaps(self, other: "Period") -> bool:
        """Whether they share a day."""
        return self.first <= other.last and other.first <= self.last

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        """That whole calendar month."""
        return cls(date(year, month, 1), date(year, month, days_in_month(year, month)))
