"""Checks what a person answers to the questions of an import, and keeps it in the mapping."""

from dataclasses import replace
from datetime import date
from typing import Any

from proman.base.errors import Refused
from proman.takeover.days import ORDERS
from proman.takeover.headings import LABELS
from proman.takeover.mapping import Mapping
from proman.takeover.numbers import DECIMALS
from proman.takeover.plan import NEGATIVE_OWED, POSITIVE_OWED
from proman.takeover.terms import FREQUENCIES, PERIODS, STATUSES, TIMINGS, read_due
from proman.takeover.texts import DELIMITERS, ENCODINGS

CHOICES: dict[str, tuple[str, ...]] = {
    "date_order": ORDERS,
    "decimal": DECIMALS,
    "balance_sign": (POSITIVE_OWED, NEGATIVE_OWED),
    "frequency": FREQUENCIES,
    "periods": PERIODS,
    "timing": TIMINGS,
    "group_rows": ("property", "ignore"),
    "encoding": ENCODINGS,
    "delimiter": tuple(DELIMITERS),
    "columns": tuple(LABELS),
    "status": STATUSES,
}


def check(key: str, answer: str) -> str:
    """The answer in the form that is kept; an empty one stays open. Raises Refused."""
    text = answer.strip()
    if not text:
        return ""
    if key == "cut_over":
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise Refused(f"“{text}” is not a date; write YYYY-MM-DD.", key) from None
    if key == "due":
        try:
            return read_due(text)
        except Refused as refusal:
            raise Refused(refusal.message, key) from None
    if key == "property" and len(text) > 200:
        raise Refused("A property’s name has at most 200 characters.", key)
    if key in CHOICES and text not in CHOICES[key]:
        raise Refused(f"“{text}” is none of {', '.join(CHOICES[key])}.", key)
    return text


def answered(mapping: Mapping, key: str, answer: str) -> Mapping:
    """The mapping with that question answered; raises Refused on what is no answer to it."""
    if key.startswith("columns."):
        return replace(mapping, columns=mapping.columns | {key[8:]: check("columns", answer)})
    if key.startswith("status."):
        return replace(mapping, statuses=mapping.statuses | {key[7:]: check("status", answer)})
    found: dict[str, Any] = {key: check(key, answer)}
    return replace(mapping, **found)


def checked(mapping: Mapping) -> Mapping:
    """The mapping of a map file with every answer in the form that is kept. Raises Refused."""
    keys = [*CHOICES.keys() - {"columns", "status"}, "cut_over", "due", "property"]
    found: dict[str, Any] = {key: check(key, getattr(mapping, key)) for key in keys}
    for meaning in mapping.statuses.values():
        check("status", meaning)
    return replace(mapping, **found)
