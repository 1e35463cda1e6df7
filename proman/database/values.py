"""Whether the values of a database are such that ProMan can read them, column by column.

SQLite keeps whatever it is given in a column of any type; a server, and the pages, do not. A bit
that flipped inside a day or a name would else be found by the first page that shows it.
"""

from __future__ import annotations

from proman.base.errors import Refused
from proman.database.driver import sqlite3
from proman.database.sqlite_copy import quoted

_TEXT = "typeof({0}) = 'text' AND instr({0}, char(0)) = 0"
_DAY = "typeof({0}) = 'text' AND {0} >= '0001' AND date({0}) IS {0}"
# As SQLAlchemy writes it: with six decimals, or with none.
_MOMENT = (
    "typeof({0}) = 'text' AND {0} >= '0001' AND (date({0}) IS {0}"
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


def require_values(connection: sqlite3.Connection, table: str) -> None:
    """Raises Refused for the first value of the table that is none of its column's type.

    The types are those that the table declares, so it has to be one of our own making.
    """
    declared = dict(
        connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
    )
    wrong = " ".join(_case(name, kind) for name, kind in declared.items())
    texts = [quoted(name) for name, kind in declared.items() if kind.startswith(("VARC", "TEXT"))]
    # The texts are read only to see whether they are UTF-8, which no function of SQLite tells.
    rows = connection.execute(
        f"SELECT {', '.join([f'CASE {wrong} END', *texts])} FROM {quoted(table)}"
    )
    try:
        found = next((row[0] for row in rows if row[0] is not None), None)
    except sqlite3.OperationalError as error:
        raise Refused(f"A text in {table} is no UTF-8.") from error
    if found is not None:
        raise Refused(f"A value of {table}.{found} is no {declared[found]}.")


def _case(name: str, kind: str) -> str:
    base, _, length = kind.rstrip(")").partition("(")
    rule = _RULES[base].format(quoted(name), length)
    return f"WHEN {quoted(name)} IS NOT NULL AND NOT ({rule}) THEN '{name}'"
