"""Owns how a record's number stands in an address: never beyond what a database can hold."""

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

GREATEST_ID = 2**63 - 1


class RecordNumber(IntegerConverter):
    """`<int:…>` in an address; a greater number leads nowhere instead of to the database."""

    def __init__(self, map: Map, *arguments: Any, **options: Any) -> None:
        super().__init__(map, *arguments, **{"max": GREATEST_ID, **options})


def install(app: Flask) -> None:
    """Let every `<int:…>` be a record's number."""
    app.url_map.converters["int"] = RecordNumber
