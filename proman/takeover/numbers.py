"""Reads numbers as rent rolls write them: signs of currency, brackets, groups, decimal signs."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel.numbers import list_currencies

from proman.base.errors import Refused

DECIMALS = ("point", "comma")
_SIGNS: dict[str, tuple[str, ...]] = {
    "US$": ("USD",),
    "CA$": ("CAD",),
    "C$": ("CAD",),
    "AU$": ("AUD",),
    "A$": ("AUD",),
    "NZ$": ("NZD",),
    "HK$": ("HKD",),
    "S$": ("SGD",),
    "R$": ("BRL",),
    "MX$": ("MXN",),
    "$": tuple("USD CAD AUD NZD SGD HKD MXN ARS CLP COP UYU TWD DOP BSD BBD JMD TTD XCD".split()),
    "€": ("EUR",),
    "£": ("GBP", "GIP", "FKP", "SHP", "EGP", "GGP", "JEP", "IMP"),
    "¥": ("JPY", "CNY"),
    "₹": ("INR",),
    "zł": ("PLN",),
    "Kč": ("CZK",),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "SFr": ("CHF",),
    "Fr": ("CHF",),
    "Ft": ("HUF",),
    "₺": ("TRY",),
    "₴": ("UAH",),
    "₽": ("RUB",),
    "₪": ("ILS",),
    "₩": ("KRW",),
    "₫": ("VND",),
    "₱": ("PHP",),
    "฿": ("THB",),
    "₦": ("NGN",),
    "lei": ("RON",),
    "лв": ("BGN",),
    "R": ("ZAR",),
}
_WORDS = re.compile(
    r"(?<![A-Za-zÀ-ž])("
    + "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
    + r"|[A-Z]{3})(?![A-Za-zÀ-ž])(?:(?<=Fr)\.|(?<=kr)\.)?"
)
_DASHES = dict.fromkeys(map(ord, "−‐‑‒–—"), "-")
_BLANKS = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_GROUPED = re.compile(r"(?<=\d)[ '’`´](?=\d{3}(?!\d))")
_FORMS = {
    "point": re.compile(r"\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?"),
    "comma": re.compile(r"\d+(,\d*)?|,\d+|\d{1,3}(\.\d{2,3})*\.\d{3}(,\d*)?"),
}
_NOTHING = frozenset(("", "-", "--", "./.", "n/a", "na", "k.a.", "nil", "none", "nihil"))


@dataclass(frozen=True, slots=True)
class Figure:
    """Digits and separators of a number, whether it is negative, and what currencies it can be."""

    body: str
    negative: bool
    currencies: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


def currencies_of(text: str) -> tuple[str, ...]:
    """The currencies (ISO 4217) that the signs and codes in the text may stand for."""
    for found in _WORDS.finditer(text.strip()):
        word = found[1]
        if word in _SIGNS and word != "R":
            return _SIGNS[word]
        if word in _codes():
            return (word,)
    return ()


def figure(text: str) -> Figure | None:
    """The parts of a number, or None where the cell says that there is none ("-", "n/a").

    Brackets, a minus before or after, CR and H (Haben) make it negative. Raises Refused.
    """
    bare = _BLANKS.sub(" ", text).translate(_DASHES).strip()
    currencies = currencies_of(bare)
    if currencies or re.match(r"R ?\d", bare):
        bare = _WORDS.sub(" ", bare, count=1).strip()
    if bare.lower() in _NOTHING:
        return None
    bare = re.sub(r"(?<=\d)[.,] ?--?$", "", bare)
    negative = False
    if bracketed := re.fullmatch(r"([^()]*)\(([^()]+)\)([^()]*)", bare):
        bare, negative = f"{bracketed[1]} {bracketed[2]} {bracketed[3]}".strip(), True
    if side := re.fullmatch(r"(.*\d)\s*(CR|DR|Cr|Dr|H|S)\.?", bare):
        bare, negative = side[1], negative != (side[2].upper() in ("CR", "H"))
    if signed := re.fullmatch(r"([+-]?) ?([^+-]*?) ?([+-]?)", bare):
        bare, negative = signed[2], negative != ("-" in (signed[1], signed[3]))
    bare = _GROUPED.sub("", bare.strip())
    if not re.fullmatch(r"[\d.,]*\d[\d.,]*", bare, re.ASCII):
        raise Refused(f"“{text}” is not a number.")
    return Figure(bare, negative, currencies)


def readings(text: str) -> frozenset[str]:
    """The decimal signs (point, comma) by which the text can be read; none: it is no number."""
    try:
        parts = figure(text)
    except Refused:
        return frozenset()
    if parts is None:
        return frozenset(DECIMALS)
    return frozenset(sign for sign, form in _FORMS.items() if form.fullmatch(parts.body))


def read_number(text: str, decimal: str) -> Decimal | None:
    """The number, by the file's decimal sign (point or comma); None for "-" and the like.

    Raises Refused for what is no number by that sign.
    """
    parts = figure(text)
    if parts is None:
        return None
    if not _FORMS[decimal].fullmatch(parts.body):
        raise Refused(f"“{text}” is not a number with a decimal {decimal}.")
    group, mark = (",", ".") if decimal == "point" else (".", ",")
    number = Decimal(parts.body.replace(group, "").replace(mark, "."))
    return -number if parts.negative else number


def to_units(number: Decimal, places: int) -> int | None:
    """The number in units of 10^-places, or None where it has more decimals than that."""
    scaled = number.scaleb(places)
    return int(scaled) if scaled == scaled.to_integral_value() else None
