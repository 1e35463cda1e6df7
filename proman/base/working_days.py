"""The n-th working day of a month, by the public holidays of a country's region."""

from collections.abc import Container
from datetime import date
from functools import lru_cache

from proman.base.period import Period

SATURDAY, SUNDAY = 5, 6


@lru_cache(maxsize=1024)
def _free_days(country: str, region: str, year: int) -> tuple[Container[date], frozenset[int]]:
    """Public holidays and weekly days of rest; none are known for a country without rules.

    The library's public category holds only what is a holiday in the whole of the region.
    """
    import holidays  # takes a moment to load, and most leases are due on a plain day

    rest = frozenset({SATURDAY, SUNDAY})
    known = holidays.list_supported_countries()
    if country not in known:
        return frozenset(), rest
    subdivision = region if region in known[country] else None
    calendar = holidays.country_holidays(country, subdiv=subdivision, years=year)
    return frozenset(calendar), frozenset(calendar.weekend) | {SATURDAY}


@lru_cache(maxsize=65536)
def working_day(year: int, month: int, n: int, country: str = "", region: str = "") -> date:
    """The n-th working day (from 1) of the month; where it has fewer, the last one.

    Saturdays are not working days. `country` is ISO 3166-1, `region` its subdivision's code;
    an unknown one has no holidays. The third of January 2027 is the 6th, in Bavaria the 7th.
    """
    closed, rest = _free_days(country, region, year)
    month_days = Period.month(year, month)
    open_days = [d for d in month_days if d.weekday() not in rest and d not in closed]
    return open_days[min(n, len(open_days)) - 1] if open_days else month_days.last
