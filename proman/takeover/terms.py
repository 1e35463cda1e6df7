"""Reads the words of terms: due days, how often rent is paid, rooms, and the state of a row."""

import re
from dataclasses import dataclass
from decimal import Decimal

from proman.base.errors import Refused
from proman.leases.rules import DueRule, Frequency, Periods, Timing
from proman.takeover.words import any_of, meanings, plain

FREQUENCIES = tuple(each.value for each in Frequency)
PERIODS = tuple(each.value for each in Periods)
TIMINGS = tuple(each.value for each in Timing)
STATUSES = ("current", "holdover", "vacant", "future", "ended")


def _has(bare: str, name: str) -> bool:
    padded = f" {bare} "
    return any(f" {word} " in padded for word in any_of(name))


def read_due(text: str) -> str:
    """“3. Werktag” is workday:3, “1.” day:1, “Ultimo” day:31, “15. des Vormonats” day:15:before.

    Raises Refused on what is none of these.
    """
    stated = text.strip().lower()
    if re.fullmatch(r"(day|workday):\d+(:(before|after))?", stated):
        return str(DueRule.parse(stated))
    bare = plain(text)
    shift = ":before" if _has(bare, "month_before") else ""
    shift = ":after" if _has(bare, "month_after") else shift
    if _has(bare, "month_end"):
        return f"day:31{shift}"
    numbers = re.findall(r"\d+", bare)
    if len(numbers) != 1:
        raise Refused(f"“{text}” is not a due day. Write it like “1.”, “5th” or “3. Werktag”.")
    kind = "workday" if _has(bare, "working_day") else "day"
    return str(DueRule.parse(f"{kind}:{int(numbers[0])}{shift}"))


def read_frequency(text: str) -> str:
    """“monatlich”, “quarterly”, “annuel”: the name of the frequency. Raises Refused."""
    bare = plain(text)
    by_name = {plain(each.value): each.value for each in Frequency}
    found = by_name.get(bare) or meanings("frequency").get(bare)
    if found is None:
        raise Refused(f"“{text}” is not a frequency: {', '.join(Frequency)}.")
    return found


def frequency_in(heading: str) -> str:
    """The frequency that a heading such as “Monthly rent” or “Loyer annuel” tells, or nothing."""
    bare = plain(heading)
    padded = f" {bare} "
    for word, found in meanings("frequency").items():
        if len(word) > 2 and f" {word} " in padded:
            return found
    compounds = {"monatsmiete": "monthly", "jahresmiete": "yearly", "quartalsmiete": "quarterly"}
    compounds |= {"maandhuur": "monthly", "jaarhuur": "yearly"}
    return compounds.get(bare, "")


def read_status(text: str) -> str | None:
    """What a status word means (one of STATUSES), or None when the word is not known."""
    bare = plain(text)
    if bare in STATUSES:
        return bare
    found = meanings("status").get(bare)
    return found or ("vacant" if bare in any_of("vacant") else None)


@dataclass(frozen=True, slots=True)
class Rooms:
    """Whole bedrooms, and bathrooms in tenths (1.5 is 15)."""

    bedrooms: int | None
    bathrooms: int | None


def _count(text: str, places: int, shown: str) -> int:
    """Rooms never have thousands: a point and a comma both are the decimal sign."""
    number = Decimal(text.replace(",", "."))
    scaled = number.scaleb(places)
    if scaled != scaled.to_integral_value() or number > 99:
        raise Refused(f"“{shown}” is not a number of rooms.")
    return int(scaled)


def read_count(text: str, places: int) -> int | None:
    """A number of rooms in units of 10^-places; “Studio” has no bedroom. Raises Refused."""
    bare = text.strip()
    if plain(bare) in ("studio", "loft", "efficiency"):
        return 0
    found = re.fullmatch(r"(\d{1,2}(?:[.,]\d{1,2})?)\s*(?:br|bd|ba|beds?|baths?)?", bare.lower())
    if found is None:
        raise Refused(f"“{text}” is not a number of rooms.")
    return _count(found[1], places, text)


def read_rooms(text: str) -> Rooms:
    """Cells such as “2/1.5”, “2 / 1”, “2x1”, “Studio/1”, “2bd/1ba”. Raises Refused."""
    parts = [part.strip() for part in re.split(r"[/x×|]", text.strip(), maxsplit=1)]
    if len(parts) != 2:
        raise Refused(f"“{text}” is not bedrooms/bathrooms, such as 2/1.5.")
    beds = None if parts[0] in ("", "-", "--") else read_count(parts[0], 0)
    baths = None if parts[1] in ("", "-", "--") else read_count(parts[1], 1)
    return Rooms(beds, baths)
