"""The confined process that carries rows by named columns into a database made by ProMan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proman.base.errors import Refused
from proman.database.confined import main
from proman.database.driver import sqlite3
from proman.database.sqlite_copy import Progress, opened, quoted, uri
from proman.database.values import require_values


def rebuild(request: dict[str, Any], report: Progress) -> dict[str, Any]:
    """Copies the rows of `source` into the freshly migrated `target`, table by table.

    `request`: source, target, columns {table: [column]} as our own schema has them. Raises Refused
    when the rows break a rule of that schema; the target is then of no use.
    """
    columns: dict[str, list[str]] = request["columns"]
    with opened(Path(request["target"]), "mode=rw") as connection:
        _prepare(connection, Path(request["source"]))
        for number, table in enumerate(sorted(columns)):
            report("copying rows", number, len(columns))
            _copy_table(connection, table, columns[table])
        connection.execute("COMMIT")
        connection.execute("DETACH source")
        _require_references(connection)
        connection.execute("PRAGMA journal_mode=DELETE")
    return {"tables": len(columns)}


def _prepare(connection: sqlite3.Connection, source: Path) -> None:
    for setting in (
        "trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "temp_store=MEMORY",
        "foreign_keys=OFF", "synchronous=OFF", "journal_mode=MEMORY",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {setting}")
    connection.execute("ATTACH ? AS source", (uri(source, "mode=ro&immutable=1"),))
    connection.execute("BEGIN IMMEDIATE")


def _copy_table(connection: sqlite3.Connection, table: str, columns: list[str]) -> None:
    names = ", ".join(quoted(column) for column in columns)
    name = quoted(table)
    try:
        connection.execute(f"DELETE FROM main.{name}")
        connection.execute(f"INSERT INTO main.{name} ({names}) SELECT {names} FROM source.{name}")
    except sqlite3.IntegrityError as error:
        raise Refused(f"Rows of {table} break a rule of ProMan: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise Refused(f"Rows of {table} could not be read: {error}.") from error
    require_values(connection, table)


def _require_references(connection: sqlite3.Connection) -> None:
    breach = connection.execute("PRAGMA foreign_key_check").fetchone()
    if breach is not None:
        raise Refused(f"A row of {breach[0]} refers to a row of {breach[2]} that is gone.")


if __name__ == "__main__":
    main(rebuild)
