"""Carries rows from one database into another, table by table, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, Table, TableClause, Text, func, insert, select
from sqlalchemy.exc import DBAPIError

from proman.base.errors import Refused
from proman.database.sqlite_copy import Progress

Rows = Sequence[Row[Any]]


class NotTaken(Refused):
    """Rows that an engine does not take, with what it says: a wrong value, or a full disk."""


def carry(
    source: Connection, target: Connection, tables: Sequence[Table], report: Progress
) -> dict[str, int]:
    """Copies every row of the tables and returns how many each has; neither side is committed.

    The tables stand in the order of their references. No more than a batch is held in memory.
    `report` is told the table, the rows done and those of all tables. Raises Refused when what was
    read is not what the source counts.
    """
    expected = count_rows(source, tables)
    total, done = sum(expected.values()), 0
    for table in tables:
        carried = 0
        for rows in batches(source, table):
            write(target, table, rows)
            carried += len(rows)
            report(table.name, done + carried, total)
        if carried != expected[table.name]:
            raise Refused(f"{table.name} holds {expected[table.name]} rows, {carried} were read.")
        done += carried
    return expected


def count_rows(connection: Connection, tables: Sequence[TableClause]) -> dict[str, int]:
    """Rows of each table, by name."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables
    }


def batches(connection: Connection, table: Table) -> Iterator[Rows]:
    """All rows of a table in the order of their key, so that what they refer to comes first."""
    statement = select(table).order_by(*table.primary_key)
    options = {"yield_per": _batch_size(table)}
    with connection.execute(statement, execution_options=options) as result:
        yield from result.partitions()


def write(connection: Connection, table: Table, rows: Rows) -> None:
    """Inserts the rows by the quickest way that the engine offers to everyone.

    Raises NotTaken with what the engine says when it does not take them.
    """
    try:
        if connection.dialect.name == "postgresql":
            _copy_in(connection, table, rows)
        else:
            connection.execute(insert(table), [row._asdict() for row in rows])
    except (DBAPIError, connection.dialect.loaded_dbapi.Error) as error:
        said = str(getattr(error, "orig", error)).partition("\n")[0]
        raise NotTaken(f"Rows of {table.name} were not taken: {said}") from error


def _copy_in(connection: Connection, table: Table, rows: Rows) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    raw: Any = connection.connection.driver_connection
    order = f"COPY {quote(table.name)} ({columns}) FROM STDIN"
    with raw.cursor() as cursor, cursor.copy(order) as copy:
        for row in rows:
            copy.write_row(row)


def _batch_size(table: Table) -> int:
    """How many rows are held at once: few where one may weigh megabytes."""
    if any(isinstance(column.type, LargeBinary) for column in table.columns):
        return 4
    return 500 if any(isinstance(column.type, Text) for column in table.columns) else 2000


def as_one(phase: str, report: Progress) -> Progress:
    """Progress that is told as one phase, whichever table it is at."""
    return lambda table, done, total: report(phase, done, total)
