"""The live database, whatever its engine: what backup, restore and those who look need of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from proman.addresses import shown
from proman.base.errors import Refused
from proman.database import galera, server_copy, server_maintenance, sqlite_copy, swap, values
from proman.database.driver import sqlite3
from proman.database.installation import Installation, ask
from proman.database.marks import is_pending
from proman.database.mysql_steps import interrupted_in
from proman.database.readiness import wrong_encoding
from proman.database.server_copy import revision_of
from proman.database.server_swap import replace_all
from proman.database.snapshots import server_snapshot
from proman.database.sqlite_copy import Progress, opened
from proman.database.unfinished import unfinished_in
from proman.db import db

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class About:
    """Engine (sqlite, postgresql, mysql, mariadb), its version, revision, size in bytes."""

    engine: str
    server_version: str
    revision: str | None
    size: int


class Source(Protocol):
    """What a backup is made of."""

    def about(self) -> About:
        """What it is and where it stands."""

    def copy_into(self, target: Path, report: Progress) -> None:
        """Copies it, as it is at one moment, into the empty SQLite file `target`."""


class Live(Source, Protocol):
    """One live database; where there is none yet, only `exists` answers."""

    def exists(self) -> bool:
        """Whether there is a database that holds anything."""

    def damage(self) -> str:
        """What is broken in its file, in a sentence; nothing where a server looks after that."""

    def wrong_value(self) -> str:
        """The first value in it, in a sentence, that keeps its backup from being restored.

        Nothing where a server looks after that.
        """

    def count_rows(self) -> dict[str, int]:
        """Rows of each table, by name."""

    def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        """What a check answers about it; nothing is changed."""

    def require_replaceable(self) -> None:
        """Raises Refused with the reason when no other database can be put in its place."""

    def replace_by(self, staged: Path, stamp: int, safety: Path | None, report: Progress) -> None:
        """Puts the staged file's content in its place: all of it, or Refused and nothing.

        `stamp` tells afterwards that it was done; `safety` is a backup of what is there now.
        """

    def stamp(self) -> int:
        """The stamp of the restore that it came from, 0 for none."""


def live_database(site: Installation) -> Live:
    """The live database of an installation."""
    return LiveFile(site.live) if site.settings.is_sqlite else LiveServer(site)


def require_live(site: Installation) -> Live:
    """The live database; raises Refused when there is none yet."""
    live = live_database(site)
    if site.settings.is_sqlite and is_pending(site.live):
        raise Refused("A restore of the damaged database was cut off. To end it: flask db upgrade")
    is_there = live.exists()
    problem = live.ask(_missing) if is_there or not site.settings.is_sqlite else ""
    if problem:
        raise Refused(problem)
    if not is_there:
        where = site.settings.database_file or shown(site.settings.database_url)
        raise Refused(f"There is no database at {where} yet. Run: flask db upgrade")
    return live


def _missing(connection: Connection) -> str:
    """What keeps anybody from taking it for a whole database, and what to do.

    A migration that is under way does not, unless it is the first.
    """
    cut_off = None if revision_of(connection) else interrupted_in(connection)
    return (
        wrong_encoding(connection)
        or unfinished_in(connection)
        or ("" if cut_off is None else cut_off.in_the_way())
    )


class LiveFile:
    """A SQLite file in use, which is only ever opened by SQLite."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        if not self._path.is_file():
            return False
        with opened(self._path, "mode=rw") as live:
            return bool(sqlite_copy.table_names(live))

    def damage(self) -> str:
        if not self._path.is_file():
            return ""
        if self._path.stat().st_size == 0 and Path(f"{self._path}-wal").exists():
            # To open it would delete what its write-ahead log still holds.
            return "The file is empty."
        try:
            sqlite_copy.prove(self._path, options="mode=ro")
        except Refused as refusal:
            return refusal.message
        return ""

    def about(self) -> About:
        with opened(self._path, "mode=rw") as live:
            revision = sqlite_copy.revision_of(live)
        wal = Path(f"{self._path}-wal")
        size = self._path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
        return About("sqlite", sqlite3.sqlite_version, revision, size)

    def copy_into(self, target: Path, report: Progress) -> None:
        sqlite_copy.copy_pinned(self._path, target, report)

    def wrong_value(self) -> str:
        with opened(self._path, "mode=rw") as live:
            there = set(sqlite_copy.table_names(live))
            return values.wrong_value(live, sorted(there & set(db.metadata.tables)))

    def count_rows(self) -> dict[str, int]:
        with opened(self._path, "mode=rw") as live:
            return sqlite_copy.count_rows(live)

    def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        return ask(self._path, question, "mode=rw")

    def require_replaceable(self) -> None:
        """A file is replaced whole, whatever it holds."""

    def replace_by(self, staged: Path, stamp: int, safety: Path | None, report: Progress) -> None:
        swap.replace_file(staged, self._path, safety, report)

    def stamp(self) -> int:
        return swap.stamp_of(self._path)


class LiveServer:
    """A database on PostgreSQL, MySQL or MariaDB."""

    def __init__(self, site: Installation) -> None:
        self._site = site
        self._url = site.settings.database_url

    def exists(self) -> bool:
        with server_snapshot(self._url) as connection:
            return server_copy.revision_of(connection) is not None

    def damage(self) -> str:
        return ""

    def wrong_value(self) -> str:
        return ""

    def about(self) -> About:
        with server_snapshot(self._url) as connection:
            return About(
                server_copy.engine_of(connection),
                server_copy.version_of(connection),
                server_copy.revision_of(connection),
                server_copy.size_of(connection),
            )

    def copy_into(self, target: Path, report: Progress) -> None:
        with server_snapshot(self._url) as connection:
            server_copy.copy_snapshot(connection, target, self._site.migrations, report)

    def count_rows(self) -> dict[str, int]:
        with server_snapshot(self._url) as connection:
            return server_copy.count_every_table(connection)

    def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        with server_snapshot(self._url) as connection:
            return question(connection)

    def require_replaceable(self) -> None:
        with server_snapshot(self._url) as connection:
            revision, head = server_copy.revision_of(connection), self._site.head
            unfinished = unfinished_in(connection)
            nodes = galera.nodes(connection)
        if unfinished:
            raise Refused(unfinished)
        if nodes > 1:
            raise Refused(
                f"The database is a Galera cluster of {nodes} nodes, and nothing would keep out "
                "changes that come through the others. Stop all nodes but one, restore into that "
                "one, and start the others again."
            )
        if revision != head:
            raise Refused(
                f"The database is at revision {revision or 'none'}, a restore needs {head}. "
                "Run: flask db upgrade"
            )

    def replace_by(self, staged: Path, stamp: int, safety: Path | None, report: Progress) -> None:
        replace_all(self._url, staged, stamp, self._site.checks.ledger_balance, report)

    def stamp(self) -> int:
        return server_maintenance.restored(self._url)
