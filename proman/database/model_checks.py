"""The checks of the models beside those of the database, which Alembic does not compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Connection, MetaData, Table, inspect

from proman.database.description import plain_check

_PROBE = "proman_probe"


@dataclass(frozen=True)
class CheckChange:
    """A check to be made, changed or dropped; `wanted` is what it is to say, if anything."""

    table: str
    name: str
    is_there: bool
    wanted: str | None

    def __str__(self) -> str:
        verb = "drop" if self.wanted is None else "change" if self.is_there else "make"
        return f"{verb} check {self.table}.{self.name}"


def differences(connection: Connection, metadata: MetaData) -> list[CheckChange]:
    """What differs in the tables that models and database both have."""
    there = set(inspect(connection).get_table_names())
    return [
        change
        for table in metadata.sorted_tables
        if table.name in there
        for change in _differences(connection, table)
    ]


def _differences(connection: Connection, table: Table) -> Iterator[CheckChange]:
    prepared = connection.dialect.identifier_preparer
    wanted = {
        str(prepared.format_constraint(one)): str(one.sqltext)
        for one in table.constraints
        if isinstance(one, CheckConstraint)
    }
    found = _checks_of(connection, table.name)
    if not wanted and not found:
        return
    said, by_itself = _as_the_engine_says(connection, table, wanted)
    for name in sorted((found.keys() | wanted.keys()) - by_itself):
        if found.get(name) != said.get(name):
            yield CheckChange(table.name, name, name in found, wanted.get(name))


def _as_the_engine_says(
    connection: Connection, table: Table, wanted: dict[str, str]
) -> tuple[dict[str, str], set[str]]:
    """How the engine would tell of these checks, and the names of those that it makes by itself.

    Each engine writes a condition in a manner of its own, so it is asked, with a passing table.
    """
    probe = Table(
        _PROBE,
        MetaData(),
        *(Column(column.name, column.type) for column in table.columns),
        *(CheckConstraint(wanted[name], name=f"p{at}") for at, name in enumerate(wanted)),
        prefixes=["TEMPORARY"],
    )
    probe.create(connection, checkfirst=False)
    try:
        found = _checks_of(connection, _PROBE)
    finally:
        connection.exec_driver_sql(f"DROP TABLE {_PROBE}")
    said = {name: found.pop(f"p{at}") for at, name in enumerate(wanted)}
    return said, set(found)


def _checks_of(connection: Connection, table: str) -> dict[str, str]:
    return {
        one["name"] or "": plain_check(connection.dialect, one["sqltext"])
        for one in inspect(connection).get_check_constraints(table)
    }
