"""Puts a staged database in the place of the live one, in a single transaction of SQLite's own."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from proman.base.errors import Refused
from proman.database import scratch
from proman.database.driver import sqlite3
from proman.database.durable import sync_file
from proman.database.installation import Event, Installation
from proman.database.sqlite_copy import PAGES_PER_STEP, Progress, count_rows, opened, revision_of

SWAP_DEADLINE = 120.0


def mark(site: Installation, staged: Path, stamp: int, event: Event) -> None:
    """Readies the staged file: links void, the audit line inside, the stamp in `user_version`.

    All of it becomes true with the swap and not before. The stamp tells after a kill whether the
    swap happened.
    """
    with scratch.connection_to(staged) as connection:
        site.checks.void_access(connection)
        site.checks.record(connection, event)
        connection.exec_driver_sql(f"PRAGMA user_version = {int(stamp)}")
        connection.commit()
    sync_file(staged)


def replace_file(staged: Path, live: Path, safety: Path | None, report: Progress) -> None:
    """Puts the staged database in the place of the live file and proves that it is there.

    Raises Refused with the reason; what was there before then stays, or is put back from `safety`.
    """
    _fit(staged, live)
    swap(staged, live, report)
    try:
        require_same(staged, live, report)
    except Exception:
        if safety is not None:
            swap(safety, live, report)
        raise


def swap(staged: Path, live: Path, report: Progress, deadline: float = SWAP_DEADLINE) -> None:
    """Overwrites the live database by the staged one; raises Refused when others keep it busy.

    One transaction: readers keep their snapshot until it commits, and a kill at any moment leaves
    all of the old or all of the new.
    """
    until = time.monotonic() + deadline

    def step(status: int, remaining: int, total: int) -> None:
        report("replacing the database", total - remaining, total)
        is_unfinished = remaining or status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if is_unfinished and time.monotonic() > until:
            raise Refused("The database stayed busy. Nothing was changed; try again.")

    with opened(staged, "mode=ro") as source, opened(live, "mode=rwc") as target:
        target.execute("PRAGMA synchronous = FULL")
        try:
            source.backup(target, pages=PAGES_PER_STEP, progress=step, sleep=0.05)
        except sqlite3.Error as error:
            raise Refused(f"The database could not be replaced: {error}.") from error
        # It is replaced by now, whether or not the log goes back into the file at once.
        with contextlib.suppress(sqlite3.Error):
            target.execute("PRAGMA journal_mode = WAL")
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def require_same(staged: Path, live: Path, report: Progress) -> None:
    """Proves that the live database now is what was staged; raises Refused when it is not."""
    report("verifying", 0, 0)
    with opened(staged) as one, opened(live, "mode=rw") as other:
        answer = other.execute("PRAGMA quick_check(1)").fetchone()[0]
        if answer != "ok":
            raise Refused(f"The restored database is not sound: {answer}.")
        if count_rows(one) != count_rows(other) or revision_of(one) != revision_of(other):
            raise Refused("The restored database is not what was staged.")


def stamp_of(live: Path) -> int:
    """The mark of the restore that the live database came from, 0 for none."""
    if not live.exists():
        return 0
    with opened(live, "mode=rw") as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _fit(staged: Path, live: Path) -> None:
    page_size = _page_size(live) if live.exists() else None
    with opened(staged, "mode=rw") as connection:
        if page_size is not None and page_size != _page_size(staged):
            # A database of another page size is refused as read-only by the backup API.
            connection.execute(f"PRAGMA page_size = {page_size}")
            connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = DELETE")
    sync_file(staged)


def _page_size(path: Path) -> int:
    with opened(path, "mode=rw") as connection:
        return int(connection.execute("PRAGMA page_size").fetchone()[0])
