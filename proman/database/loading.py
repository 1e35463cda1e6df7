"""Readies a database for many rows at once, and leaves it as if each row had come alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Table, bindparam, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from proman.database.common_ground import is_mysql
from proman.database.statistics import ROWS_LOOKED_AT

_FOREIGN_KEYS = text(
    "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text IN :names"
).bindparams(bindparam("names", expanding=True))


@contextmanager
def many_rows(connection: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Inside the transaction of the connection: sessions settings, keys, sequences, statistics.

    Every rule of the schema holds when the block has ended. PostgreSQL proves foreign keys over all
    rows at once: they are taken off and put back, which is undone with the transaction. Row by row
    it would look through a whole table for each row that is deleted.
    """
    if connection.dialect.name == "postgresql":
        keys = connection.execute(_FOREIGN_KEYS, {"names": [t.name for t in tables]}).all()
        for table, name, _ in keys:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        for table, name, definition in keys:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        _advance_sequences(connection, tables)
        connection.exec_driver_sql(f"ANALYZE {', '.join(_quoted(connection, tables))}")
    elif connection.dialect.name == "sqlite":
        yield
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
        connection.exec_driver_sql("ANALYZE")
    else:
        # An id of nought is one like any other.
        connection.exec_driver_sql(
            "SET SESSION sql_mode = concat(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"
        )
        yield


def look_anew(connection: Connection, tables: Sequence[Table]) -> None:
    """Has MySQL look at its tables again, which it would do some time later by itself.

    Until then it answers as if they were empty. It commits; `many_rows` did it on PostgreSQL.
    """
    if is_mysql(connection.dialect):
        names = ", ".join(_quoted(connection, tables))
        # What was carried stands whether it looks now or later.
        with suppress(SQLAlchemyError):
            connection.exec_driver_sql(f"ANALYZE TABLE {names}").all()


def empty(connection: Connection, tables: Sequence[Table]) -> None:
    """Deletes every row, what refers to others first."""
    quote = connection.dialect.identifier_preparer.quote
    for table in reversed(tables):
        order = f"DELETE FROM {quote(table.name)}"
        if connection.dialect.name != "postgresql":
            # Rows of one table refer to older ones of the same.
            keys = ", ".join(f"{quote(column.name)} DESC" for column in table.primary_key)
            order += f" ORDER BY {keys}"
        connection.exec_driver_sql(order)


def lock_whole(connection: Connection, tables: Sequence[Table], seconds: int) -> None:
    """Keeps everybody else from the tables until the transaction ends, as far as the engine can.

    MySQL locks each row and each gap that `empty` goes over, so that nothing comes in between.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{seconds}s'")
        names = ", ".join(_quoted(connection, tables))
        connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
    else:
        connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.exec_driver_sql(f"SET SESSION innodb_lock_wait_timeout = {seconds}")
        connection.commit()


def _advance_sequences(connection: Connection, tables: Sequence[Table]) -> None:
    """The next id of each table lies beyond all that are there.

    A sequence does not go back with its transaction, so it is only ever moved forward.
    """
    for table in tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": _quoted(connection, [table])[0], "column": column.name},
        )
        newest = connection.scalar(select(func.max(column)))
        if sequence is not None and newest is not None:
            connection.exec_driver_sql(
                f"SELECT setval('{sequence}', greatest(last_value, {int(newest)})) FROM {sequence}"
            )


def _quoted(connection: Connection, tables: Sequence[Table]) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote
    return [quote(table.name) for table in tables]
