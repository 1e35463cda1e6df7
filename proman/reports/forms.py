"""What is asked of a report: a day, a span of days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from proman.base.errors import Refused
from proman.base.period import add_months
from proman.identity.session import current_organization

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a statement, both inclusive, and what was wrong with those asked for."""

    first: date
    last: date
    error: str = ""


def day_asked(arguments: Mapping[str, str], today: date) -> date:
    """The day `as_of` of an address; today where it has none. Raises Refused for no day."""
    return _day(arguments.get("as_of", "")) or today


def known_asked(arguments: Mapping[str, str]) -> date | None:
    """The day `known` of an address, at whose end the books are asked; None for as known now."""
    return _day(arguments.get("known", ""))


def known_at(day: date | None) -> datetime | None:
    """The last moment (UTC) of a day of the organization; None where no day is asked."""
    if day is None:
        return None
    zone = ZoneInfo(current_organization().time_zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(ZoneInfo("UTC"))
    return end.replace(tzinfo=None) - timedelta(microseconds=1)


def span_asked(arguments: Mapping[str, str], today: date, months: int = 12) -> Span:
    """The days `from` and `to` of an address; by default so many months up to today."""
    usual = Span(add_months(today.replace(day=1), 1 - months), today)
    first = _day(arguments.get("from", "")) or usual.first
    last = _day(arguments.get("to", "")) or usual.last
    if last < first:
        return Span(usual.first, usual.last, "The last day is before the first day.")
    return Span(first, last)


def _day(text: str) -> date | None:
    """The day that an address names, None where it names none. Raises Refused for what is no day.

    Figures of another day than the one asked would be taken for those of that day.
    """
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise Refused(f"“{text.strip()[:40]}” is no day. Write it like 2026-11-30.") from None
    if not EARLIEST <= day <= LATEST:
        raise Refused(f"Choose a day from {EARLIEST:%Y} to {LATEST:%Y}.")
    return day
