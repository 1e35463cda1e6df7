"""Databases beside the live one: made by our own migrations, at any revision that we know."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine

from proman.base.errors import Refused
from proman.database.driver import sqlite3
from proman.database.engines import APPLICATION_ID
from proman.database.revisions import script_directory
from proman.database.sqlite_copy import opened, uri

# Alembic keeps the migration under way in module globals, so one at a time in a process.
_alembic = threading.Lock()


def require_known(migrations: Path, revision: str | None) -> str:
    """The revision, when this version has a migration of that name; else Refused says why."""
    if revision is None:
        raise Refused("The file names no revision, so it was not made by ProMan's migrations.")
    try:
        script_directory(migrations).get_revision(revision)
    except CommandError:
        head = script_directory(migrations).get_current_head()
        raise Refused(
            f"The file is at revision {revision[:40]}, which this version does not know (it knows "
            f"up to {head}). It was made by a newer ProMan: update this one first."
        ) from None
    return revision


def migrate(path: Path, migrations: Path, revision: str = "head") -> None:
    """Brings the file up to the revision; a missing file is made. Raises Refused when rows break.

    Needs an application context, as the migrations themselves do. The file is at rest afterwards,
    without a write-ahead log.
    """
    with connection_to(path) as connection:
        migrate_through(connection, migrations, revision)
        breach = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
        if breach is not None:
            connection.rollback()
            raise Refused(f"The migration would leave rows of {breach[0]} that refer to nothing.")
        connection.commit()


def migrate_through(connection: Connection, migrations: Path, revision: str = "head") -> None:
    """The same on any engine, in the transaction of the connection; the caller commits."""
    with _alembic:
        config = Config()
        config.set_main_option("script_location", str(migrations).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@contextmanager
def connection_to(path: Path) -> Iterator[Connection]:
    """A writing connection to a file that nobody else uses; the caller commits."""
    engine = create_engine(
        "sqlite+pysqlite://", module=sqlite3, poolclass=NullPool, creator=lambda: _connect(path)
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
    finally:
        engine.dispose()


def shape_of(path: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Columns of each table and the statement of each trigger in a database of our own making."""
    with opened(path) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' "
            "ESCAPE '!' AND name <> 'alembic_version'"
        ).fetchall()
        columns = {
            name: [
                row[0]
                for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))
            ]
            for (name,) in tables
        }
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return columns, dict(triggers.fetchall())


def _connect(path: Path) -> Any:
    connection = sqlite3.connect(uri(path, "mode=rwc"), uri=True, isolation_level=None)
    for setting in (
        "page_size=4096", "journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF",
        "legacy_alter_table=ON", f"application_id={APPLICATION_ID}", "temp_store=MEMORY",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {setting}")
    return connection
