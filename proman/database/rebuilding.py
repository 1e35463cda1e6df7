"""Makes tables of a SQLite file what the models say, by building them anew around their rows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, MetaData, Table, inspect, text

from proman.database.sqlite_copy import quoted

_INDEXES = text(
    "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL"
)


def rebuild(connection: Connection, metadata: MetaData, names: Iterable[str]) -> None:
    """Makes, drops or rebuilds each table, with its indexes and checks and without its triggers.

    A column that the models have not is dropped; the others keep their values. To be called with
    foreign keys off and in a transaction.
    """
    there = set(inspect(connection).get_table_names())
    for name in sorted(names):
        table = metadata.tables.get(name)
        if table is None:
            connection.exec_driver_sql(f"DROP TABLE {quoted(name)}")
        elif name in there:
            _rebuild(connection, table)
        else:
            table.create(connection, checkfirst=False)


def _rebuild(connection: Connection, table: Table) -> None:
    old = quoted(f"proman_old_{table.name}")
    found = {column["name"] for column in inspect(connection).get_columns(table.name)}
    kept = ", ".join(quoted(column.name) for column in table.columns if column.name in found)
    for name in connection.scalars(_INDEXES, {"table": table.name}).all():
        connection.exec_driver_sql(f"DROP INDEX {quoted(name)}")
    connection.exec_driver_sql(f"ALTER TABLE {quoted(table.name)} RENAME TO {old}")
    table.create(connection, checkfirst=False)
    connection.exec_driver_sql(
        f"INSERT INTO {quoted(table.name)} ({kept}) SELECT {kept} FROM {old}"
    )
    connection.exec_driver_sql(f"DROP TABLE {old}")
