"""Reads dates as rent rolls write them, in either order of day and month."""

import re
from datetime import date
from functools import lru_cache

from babel.dates import get_month_names

from proman.base.errors import Refused
from proman.takeover.words import languages, plain

ORDERS = ("dmy", "mdy")
_TIME = re.compile(r"[ T]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp]\.?[Mm]\.?)?$")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NUMERIC = re.compile(r"(\d{1,2}) ?[-/. ] ?(\d{1,2}) ?[-/. ] ?(\d{4}|\d{2})\.?")
_IN_TITLE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.] ?\d{1,2}[-/.] ?\d{4}"
    r"|\d{1,2}\.? [^\W\d_]{3,}\.? \d{4}|[^\W\d_]{3,}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}"
)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for language in languages():
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                found = get_month_names(width, context=context, locale=language.code)
                for number, name in found.items():
                    names.setdefault(plain(name), number)
    return names | {"sept": 9}


def _made(year: int, month: int, day: int) -> date | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR and year != 9999:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(text: str) -> int:
    """Two digits are the years 1970 to 2069."""
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)


def _named(text: str) -> date | None:
    """“31 Oct 2026”, “October 31st, 2026”, “1er mars 2024”, “1. März 2024”."""
    words = plain(text).split()
    months = [word for word in words if word in _months()]
    numbers = [
        re.sub(r"(?<=\d)(st|nd|rd|th|er|o|a|e)$", "", word) for word in words if word[0].isdigit()
    ]
    if len(months) != 1 or len(numbers) != 2 or len(words) > 5:
        return None
    day, year = numbers if len(numbers[1]) >= len(numbers[0]) else reversed(numbers)
    if not day.isdigit() or not year.isdigit() or len(year) not in (2, 4):
        return None
    return _made(_year(year), _months()[months[0]], int(day))


def _readings(text: str) -> dict[str, date]:
    """From each order to the day it gives; the same day where the order does not matter."""
    bare = _TIME.sub("", text.strip())
    sure: date | None
    if found := _ISO.fullmatch(bare) or _COMPACT.fullmatch(bare):
        sure = _made(int(found[1]), int(found[2]), int(found[3]))
    elif found := _NUMERIC.fullmatch(bare):
        first, second, year = int(found[1]), int(found[2]), _year(found[3])
        ways = {"dmy": _made(year, second, first), "mdy": _made(year, first, second)}
        return {order: day for order, day in ways.items() if day}
    else:
        sure = _named(bare)
    return dict.fromkeys(ORDERS, sure) if sure else {}


def orders(text: str) -> frozenset[str]:
    """The orders (dmy, mdy) by which the text is a day; none: it is not a date."""
    return frozenset(_readings(text))


def is_ambiguous(text: str) -> bool:
    """Whether both orders give a day, and not the same one."""
    return len(set(_readings(text).values())) > 1


def read_day(text: str, order: str) -> date:
    """The day, by the file's order of day and month (dmy or mdy). Raises Refused."""
    ways = _readings(text)
    if not ways:
        raise Refused(f"“{text}” is not a date.")
    if order not in ways:
        wanted = "day first" if order == "dmy" else "month first"
        raise Refused(f"“{text}” is not a date with the {wanted}.")
    return ways[order]


def days_in_title(text: str) -> list[str]:
    """The dates that a line above the table names, as they are written there."""
    return [found for found in _IN_TITLE.findall(text) if orders(found)]
