"""Owns pages by key: a page begins after (or ends before) a row, never at an offset."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from proman.base.errors import NotThere

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row a page begins after, or ends before: its sort value and its id."""

    value: Any
    id: int
    is_backward: bool = False

    def encode(self) -> str:
        """The cursor as it stands in an address."""
        kind, value = _to_json(self.value)
        text = json.dumps([kind, value, self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str, *, is_backward: bool) -> Cursor:
    """The cursor of an address; raises NotThere for one that ProMan did not make."""
    try:
        padded = text + "=" * (-len(text) % 4)
        kind, value, row_id = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        if isinstance(row_id, bool) or not isinstance(row_id, int):
            raise ValueError(row_id)
        return Cursor(_from_json(kind, value), row_id, is_backward)
    except (ValueError, TypeError, UnicodeEncodeError, binascii.Error) as error:
        raise NotThere("This page of the list does not exist.") from error


def _to_json(value: Any) -> tuple[str, Any]:
    if isinstance(value, datetime):
        return "t", value.isoformat()
    if isinstance(value, date):
        return "d", value.isoformat()
    return ("i", value) if isinstance(value, int) else ("s", str(value))


def _from_json(kind: str, value: Any) -> Any:
    if kind == "t":
        return datetime.fromisoformat(value)
    if kind == "d":
        return date.fromisoformat(value)
    if kind == "i" and isinstance(value, int):
        return value
    if kind == "s" and isinstance(value, str):
        return value
    raise ValueError(kind)
