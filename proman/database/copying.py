"""Moves everything into an empty database of any engine and proves that it has arrived.

The source is read in one snapshot and never written. The target carries a mark from before its
first table until after the last proof; as long as it does, nothing starts on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, LargeBinary, Table, func, inspect, select

from proman.addresses import shown
from proman.base.errors import Refused
from proman.database import durable, loading, scratch, unfinished
from proman.database.carrying import batches, count_rows, write
from proman.database.common_ground import is_mysql
from proman.database.digest import Digest, content_hash, digest_of
from proman.database.installation import Installation
from proman.database.live import require_live
from proman.database.lock import ops_lock
from proman.database.marks import REVISIONS
from proman.database.migrating import OWN_TABLES, locked_connection
from proman.database.revisions import in_the_way
from proman.database.server_copy import revision_of
from proman.database.shape import tables_of
from proman.database.snapshots import snapshot
from proman.database.sqlite_copy import Progress
from proman.database.targets import in_one_line, look, require_empty, settings_of
from proman.db import utc_now
from proman.settings import Settings

LOCK_SECONDS = 30
_AROUND_BYTES = 2 << 20


@dataclass(frozen=True)
class Copied:
    """What a copy moved: rows of each table, the fingerprint of all, and tables it left behind."""

    target: str
    revision: str
    rows: dict[str, int]
    content_hash: str
    left_out: list[str]
    changes_since: int
    """How many were made in the source since it was read; they have not arrived."""


def copy_to(site: Installation, address: str, by: str, report: Progress) -> Copied:
    """Moves everything into the empty database at the address.

    `report` is told how many rows are done; each counts twice, carried and proven. Needs an
    application context, as the migrations do. Raises Refused: until the first row nothing was
    changed, from then on the target is marked as unfinished.
    """
    target = settings_of(site.settings, address)
    with in_one_line("The database cannot be read"):
        require_live(site)
        with snapshot(site.settings.database_url) as source:
            _require_current(site, source)
            tables = _tables(site)
            look(target, site.head)
            with ops_lock(target, "copy", by) as held:

                def told(phase: str, done: int, total: int) -> None:
                    held.report(phase, done, total)
                    report(phase, done, total)

                _prepare(site, source, target, tables, told)
                digests = _fill(source, target, tables, told)
            return Copied(
                target=shown(target.database_url),
                revision=site.head,
                rows={name: digest.rows for name, digest in digests.items()},
                content_hash=content_hash(digests),
                left_out=_left_out(source, tables),
                changes_since=_changes_since(site, source),
            )


def _require_current(site: Installation, source: Connection) -> None:
    problem = unfinished.unfinished_in(source) or in_the_way(site.migrations, revision_of(source))
    if problem:
        raise Refused(problem)


def _tables(site: Installation) -> list[Table]:
    with durable.scratch_directory(site.data_dir) as folder:
        shape = folder / "shape.sqlite"
        scratch.migrate(shape, site.migrations)
        return tables_of(shape)


def _left_out(source: Connection, tables: Sequence[Table]) -> list[str]:
    ours = {table.name for table in tables} | OWN_TABLES | {REVISIONS}
    return sorted(set(inspect(source).get_table_names()) - ours)


def _changes_since(site: Installation, source: Connection) -> int:
    def recorded(connection: Connection) -> int:
        return site.checks.changes_since(connection, datetime(1970, 1, 1))

    return require_live(site).ask(recorded) - recorded(source)


def _prepare(
    site: Installation,
    source: Connection,
    target: Settings,
    tables: Sequence[Table],
    report: Progress,
) -> None:
    """Marks the target and makes its tables by the migrations; when that fails, both are gone."""
    report("preparing", 0, 0)
    refusing = in_one_line("The target cannot be used", " Nothing was changed.", "--to")
    with refusing, locked_connection(target) as copy:
        require_empty(copy, site.head)
        _require_packets(source, copy, tables)
        before = set(inspect(copy).get_table_names())
        try:
            unfinished.mark(copy, f"{utc_now():%Y-%m-%d %H:%M:%S}")
            scratch.migrate_through(copy, site.migrations)
        except BaseException:
            with _telling_that_it_is_unfinished(target):
                _take_back(copy, before)
            raise


def _require_packets(source: Connection, copy: Connection, tables: Sequence[Table]) -> None:
    """MySQL takes no statement that is larger than a packet; bytes stand in it at twice their size.

    It would cut the connection without a word.
    """
    if not is_mysql(copy.dialect):
        return
    contents = (c for table in tables for c in table.columns if isinstance(c.type, LargeBinary))
    largest = max(source.scalar(select(func.max(func.length(c)))) or 0 for c in contents)
    needed = 2 * largest + _AROUND_BYTES
    if needed > copy.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one():
        raise Refused(
            f"The target takes no packets of {needed >> 20} MiB, needed for the largest file. "
            f"Nothing was changed. Set max_allowed_packet = {needed} or more on that server."
        )


def _take_back(copy: Connection, before: set[str]) -> None:
    copy.rollback()
    if not is_mysql(copy.dialect):
        return
    # It has committed each table that was made.
    copy.exec_driver_sql("SET SESSION foreign_key_checks = 0")
    for name in sorted(set(inspect(copy).get_table_names()) - before):
        copy.exec_driver_sql(f"DROP TABLE {name}")


def _fill(
    source: Connection, target: Settings, tables: Sequence[Table], report: Progress
) -> dict[str, Digest]:
    with _telling_that_it_is_unfinished(target), locked_connection(target) as copy:
        total = 2 * sum(count_rows(source, tables).values())
        if copy.dialect.name != "sqlite":
            loading.lock_whole(copy, tables, LOCK_SECONDS)
        with loading.many_rows(copy, tables):
            read = _carry(source, copy, tables, total, report)
        done = total // 2
        for table in tables:
            report(f"proving {table.name}", done, total)
            _require_same(source, copy, table, read[table.name])
            done += read[table.name].rows
        report("finishing", total, total)
        loading.look_anew(copy, tables)
        unfinished.clear(copy)
    return read


def _carry(
    source: Connection, copy: Connection, tables: Sequence[Table], total: int, report: Progress
) -> dict[str, Digest]:
    """Carries the rows, a batch at a time, and tells what was read."""
    read, done = {}, 0
    for table in tables:
        read[table.name] = digest = Digest()
        report(f"copying {table.name}", done, total)
        for rows in batches(source, table):
            write(copy, table, rows)
            digest.add(rows)
            report(f"copying {table.name}", done + digest.rows, total)
        done += digest.rows
        if is_mysql(copy.dialect):
            # It would take as long to undo all as to do it; what is there is marked anyway.
            copy.commit()
    return read


def _require_same(source: Connection, copy: Connection, table: Table, read: Digest) -> None:
    """Rows and sums by the engines' own reckoning, contents by their fingerprint."""
    found = digest_of(copy, table)
    wanted, given = _sums(source, table), _sums(copy, table)
    if (
        wanted != given
        or wanted[0] != read.rows
        or (found.rows, str(found))
        != (
            read.rows,
            str(read),
        )
    ):
        raise Refused(f"What arrived of {table.name} is not what was read.")


def _sums(connection: Connection, table: Table) -> tuple[Any, ...]:
    """The number of rows and the sum of each amount: of all whole numbers that are no id."""
    amounts = [func.sum(column) for column in table.columns if isinstance(column.type, BigInteger)]
    return tuple(connection.execute(select(func.count(), *amounts).select_from(table)).one())


@contextmanager
def _telling_that_it_is_unfinished(target: Settings) -> Iterator[None]:
    engine = target.database_url.get_backend_name()
    then = (
        "The copy was not finished; the source is as it was, and nothing starts on the target. "
        f"To begin again, {unfinished.how_to_empty(engine)}."
    )
    try:
        with in_one_line("It broke off"):
            yield
    except Refused as refusal:
        why = refusal.message.removeprefix("Nothing was changed: ").rstrip(".")
        raise Refused(f"{why}. {then}") from refusal
    except KeyboardInterrupt as interrupt:
        raise Refused(f"Interrupted. {then}") from interrupt
