"""Owns the lists a business is described by: countries, regions, currencies, time zones."""

from functools import cache

import holidays
from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies

_english = Locale("en")
# Where a country has several time zones, the one in which most of its people live.
_POPULOUS = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta",
    "MX": "America/Mexico_City",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
}
Choices = list[tuple[str, str]]


@cache
def countries() -> Choices:
    """Codes and English names, by name."""
    pairs = [
        (code, name)
        for code, name in _english.territories.items()
        if len(code) == 2 and code.isalpha() and get_territory_currencies(code)
    ]
    return sorted(pairs, key=lambda pair: pair[1])


@cache
def currencies() -> Choices:
    """Codes and names of the currencies in use today, by code."""
    codes = {code for country, _ in countries() for code in get_territory_currencies(country)}
    return [(code, f"{code} · {_english.currencies.get(code, code)}") for code in sorted(codes)]


@cache
def regions(country: str) -> Choices:
    """Regions with public holidays of their own: codes and names, by name; none for most."""
    known = holidays.list_supported_countries(include_aliases=False).get(country)
    if not known:
        return []
    aliases = getattr(holidays.country_holidays(country), "subdivisions_aliases", {})
    names = {code: name for name, code in aliases.items()}
    return sorted(((code, names.get(code, code)) for code in known), key=lambda pair: pair[1])


def region_code(country: str, text: str) -> str | None:
    """The code of a region said by its code or its name, in any case; None for none of them."""
    wanted = text.casefold()
    return next(
        (c for c, name in regions(country) if wanted in (c.casefold(), name.casefold())), None
    )


@cache
def time_zones(country: str = "") -> Choices:
    """Every time zone; those of the country first."""
    of_country = get_global("territory_zones")
    own = of_country.get(country, [])
    every = sorted({zone for zones in of_country.values() for zone in zones} - set(own))
    return [(zone, zone.replace("_", " ")) for zone in [*sorted(own), *every]]


def usual_currency(country: str) -> str:
    """The currency of a country today."""
    return str((get_territory_currencies(country) or ["EUR"])[0])


def usual_time_zone(country: str) -> str:
    """The time zone of most people of a country."""
    zones = get_global("territory_zones").get(country) or ["Europe/London"]
    return _POPULOUS.get(country, str(zones[0]))


def usual_locale(country: str) -> str:
    """The manner of dates and numbers of a country, among those that ProMan offers."""
    from proman.web.formats import LOCALES

    return next((locale for locale in LOCALES if locale.endswith(f"_{country}")), "en_GB")


def is_time_zone(name: str) -> bool:
    """Whether a time zone is one that ProMan offers."""
    return any(zone == name for zone, _ in time_zones())
