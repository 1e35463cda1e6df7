"""Gives migrations their own connection: alone, transactional, with SQLite's rebuilds made safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep, RevisionStep
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from proman.base.errors import Refused
from proman.database import server_maintenance
from proman.database.autogenerate import OWN_TABLES as OWN_TABLES
from proman.database.engines import APPLICATION_ID, direct_engine, set_up
from proman.database.fingerprints import drift_in
from proman.database.lock import ops_lock
from proman.database.mysql_steps import interrupted_in
from proman.database.readiness import MIGRATION, wrong_encoding
from proman.database.revisions import in_the_way, is_known
from proman.database.server_lock import lock_name
from proman.database.troubles import told
from proman.database.unfinished import unfinished_in
from proman.settings import Settings

WAIT_SECONDS = 600.0
EARLIER = (
    "The database belongs to the earlier ProMan (it has _prisma_migrations). Give this one an "
    "empty database and take the portfolio over with: flask portfolio import"
)
BLOCKED_SECONDS = 60
"""So long a change of the schema waits for whoever uses the table, and all others behind it."""


@contextmanager
def looking_connection(settings: Settings) -> Iterator[Connection]:
    """A connection for a look, without the lock: a backup under way holds nobody up.

    Raises Refused when the database cannot hold every name.
    """
    engine = direct_engine(settings.database_url)
    set_up(engine)
    try:
        with engine.connect() as connection:
            wrong = wrong_encoding(connection)
            if wrong:
                raise Refused(wrong)
            yield connection
    finally:
        engine.dispose()


@contextmanager
def migration_connection(settings: Settings) -> Iterator[Connection]:
    """A connection under the lock that keeps other replicas, backup and restore away.

    Raises UnderWay when another holds it for ten minutes.
    """
    with (
        ops_lock(settings, MIGRATION, "flask db upgrade", wait=WAIT_SECONDS),
        locked_connection(settings) as connection,
    ):
        yield connection


@contextmanager
def locked_connection(settings: Settings) -> Iterator[Connection]:
    """The same for a caller that holds the lock; what it did is committed at the end.

    On SQLite and PostgreSQL all of it is one transaction. On SQLite foreign keys are off while
    tables are rebuilt (with them on, a batch rebuild deletes cascading child rows), and proven
    before the commit. Raises Refused when rows would be left that refer to nothing.
    """
    engine = direct_engine(settings.database_url)
    set_up(engine, may_always_write=True)
    prepare = {"sqlite": _prepare_sqlite, "postgresql": _prepare_postgresql}
    try:
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                server_maintenance.make_table(connection)
                connection.commit()
            prepare.get(engine.dialect.name, _prepare_mysql)(connection)
            yield connection
            if engine.dialect.name == "sqlite":
                _require_references(connection)
            _commit(connection)
    finally:
        engine.dispose()


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except DBAPIError as error:
        raise Refused(f"Nothing was changed: {told(error)}") from error


def run_holding(
    act: Callable[[Config, str], None],
    migrations: Path,
    revision: str,
    verify: Callable[[Connection], None],
) -> None:
    """Runs a command of Alembic's (upgrade, stamp) for a caller that holds the lock.

    `verify` is asked at its end, before the commit where the engine can take all of it back; what
    it raises leaves the database there as it was.
    """
    config = current_app.extensions["migrate"].migrate.get_config(str(migrations))
    config.attributes.update(connecting=locked_connection, verify=verify)
    act(config, revision)


def has_work(context: MigrationContext, migrations: Path) -> bool:
    """Whether the command would change the database: a revision to apply, take back or stamp.

    Raises Refused when the database is ahead of this version, or holds a part of a copy.
    """
    if context.as_sql:
        return False
    require_whole(context)
    if context.purge:
        return True
    heads = context.get_current_heads()
    for revision in heads:
        if not is_known(migrations, revision):
            raise Refused(in_the_way(migrations, revision))
    if "destination_rev" not in context.opts:
        return False
    is_due = bool(_steps(context))
    cut_off = interrupted_in(context.connection) if context.connection else None
    if cut_off is not None and not is_due:
        raise Refused(cut_off.in_the_way())
    return is_due


def require_ours(context: MigrationContext) -> None:
    """Raises Refused when the first revision would meet tables that no migration made.

    To be asked under the lock: on MySQL the tables of a migration under way are seen by all.
    """
    connection = context.connection
    assert connection is not None
    require_whole(context)
    if context.get_current_heads() or not _is_migrating(context) or interrupted_in(connection):
        return
    found = set(inspect(connection).get_table_names()) - OWN_TABLES - {"alembic_version"}
    if "_prisma_migrations" in found:
        raise Refused(EARLIER)
    if found:
        names = ", ".join(sorted(found)[:3])
        raise Refused(
            f"The database holds tables ({names}{', …' if len(found) > 3 else ''}) that no "
            "migration made. Nothing was changed. If ProMan's own schema was made without "
            "migrations, run: flask database baseline. Else give ProMan an empty database."
        )


def require_whole(context: MigrationContext) -> None:
    """Raises Refused when a copy into the database was begun and not finished."""
    unfinished = unfinished_in(context.connection) if context.connection else ""
    if unfinished:
        raise Refused(unfinished)


@contextmanager
def compared(context: MigrationContext, migrations: Path) -> Iterator[None]:
    """Raises Refused when what runs inside fails, or an upgrade makes another schema than its own.

    What differed before is told and stays: someone may have added an index of their own.
    """
    connection = context.connection
    assert connection is not None
    if not _is_migrating(context):
        yield
        return
    # What was cut off half-way is neither the one schema nor the other.
    is_begun = interrupted_in(connection) is not None
    is_strict = not is_begun and all(step.is_upgrade for step in _steps(context))
    before = [] if is_begun else _drift(context, connection, migrations)
    _note(before)
    try:
        yield
    except DBAPIError as error:
        raise Refused(f"The migration failed: {told(error)}{_unchanged(context)}") from error
    new = [line for line in _drift(context, connection, migrations) if line not in before]
    if not is_strict:
        _note(new)
    elif new:
        raise Refused(
            f"The migrations did not make the schema of {context.get_current_revision()}: "
            f"{'; '.join(new)}.{_unchanged(context)}"
        )


def _unchanged(context: MigrationContext) -> str:
    return " Nothing was changed." if context.impl.transactional_ddl else ""


def _note(drift: list[str]) -> None:
    for line in drift:
        click.echo(f"Note, the schema is not its revision's: {line}", err=True)


def _steps(context: MigrationContext) -> list[MigrationStep]:
    try:
        return list(context.opts["fn"](context.get_current_heads(), context))
    except CommandError as error:
        why = str(error).rstrip(".")
        raise Refused(f"{why}. The revisions are listed by: flask db history") from error


def _is_migrating(context: MigrationContext) -> bool:
    """Whether revisions are applied or taken back, not merely stamped."""
    return not context.purge and any(isinstance(one, RevisionStep) for one in _steps(context))


def _drift(context: MigrationContext, connection: Connection, migrations: Path) -> list[str]:
    revision = context.get_current_revision()
    return [] if revision is None else drift_in(connection, migrations, revision)


class Steps:
    """Says on standard error what was applied, taken back or stamped.

    At once where each step stays; where all of them are undone when one fails, at the end.
    """

    def __init__(self, connection: Connection) -> None:
        self._stays = connection.dialect.name not in ("sqlite", "postgresql")
        self._lines: list[str] = []

    def note(self, step: MigrationInfo, **other: object) -> None:
        """Takes one step from Alembic."""
        done = "Stamped" if step.is_stamp else "Applied" if step.is_upgrade else "Took back"
        if step.is_stamp:
            to = ", ".join(step.destination_revision_ids) or "base"
        else:
            to = f"{step.up_revision_id}: {getattr(step.up_revision, 'doc', '')}"
        self._lines.append(f"{done} {to}")
        if self._stays:
            self.tell()

    def tell(self) -> None:
        """Says what was not said yet."""
        for line in self._lines:
            click.echo(line, err=True)
        self._lines.clear()


def _prepare_sqlite(connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("PRAGMA legacy_alter_table = ON")
    raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.begin()


def _require_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
    if broken:
        connection.rollback()
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise Refused(f"Rows would be left that refer to nothing, in: {tables}.")


def _prepare_postgresql(connection: Connection) -> None:
    # What a killed migration left running on the server ends first: this lock is its connection's.
    attempt = text("SELECT pg_advisory_xact_lock(:ours, 2)").bindparams(ours=APPLICATION_ID)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS:.0f}s'")
    connection.execute(attempt)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BLOCKED_SECONDS}s'")


def _prepare_mysql(connection: Connection) -> None:
    name = lock_name(connection.engine.url, "migration")
    attempt = text("SELECT get_lock(:name, :wait)").bindparams(name=name, wait=WAIT_SECONDS)
    if not connection.scalar(attempt):
        raise Refused("A migration that was killed is still running on the server. Try again.")
    connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {BLOCKED_SECONDS}")
