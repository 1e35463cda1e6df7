"""Writes amounts, days and instants in an organization's manner, fast enough for long lists."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_currency, format_decimal

from proman.base.money import exponent

LOCALES = {
    "en_GB": "English (United Kingdom): 31 Dec 2026, £1,234.56",
    "en_US": "English (United States): Dec 31, 2026, $1,234.56",
    "en_IE": "English (Ireland)",
    "en_CA": "English (Canada)",
    "en_AU": "English (Australia)",
    "en_NZ": "English (New Zealand)",
    "en_ZA": "English (South Africa)",
    "en_IN": "English (India)",
    "de_DE": "German (Germany): 31.12.2026, 1.234,56 €",
    "de_AT": "German (Austria)",
    "de_CH": "German (Switzerland)",
    "fr_FR": "French (France)",
    "fr_CH": "French (Switzerland)",
    "es_ES": "Spanish (Spain)",
    "it_IT": "Italian (Italy)",
    "nl_NL": "Dutch (Netherlands)",
    "pl_PL": "Polish (Poland)",
    "pt_PT": "Portuguese (Portugal)",
    "sv_SE": "Swedish (Sweden)",
    "da_DK": "Danish (Denmark)",
    "nb_NO": "Norwegian (Norway)",
    "fi_FI": "Finnish (Finland)",
}
"""The manners of dates and numbers that an organization can choose."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """What Babel says once of a currency in a locale, so that an amount is only put together."""

    before: str
    after: str
    minus_before: str
    minus_after: str
    group: str
    decimal: str
    places: int


@lru_cache(maxsize=256)
def _manner(currency: str, locale: str) -> _Manner | None:
    places = exponent(currency)
    sample = Decimal(1234567).scaleb(0) + (Decimal(89).scaleb(-2) if places == 2 else 0)
    digits = {0: "1{g}234{g}567", 2: "1{g}234{g}567{d}89", 3: "1{g}234{g}567{d}000"}[places]
    symbols = Locale.parse(locale).number_symbols["latn"]
    group, decimal = str(symbols["group"]), str(symbols["decimal"])
    number = digits.format(g=group, d=decimal)
    positive = format_currency(sample, currency, locale=locale)
    negative = format_currency(-sample, currency, locale=locale)
    if number not in positive or number not in negative:
        return None
    before, after = positive.split(number)
    minus_before, minus_after = negative.split(number)
    return _Manner(before, after, minus_before, minus_after, group, decimal, places)


@lru_cache(maxsize=65536)
def format_money(minor: int, currency: str, locale: str) -> str:
    """Minor units with the currency's sign, in the locale's manner: 48387 EUR → "€483.87"."""
    manner = _manner(currency, locale)
    if manner is None:
        amount = Decimal(minor).scaleb(-exponent(currency))
        return str(format_currency(amount, currency, locale=locale))
    whole, part = divmod(abs(minor), 10**manner.places)
    number = f"{whole:,}".replace(",", manner.group)
    if manner.places:
        number = f"{number}{manner.decimal}{part:0{manner.places}d}"
    if minor < 0:
        return f"{manner.minus_before}{number}{manner.minus_after}"
    return f"{manner.before}{number}{manner.after}"


@lru_cache(maxsize=16384)
def format_day(day: date, locale: str) -> str:
    """A date in the locale's medium manner."""
    return str(format_date(day, format="medium", locale=locale))


@lru_cache(maxsize=4096)
def format_month(day: date, locale: str) -> str:
    """The month of a date with its year, in the locale's manner."""
    return str(format_skeleton("yMMMM", day, locale=locale))


def format_moment(moment: datetime, locale: str, time_zone: str) -> str:
    """A naive UTC instant as local date and time."""
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone))
    return str(format_datetime(local, format="medium", locale=locale))


def format_scaled(value: int, places: int, locale: str) -> str:
    """A scaled integer as a decimal without trailing noughts: (6822, 2) → "68.22"."""
    amount = Decimal(value).scaleb(-places)
    return str(format_decimal(amount.normalize() if value else Decimal(0), locale=locale))


def format_index(value: int, locale: str) -> str:
    """Thousandths as an index is published, with one to three decimals: 130000 → "130.0"."""
    return str(format_decimal(Decimal(value).scaleb(-3), "#,##0.0##", locale=locale))


def format_rate(rate: int, locale: str) -> str:
    """A tax rate in thousandths of a per cent: 19000 → "19 %"."""
    return f"{format_scaled(rate, 3, locale)}\u00a0%"
