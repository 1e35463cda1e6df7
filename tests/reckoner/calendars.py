"""Periods and due dates.

From the rules' sections "Lease" (frequencies, anniversaries reckoned from the first day each
time, holding over) and "Due, issued, period" (what is due when).
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from tests.reckoner.terms import DAY, MONTHS, WEEKS, DueRule, Lease


def in_month(months: int, day: int) -> date:
    """The day of the month that is so many months after the year nought, clipped."""
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def full_periods(lease: Lease) -> Iterator[tuple[date, date]]:
    """First and last day of every whole period, without end, from the one of the first day."""
    start, number = lease.first, 0
    if lease.frequency in WEEKS:
        length = timedelta(weeks=WEEKS[lease.frequency])
        while True:
            yield start, start + length - DAY
            start += length
    months = MONTHS[lease.frequency]
    anchor, day = month_of(lease.first), lease.first.day
    if not lease.anniversary:
        anchor, day = anchor - anchor % months, 1
    while True:
        start = in_month(anchor + number * months, day)
        number += 1
        yield start, in_month(anchor + number * months, day) - DAY


@lru_cache(maxsize=65536)
def day_of_rule(rule: DueRule, months: int) -> date:
    """The rule's day in that month: clipped to the last day, or to the last working day."""
    if not rule.working:
        return in_month(months, rule.number)
    last = in_month(months, 31)
    days = [last.replace(day=number) for number in range(1, last.day + 1)]
    working = [day for day in days if day.weekday() < 5 and day not in rule.holidays]
    return working[min(rule.number, len(working)) - 1]


def due_date(lease: Lease, start: date, end: date) -> date:
    """When the whole period is due."""
    if lease.frequency in WEEKS:
        due = end + DAY if lease.arrears else start
    elif not lease.arrears:
        due = day_of_rule(lease.due, month_of(start) + lease.due.months)
    elif not lease.anniversary:
        due = day_of_rule(lease.due, month_of(end) + 1)
    else:
        months = month_of(end)
        while (due := day_of_rule(lease.due, months)) <= end:
            months += 1
    return max(due, lease.first)


@dataclass(frozen=True)
class Piece:
    """What is billed at once: days of a whole period; `begins` is the lease's first day in it.

    It begins later than that when it is the rest, after the agreed last day, or after a day on
    which the charge itself was to end (`cut`).
    """

    full_start: date
    full_end: date
    begins: date
    start: date
    end: date
    due: date
    cut: bool = False

    @property
    def is_rest(self) -> bool:
        return self.start > self.begins


def pieces(lease: Lease, as_of: date) -> Iterator[Piece]:
    """All that a run on `as_of` bills if it was not billed before."""
    last = lease.last_known(as_of)
    horizon = as_of + timedelta(days=lease.lead)
    for start, end in full_periods(lease):
        begins = max(start, lease.first)
        if start > horizon + timedelta(days=62) or (last and begins > last):
            return
        due = due_date(lease, start, end)
        for first, final in parts(lease.agreed_last, begins, min(end, last or end)):
            held_over = lease.agreed_last is not None and first > lease.agreed_last
            when = max(due, lease.agreed_last + DAY) if held_over and lease.agreed_last else due
            begun = lease.cut_over is not None and first <= lease.cut_over
            if when <= horizon and not begun:
                yield Piece(start, end, begins, first, final, when)


def parts(agreed_last: date | None, start: date, end: date) -> list[tuple[date, date]]:
    """ "The period that holds the agreed last day is billed to that day"; then its rest."""
    if agreed_last is None or not start <= agreed_last < end:
        return [(start, end)]
    return [(start, agreed_last), (agreed_last + DAY, end)]
