"""What is asked of a report: a day, a span of days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from proman.base.period import add_months

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a statement, both inclusive, and what was wrong with those asked for."""

    first: date
    last: date
    error: str = ""


def day_asked(arguments: Mapping[str, str], today: date) -> date:
    """The day `as_of` of an address; today where it has none or one that cannot be."""
    return _day(arguments.get("as_of", "")) or today


def span_asked(arguments: Mapping[str, str], today: date) -> Span:
    """The days `from` and `to` of an address; by default twelve months up to today."""
    usual = Span(add_months(today.replace(day=1), -11), today)
    first = _day(arguments.get("from", "")) or usual.first
    last = _day(arguments.get("to", "")) or usual.last
    if last < first:
        return Span(usual.first, usual.last, "The last day is before the first day.")
    return Span(first, last)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None
