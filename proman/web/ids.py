"""Owns how records' numbers stand in requests: never beyond what a database can hold."""

from collections.abc import Iterable
from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

GREATEST_ID = 2**63 - 1
_MOST_DIGITS = len(str(GREATEST_ID))
"""Python itself refuses to read a number of thousands of digits, so their count comes first."""


def id_of(text: str | None) -> int | None:
    """The record's number that a request names, or None where no record can have it."""
    bare = text or ""
    if len(bare) > _MOST_DIGITS or not (bare.isascii() and bare.isdecimal()):
        return None
    found = int(bare)
    return found if found <= GREATEST_ID else None


def ids_of(texts: Iterable[str]) -> list[int]:
    """The records' numbers among what a request names, in its order; what is none is left out."""
    return [found for text in texts if (found := id_of(text)) is not None]


class RecordNumber(IntegerConverter):
    """`<int:…>` in an address; a greater number leads nowhere instead of to the database."""

    def __init__(self, map: Map, *arguments: Any, **options: Any) -> None:
        super().__init__(map, *arguments, **{"max": GREATEST_ID, **options})


def install(app: Flask) -> None:
    """Let every `<int:…>` be a record's number."""
    app.url_map.converters["int"] = RecordNumber
