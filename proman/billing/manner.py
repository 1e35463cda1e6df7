"""Owns how an organization's documents write amounts, rates and dates."""

from datetime import date
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal

from proman.base.money import decimal_string, exponent
from proman.web.formats import format_day, format_index, format_money, format_month, format_rate

_DASH = " – "
_FALLBACK = "en_GB"


@cache
def _known(locale: str) -> str:
    try:
        Locale.parse(locale)
    except (ValueError, UnknownLocaleError):
        return _FALLBACK
    return locale


class Manner:
    """How an organization writes amounts and dates: its locale and its one currency."""

    def __init__(self, locale: str, currency: str) -> None:
        self.locale = _known(locale)
        self.currency = currency

    def money(self, minor: int) -> str:
        """With the currency's sign: "1.000,00 €"."""
        return format_money(minor, self.currency, self.locale)

    def amount(self, minor: int) -> str:
        """Without it, for columns that name the currency: "1.000,00"."""
        places = exponent(self.currency)
        pattern = "#,##0" + ("." + "0" * places if places else "")
        value = Decimal(decimal_string(minor, self.currency))
        return format_decimal(value, pattern, locale=self.locale)

    def rate(self, thousandths: int) -> str:
        """A rate of tax: 19000 is "19 %"."""
        return format_rate(thousandths, self.locale)

    def day(self, day: date) -> str:
        return format_day(day, self.locale)

    def month(self, day: date) -> str:
        """The month of a day, with its year."""
        return format_month(day, self.locale)

    def index_value(self, value: int) -> str:
        """A published index: 117400 is "117.4"."""
        return format_index(value, self.locale)

    def days(self, first: date | None, last: date | None) -> str:
        """Both ends of a period, inclusive; empty where there is none."""
        if first is None:
            return ""
        return self.day(first) + (_DASH + self.day(last) if last and last != first else "")
