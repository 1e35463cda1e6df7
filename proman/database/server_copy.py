"""Copies what a database holds at one moment into a SQLite file made by our migrations."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, inspect, table, text

from proman.base.errors import Refused
from proman.database import scratch
from proman.database.carrying import as_one, carry, count_rows
from proman.database.marks import REVISIONS
from proman.database.migrating import OWN_TABLES
from proman.database.shape import tables_of
from proman.database.sqlite_copy import Progress

COPY_DEADLINE = 4 * 3600.0
"""Seconds. A transaction that is open for longer keeps the server from clearing old rows away."""
_SIZES = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT SUM(data_length + index_length) FROM information_schema.tables "
    "WHERE table_schema = database()",
}


def copy_snapshot(
    source: Connection,
    target: Path,
    migrations: Path,
    report: Progress,
    revision: str | None = None,
    deadline: float = COPY_DEADLINE,
) -> None:
    """Fills the empty file with every row that the connection sees, at the same revision.

    `revision` is what the schema is that of, where none is noted. Raises Refused when this version
    does not know it, and once the rows have taken `deadline` seconds.
    """
    report("preparing", 0, 0)
    revision = scratch.require_known(migrations, revision or revision_of(source))
    scratch.migrate(target, migrations, revision)
    tables = tables_of(target)
    with scratch.connection_to(target) as copy:
        carry(source, copy, tables, _within(deadline, as_one("copying", report)))
        copy.commit()


def _within(seconds: float, report: Progress) -> Progress:
    until = time.monotonic() + seconds

    def told(phase: str, done: int, total: int) -> None:
        report(phase, done, total)
        if time.monotonic() > until:
            raise Refused(
                f"The copy took longer than {seconds / 3600:g} hours and was given up at {done} of "
                f"{total} rows. Let the server's own tools make the backups (docs/backup.md)."
            )

    return told


def revision_of(connection: Connection) -> str | None:
    """The migration that the database stands at, or None when no migration made it."""
    if not inspect(connection).has_table(REVISIONS):
        return None
    found = connection.scalar(text(f"SELECT version_num FROM {REVISIONS}"))
    return None if found is None else str(found)


def engine_of(connection: Connection) -> str:
    """The engine by its own name; a MariaDB is one under whichever address it is reached."""
    is_mariadb = getattr(connection.dialect, "is_mariadb", False)
    return "mariadb" if is_mariadb else connection.dialect.name


def version_of(connection: Connection) -> str:
    """The server's version, as it says it itself."""
    is_postgresql = connection.dialect.name == "postgresql"
    found = connection.scalar(text("SHOW server_version" if is_postgresql else "SELECT version()"))
    return str(found)


def size_of(connection: Connection) -> int:
    """Bytes that the database takes on the server, indexes included."""
    kind = "postgresql" if connection.dialect.name == "postgresql" else "mysql"
    return int(connection.scalar(text(_SIZES[kind])) or 0)


def count_every_table(connection: Connection) -> dict[str, int]:
    """Rows of each table but those that the tools keep for themselves."""
    names = set(inspect(connection).get_table_names()) - OWN_TABLES
    return count_rows(connection, [table(name) for name in sorted(names)])
