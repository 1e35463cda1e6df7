"""Whether the values of a database are such that ProMan can read them, column by column.

SQLite keeps whatever it is given in a column of any type; a server, and the pages, do not. A bit
that flipped inside a day or a name would else be found by the first page that shows it.
"""

from __future__ import annotations

from collections.abc import Iterable

from proman.base.errors import Refused
from proman.database.driver import sqlite3
from proman.database.sqlite_copy import quoted

_TEXT = "typeof({0}) = 'text' AND instr({0}, char(0)) = 0"
# Beside a column for days a comparison makes a number of '0001'; the + takes its type away.
_DAY = "typeof({0}) = 'text' AND +{0} >= '0001' AND date({0}) IS {0}"
# As SQLAlchemy writes it: with six decimals, or with none.
_MOMENT = (
    "typeof({0}) = 'text' AND +{0} >= '0001' AND (date({0}) IS {0}"
    " OR datetime(substr({0}, 1, 19)) IS substr({0}, 1, 19) AND (length({0}) = 19"
    " OR substr({0}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'))"
)
_RULES = {
    "INTEGER": "typeof({0}) = 'integer'",
    "BIGINT": "typeof({0}) = 'integer'",
    "BOOLEAN": "{0} IN (0, 1)",
    "DATE": _DAY,
    "DATETIME": _MOMENT,
    "TEXT": _TEXT,
    "VARCHAR": _TEXT + " AND length({0}) <= {1}",
    "BLOB": "typeof({0}) = 'blob'",
}


def wrong_value(connection: sqlite3.Connection, tables: Iterable[str]) -> str:
    """In a sentence, the first value in these tables that no restore would take; else nothing."""
    try:
        for table in tables:
            require_values(connection, table)
    except Refused as refusal:
        return refusal.message
    return ""


def require_values(connection: sqlite3.Connection, table: str) -> None:
    """Raises Refused for the first value of the table that is none of its column's type.

    The types are those that the table declares; what it declares beside ours is not looked at.
    """
    rows = connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
    declared = {row[1]: row[2] for row in rows if _base(row[2]) in _RULES}
    if not declared:
        return
    wrong = " ".join(_case(name, kind) for name, kind in declared.items())
    texts = [name for name, kind in declared.items() if _base(kind) in ("VARCHAR", "TEXT")]
    # The texts are read only to see whether they are UTF-8, which no function of SQLite tells.
    columns = ", ".join(["rowid", f"CASE {wrong} END", *map(quoted, texts)])
    try:
        read = connection.execute(f"SELECT {columns} FROM {quoted(table)}")
        found = next((row[:2] for row in read if row[1] is not None), None)
    except sqlite3.OperationalError as error:
        where = _damaged_text(connection, table, texts)
        if not where:
            raise
        raise Refused(f"A text of {table}.{where} is no UTF-8.") from error
    if found is not None:
        row, name = found
        raise Refused(f"A value of {table}.{name} is no {declared[name]} (row {row}).")


def _case(name: str, kind: str) -> str:
    length = kind.rstrip(")").partition("(")[2]
    rule = _RULES[_base(kind)].format(quoted(name), length)
    return f"WHEN {quoted(name)} IS NOT NULL AND NOT ({rule}) THEN '{name}'"


def _base(kind: str) -> str:
    return kind.partition("(")[0]


def _damaged_text(connection: sqlite3.Connection, table: str, texts: list[str]) -> str:
    """The column and row of the first text that cannot be read; nothing when it was not that."""
    if not texts:
        return ""
    columns = ", ".join(map(quoted, texts))
    before, connection.text_factory = connection.text_factory, bytes
    try:
        for row, *read in connection.execute(f"SELECT rowid, {columns} FROM {quoted(table)}"):
            for name, one in zip(texts, read, strict=True):
                if isinstance(one, bytes) and one.decode(errors="ignore").encode() != one:
                    return f"{name} (row {row})"
    finally:
        connection.text_factory = before
    return ""
