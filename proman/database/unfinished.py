"""The mark of a copy that was begun into a database, so that nothing starts on a part of one."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from proman.database.common_ground import table_options
from proman.database.marks import COPY


def mark(connection: Connection, begun: str) -> None:
    """Marks the database as one that a copy goes into since then (UTC); on MySQL this commits."""
    connection.exec_driver_sql(
        f"CREATE TABLE {COPY} (begun VARCHAR(40) NOT NULL PRIMARY KEY)"
        f"{table_options(connection.dialect)}"
    )
    connection.execute(text(f"INSERT INTO {COPY} VALUES (:begun)"), {"begun": begun})


def clear(connection: Connection) -> None:
    """Takes the mark away: everything has arrived."""
    connection.exec_driver_sql(f"DROP TABLE {COPY}")


def unfinished_in(connection: Connection) -> str:
    """That a copy into this database was not finished and what to do, or an empty text."""
    if not inspect(connection).has_table(COPY):
        return ""
    begun = connection.scalar(text(f"SELECT begun FROM {COPY}"))
    return (
        f"A copy into this database{begun and f', begun at {begun} UTC,'} was not finished. Unless "
        f"one is under way: {how_to_empty(connection.dialect.name)}, then copy again."
    )


def how_to_empty(engine: str) -> str:
    """What a person does with the target before the next attempt."""
    if engine == "sqlite":
        return "delete the file and those beside it that end in -wal and -shm"
    return "drop the database and make it again"
