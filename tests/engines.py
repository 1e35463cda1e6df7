"""Real database servers for tests: where they are, and fresh databases that vanish afterwards.

A test that takes `app` (or `engine`) runs on SQLite; marked `engines` it also runs on each server,
and under `scripts/test -m postgresql` or `-m mysql` every such test runs there.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    MetaData,
    NullPool,
    Table,
    create_engine,
    insert,
    make_url,
    select,
)

from proman.addresses import parse_database_url

SQLITE, POSTGRESQL, MYSQL = "sqlite", "postgresql", "mysql"
SERVERS = {
    POSTGRESQL: os.environ.get(
        "PROMAN_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
    ),
    MYSQL: os.environ.get("PROMAN_TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/mysql"),
}
"""An administrator's address on each; MariaDB answers under the name of MySQL."""
Contents = dict[Table, list[dict[str, Any]]]
_numbers = count(1)
_OURS = re.compile(r"proman_test_(\d+)_\d+")


def is_asked_for(engine: str, expression: str) -> bool:
    """Whether `-m EXPRESSION` wants the whole suite on that engine."""
    return re.search(rf"(?<!not )\b{engine}\b", expression) is not None


@contextmanager
def fresh_database(engine: str) -> Iterator[URL]:
    """The address of an empty database of one's own on a server; it is dropped afterwards."""
    name = f"proman_test_{os.getpid()}_{next(_numbers)}"
    with administration(engine) as server:
        _drop_orphans(server)
        server.exec_driver_sql(f"CREATE DATABASE {name}")
        if engine == POSTGRESQL:
            # What a test commits need not survive a power cut.
            server.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        yield address_of(engine, name)
    finally:
        with administration(engine) as server:
            drop(server, name)


def address_of(engine: str, database: str) -> URL:
    """The address of a database on the test server, with ProMan's driver."""
    given = make_url(SERVERS[engine]).set(database=database)
    return parse_database_url(given.render_as_string(hide_password=False), Path())


@contextmanager
def administration(engine: str) -> Iterator[Connection]:
    """A connection that may make and drop databases, in autocommit."""
    url = address_of(engine, str(make_url(SERVERS[engine]).database))
    made = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with made.connect() as connection:
            yield connection
    finally:
        made.dispose()


def drop(server: Connection, name: str) -> None:
    """Drops a database, whoever is still connected to it."""
    force = " WITH (FORCE)" if server.dialect.name == POSTGRESQL else ""
    server.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}{force}")


def empty(connection: Connection, tables: list[str]) -> None:
    """Deletes every row and lets numbers begin at 1 again; the caller commits.

    By DELETE: a TRUNCATE of small tables takes either server ten times as long.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("; ".join(f"DELETE FROM {table}" for table in tables))
        connection.exec_driver_sql(
            "SELECT setval(c.oid, 1, false) FROM pg_class c WHERE relkind = 'S'"
        )
        return
    connection.exec_driver_sql("SET foreign_key_checks = 0")
    filled = [one for one in tables if connection.exec_driver_sql(f"DELETE FROM {one}").rowcount]
    connection.exec_driver_sql("SET foreign_key_checks = 1")
    for table in filled:
        connection.exec_driver_sql(f"ALTER TABLE {table} AUTO_INCREMENT = 1")


def waits_on(url: URL) -> bool:
    """Whether a transaction on this database waits for a lock of another."""
    if url.get_backend_name() == POSTGRESQL:
        engine = POSTGRESQL
        waiting = "SELECT datname FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    else:
        engine = MYSQL
        waiting = (
            "SELECT db FROM information_schema.innodb_trx JOIN information_schema.processlist"
            " ON id = trx_mysql_thread_id WHERE trx_state = 'LOCK WAIT'"
        )
    with administration(engine) as server:
        return url.database in server.exec_driver_sql(waiting).scalars().all()


def contents(connection: Connection, metadata: MetaData) -> Contents:
    """Every row of every table, so that `fill` can put them back."""
    return {
        table: [
            dict(row)
            for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
        ]
        for table in metadata.sorted_tables
    }


def fill(connection: Connection, rows: Contents) -> None:
    """Puts rows into an empty database; what is inserted afterwards counts on from them."""
    for table, own in rows.items():
        if own:
            connection.execute(insert(table), own)
        if own and "id" in table.c and connection.dialect.name == POSTGRESQL:
            last = max(row["id"] for row in own)
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"
            )


def _drop_orphans(server: Connection) -> None:
    """Drops what a killed run left: databases named after a process that is gone."""
    listing = "SELECT datname FROM pg_database"
    if server.dialect.name != POSTGRESQL:
        listing = "SELECT schema_name FROM information_schema.schemata"
    for (name,) in server.exec_driver_sql(listing).all():
        found = _OURS.fullmatch(name)
        if found and not Path(f"/proc/{found[1]}").exists():
            with suppress(Exception):  # another worker sweeps at the same moment
                drop(server, name)
