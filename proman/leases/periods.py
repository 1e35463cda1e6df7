"""The sequence of a lease's full periods, and the day on which each is due."""

from datetime import date, timedelta
from functools import lru_cache

from proman.base.period import Period, add_months, clipped
from proman.base.working_days import working_day
from proman.leases.rules import DueRule, Frequency, LeaseTerms, Periods, Timing

_ONE_DAY = timedelta(days=1)


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


@lru_cache(maxsize=4096)
def _calendar_period(block: int, months: int) -> Period:
    """The block-th stretch of so many calendar months since the year nil."""
    first_year, first_month = divmod(block * months, 12)
    next_year, next_month = divmod((block + 1) * months, 12)
    return Period(
        date(first_year, first_month + 1, 1), date(next_year, next_month + 1, 1) - _ONE_DAY
    )


def full_period(terms: LeaseTerms, index: int) -> Period:
    """The index-th full period (0 holds the lease's first day), as if the lease never ended.

    Weekly kinds and anniversary periods are reckoned from the first day each time, clipped:
    from 31 January: 31 Jan–27 Feb, 28 Feb–30 Mar, 31 Mar–29 Apr.
    """
    months = terms.frequency.months
    if not months:
        length = terms.frequency.days
        first = terms.first_day + timedelta(days=index * length)
        return Period(first, first + timedelta(days=length - 1))
    if terms.periods is Periods.CALENDAR:
        return _calendar_period(_month_number(terms.first_day) // months + index, months)
    following = add_months(terms.first_day, (index + 1) * months)
    return Period(add_months(terms.first_day, index * months), following - _ONE_DAY)


def period_index(terms: LeaseTerms, day: date) -> int:
    """Which full period holds that day (negative before the lease)."""
    months = terms.frequency.months
    if not months:
        return (day - terms.first_day).days // terms.frequency.days
    if terms.periods is Periods.CALENDAR:
        return _month_number(day) // months - _month_number(terms.first_day) // months
    index = (_month_number(day) - _month_number(terms.first_day)) // months
    return index - 1 if day < add_months(terms.first_day, index * months) else index


@lru_cache(maxsize=65536)
def day_in_month(rule: DueRule, month_number: int, country: str, region: str) -> date:
    """The rule's day in a month numbered year × 12 + month − 1, clipped to its last day."""
    year, month = divmod(month_number, 12)
    if rule.working_day:
        return working_day(year, month + 1, rule.n, country, region)
    return clipped(year, month + 1, rule.n)


def due_day(terms: LeaseTerms, full: Period) -> date:
    """When a full period is due, before it is held back to the lease's first day.

    In advance: in the month in which it begins (or the one before or after, as the rule says).
    In arrears: the first such day after the period's end, whatever month the rule says; after a
    calendar period that lies in the next month. Weekly kinds: on their first day, in arrears on
    the day after their end.
    """
    if terms.frequency.days:
        return full.first if terms.timing is Timing.ADVANCE else full.last + _ONE_DAY
    rule, place = terms.due_rule, (terms.country, terms.region)
    if terms.timing is Timing.ADVANCE:
        return day_in_month(rule, _month_number(full.first) + rule.shift, *place)
    day = day_in_month(rule, _month_number(full.last), *place)
    if day > full.last:
        return day
    return day_in_month(rule, _month_number(full.last) + 1, *place)


def periods_a_year(frequency: Frequency) -> int:
    """How many periods of a monthly kind make a year."""
    return 12 // frequency.months
