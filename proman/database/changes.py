"""Tells what differs between models and database as a person would say it, and what loses data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from sqlalchemy import Dialect
from sqlalchemy.types import TypeEngine

from proman.database.common_ground import is_mysql

_NUMBERS = {"SMALLINT": 2, "INTEGER": 4, "BIGINT": 8}
_SIZES = {"TINY": 255, "": 65_535, "MEDIUM": 16_777_215, "LONG": 4_294_967_295}
_COLLATION = re.compile(r" (CHARACTER SET|COLLATE) .*")
_THINGS = {"fk": "reference", "constraint": "unique"}


@dataclass(frozen=True)
class Change:
    """One thing that is done, in words."""

    words: str
    loses_data: bool = False

    def __str__(self) -> str:
        return f"LOSES DATA: {self.words}" if self.loses_data else self.words


def in_words(diff: tuple[Any, ...], dialect: Dialect) -> Change:
    """One of Alembic's differences, and whether data is lost when it is applied."""
    kind = diff[0]
    if kind == "modify_type":
        before, after = (one.compile(dialect=dialect) for one in diff[5:7])
        words = f"change the type of {diff[2]}.{diff[3]} from {before} to {after}"
        return Change(words, is_narrower(diff[5], diff[6], dialect))
    if kind == "modify_nullable":
        return Change(f"let {diff[2]}.{diff[3]} {'' if diff[6] else 'not '}be empty")
    if kind.startswith("modify_"):
        return Change(f"change the {kind.removeprefix('modify_')} of {diff[2]}.{diff[3]}")
    verb, _, what = kind.partition("_")
    name = diff[-1].name if what == "table" else f"{table_of(diff)}.{diff[-1].name}"
    is_loss = kind in ("remove_table", "remove_column")
    return Change(
        f"{'make' if verb == 'add' else 'drop'} {_THINGS.get(what, what)} {name}", is_loss
    )


def table_of(diff: tuple[Any, ...]) -> str:
    """The table that one of Alembic's differences is about."""
    thing = diff[-1]
    if diff[0].endswith("_table"):
        return str(thing.name)
    if diff[0].startswith("modify_") or diff[0].endswith("_column"):
        return str(diff[2])
    return str(thing.table.name)


def is_narrower(before: TypeEngine[Any], after: TypeEngine[Any], dialect: Dialect) -> bool:
    """Whether some value of the one type may not fit into the other."""
    old, new = (_room(one.compile(dialect=dialect), dialect) for one in (before, after))
    return new.kind != old.kind or new.size < old.size


class _Room(NamedTuple):
    """What kind of values a type takes, and how long or great they may be."""

    kind: str
    size: float


def _room(name: str, dialect: Dialect) -> _Room:
    bare, _, length = _COLLATION.sub("", name).partition("(")
    if bare in _NUMBERS:
        return _Room("number", _NUMBERS[bare])
    if length and bare in ("CHAR", "VARCHAR", "BLOB"):
        return _Room("bytes" if bare == "BLOB" else "text", float(length.rstrip(")")))
    for kind, ending in (("text", "TEXT"), ("bytes", "BLOB")):
        if bare.endswith(ending) and bare.removesuffix(ending) in _SIZES:
            return _Room(kind, _SIZES[bare.removesuffix(ending)] if is_mysql(dialect) else inf)
    return _Room("text", inf) if bare == "VARCHAR" else _Room(name, 0)
