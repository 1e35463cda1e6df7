"""Amounts of money as whole minor units of one currency, and the rounding of the trade."""

import re
from dataclasses import dataclass

from proman.base.errors import Refused

_NO_DECIMALS = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()
)
_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_CURRENCY = re.compile(r"[A-Z]{3}")
_BLANKS = re.compile(r"[\s\u00a0\u202f'’]")
_MAX_DIGITS = 15


def exponent(currency: str) -> int:
    """How many decimals the currency has (ISO 4217): 0 for JPY, 3 for KWD, else 2."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def round_half_away(numerator: int, denominator: int) -> int:
    """The quotient as a whole number; halves are rounded away from zero.

    `denominator` must not be nil.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if numerator < 0:
        return -((-2 * numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def decimal_string(minor: int, currency: str) -> str:
    """Minor units as a plain decimal with all decimals of the currency: 48387 EUR is "483.87"."""
    places = exponent(currency)
    sign = "-" if minor < 0 else ""
    if places == 0:
        return f"{sign}{abs(minor)}"
    whole, part = divmod(abs(minor), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """`minor` units (cents, yen, fils) of an ISO 4217 `currency`; never mixed with another."""

    currency: str
    minor: int

    def __init__(self, minor: int, currency: str) -> None:
        if isinstance(minor, bool) or not isinstance(minor, int):
            raise TypeError("money is a whole number of minor units")
        if not _CURRENCY.fullmatch(currency):
            raise ValueError(f"not an ISO 4217 currency: {currency!r}")
        object.__setattr__(self, "minor", minor)
        object.__setattr__(self, "currency", currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be reckoned together")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, factor: int) -> "Money":
        return Money(self.minor * factor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def times(self, numerator: int, denominator: int) -> "Money":
        """The amount × numerator ÷ denominator, rounded once, halves away from zero."""
        return Money(round_half_away(self.minor * numerator, denominator), self.currency)

    def to_decimal_string(self) -> str:
        """For JSON and CSV: "483.87", "-5.00", without sign of currency or grouping."""
        return decimal_string(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.to_decimal_string()} {self.currency}"


def parse_amount(text: str, currency: str) -> Money:
    """Reads an amount typed by a person: "1000", "1000.5", "483,87", "1.234,50", "1'000.00".

    A point or a comma may be the decimal sign; what could be read in two ways ("1,000") is
    refused, never guessed, and so are more decimals than the currency has. Raises Refused.
    """
    bare = _BLANKS.sub("", text).replace("\N{MINUS SIGN}", "-")
    match = re.fullmatch(r"([+-]?)([0-9][0-9.,]*|[.,][0-9]+)", bare)
    if match is None:
        raise Refused(f"“{text.strip()}” is not an amount. Write it like 1234.50.")
    whole, part = _split_decimals(match[2], text.strip(), currency)
    places = exponent(currency)
    if len(part.rstrip("0")) > places:
        raise Refused(f"{currency} has {places} decimals; “{text.strip()}” has more.")
    digits = (whole or "0") + part[:places].ljust(places, "0")
    if len(digits.lstrip("0")) > _MAX_DIGITS:
        raise Refused(f"“{text.strip()}” is too large an amount.")
    return Money(-int(digits) if match[1] == "-" else int(digits), currency)


def _split_decimals(number: str, shown: str, currency: str) -> tuple[str, str]:
    """Whole digits and decimal digits of an unsigned number; refuses what is ambiguous."""
    unclear = Refused(f"“{shown}” can be read in more than one way. Write it like 1234.50.")
    signs = {sign for sign in number if sign in ".,"}
    if not signs:
        return number, ""
    decimal = max(signs, key=number.rfind)
    whole, _, part = number.rpartition(decimal)
    if len(signs) == 2:
        (group,) = signs - {decimal}
        if decimal in whole or not re.fullmatch(rf"\d{{1,3}}(\{group}\d{{3}})+", whole):
            raise unclear
        return whole.replace(group, ""), part
    if decimal in whole:
        if not re.fullmatch(rf"\d{{1,3}}(\{decimal}\d{{3}})+", number):
            raise unclear
        return number.replace(decimal, ""), ""
    if len(part) == 3 and whole not in ("", "0") and exponent(currency) != 3:
        if exponent(currency) == 0 and re.fullmatch(r"[1-9]\d{0,2}", whole):
            return whole + part, ""  # there are no decimals that it could be
        raise unclear
    return whole, part
