"""Takes an exact copy of a live SQLite database and proves it, without ever holding a writer up."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine

from proman.base.errors import Refused
from proman.database.driver import sqlite3

PAGES_PER_STEP = 1000
STEPS_PER_SYNC = 8
"""So much goes to the disk at once: a gigabyte at the end held commits up for a quarter second."""
COPY_DEADLINE = 1800.0
AT_REST = "mode=ro&immutable=1"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Facts:
    """What was read from a copy after it was proven."""

    rows: dict[str, int]
    revision: str | None
    schema_fingerprint: str
    page_size: int
    application_id: int


def silent(phase: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def uri(path: Path, options: str) -> str:
    """The address of a database file for SQLite, whatever characters its path holds."""
    return f"file:{quote(str(path.absolute()))}?{options}"


@contextlib.contextmanager
def opened(path: Path, options: str = AT_REST) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit that is closed afterwards; by default for a file at rest."""
    connection = sqlite3.connect(
        uri(path, options), uri=True, isolation_level=None, timeout=5, check_same_thread=False
    )
    try:
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def reading(path: Path, options: str = AT_REST) -> Iterator[Connection]:
    """The same as SQLAlchemy's connection."""
    engine = create_engine(
        "sqlite+pysqlite://",
        module=sqlite3,
        poolclass=NullPool,
        creator=lambda: sqlite3.connect(uri(path, options), uri=True),
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def copy_pinned(
    source: Path, target: Path, report: Progress = silent, deadline: float = COPY_DEADLINE
) -> None:
    """Copies the live `source` as it is at this instant into the empty file `target`.

    The snapshot is pinned by a read before the copy begins; unpinned, every commit of another
    process would start it over. Raises Refused after `deadline` seconds.
    """
    until = time.monotonic() + deadline
    steps = itertools.count(1)

    def step(status: int, remaining: int, total: int) -> None:
        report("copying", total - remaining, total)
        if next(steps) % STEPS_PER_SYNC == 0:
            os.fdatasync(file.fileno())
        if time.monotonic() > until:
            raise Refused(f"The copy took longer than {deadline:.0f} seconds and was given up.")

    # Closing it would drop SQLite's locks on the copy, so it is opened first and closed last.
    with (
        target.open("rb") as file,
        opened(source, "mode=rw") as live,
        opened(target, "mode=rw") as copy,
    ):
        # Nothing rests on the copy until it has been synced and proven, so speed costs nothing.
        copy.execute("PRAGMA synchronous=OFF")
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()
        live.backup(copy, pages=PAGES_PER_STEP, progress=step, sleep=0.05)
        live.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode=DELETE")


def prove(path: Path, report: Progress = silent, options: str = AT_REST) -> Facts:
    """Checks a database file, by default one at rest, from end to end and reads what it holds.

    Raises Refused with the first fault found.
    """
    with opened(path, options) as connection:
        try:
            report("checking integrity", 0, 0)
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            if found != ["ok"]:
                raise Refused(f"The integrity check failed: {' '.join(' '.join(found).split())}.")
            report("checking references", 0, 0)
            breach = connection.execute("PRAGMA foreign_key_check").fetchone()
            if breach is not None:
                raise Refused(f"A row of {breach[0]} refers to a row of {breach[2]} that is gone.")
            report("counting", 0, 0)
            return read_facts(connection)
        except sqlite3.DatabaseError as error:
            raise Refused(f"The file is damaged: {error}.") from error


def read_facts(connection: sqlite3.Connection) -> Facts:
    """Rows of each table, revision and shape of an open database."""
    return Facts(
        rows=count_rows(connection),
        revision=revision_of(connection),
        schema_fingerprint=schema_fingerprint(connection),
        page_size=int(connection.execute("PRAGMA page_size").fetchone()[0]),
        application_id=int(connection.execute("PRAGMA application_id").fetchone()[0]),
    )


def count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    """Rows of each ordinary table, by name."""
    return {
        name: int(connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])
        for name in table_names(connection)
    }


def table_names(connection: sqlite3.Connection) -> list[str]:
    """The tables of a database in the order of their names, SQLite's own left out."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
    )
    return [row[0] for row in rows]


def revision_of(connection: sqlite3.Connection) -> str | None:
    """The migration that the database stands at, or None when it was not made by migrations."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return str(row[0]) if row else None


def schema_fingerprint(connection: sqlite3.Connection) -> str:
    """SHA-256 (hex) of the statements that made the schema, blanks and order aside."""
    statements = (
        " ".join(str(row[0]).split())
        for row in connection.execute(
            "SELECT sql FROM sqlite_master "
            "WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        )
    )
    return hashlib.sha256("\n".join(sorted(statements)).encode()).hexdigest()


def quoted(name: str) -> str:
    """An identifier that SQLite reads as exactly this name."""
    return '"' + name.replace('"', '""') + '"'
