"""`flask database push`: makes a development database what the models say, without a migration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from alembic.autogenerate import produce_migrations
from alembic.operations import Operations
from alembic.operations.ops import (
    AlterColumnOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import SQLAlchemyError

from proman.base.errors import Refused
from proman.database import autogenerate, guards, model_checks, rebuilding
from proman.database.changes import Change, in_words, table_of
from proman.database.guards import Guards
from proman.database.installation import Installation
from proman.database.lock import ops_lock
from proman.database.migrating import WAIT_SECONDS, locked_connection, looking_connection
from proman.database.model_checks import CheckChange
from proman.database.mysql_steps import interrupted_in
from proman.database.outcomes import reason_of
from proman.database.readiness import MIGRATION
from proman.database.server_copy import revision_of

_OPTIONS = ("include_object", "compare_type", "compare_server_default")


@dataclass(frozen=True)
class _Plan:
    """What differs between models and database, found before anything is changed."""

    tables: UpgradeOps
    checks: list[CheckChange]
    guards: Guards
    changes: list[Change]
    touched: set[str]


def push(
    site: Installation,
    metadata: MetaData,
    by: str,
    show: Callable[[str], None],
    accept_data_loss: bool = False,
) -> int:
    """Applies what differs and returns how many changes that were; `show` is given each before.

    Raises Refused when the database is under migrations, when data would be lost and that was not
    accepted, or when the database does not take a change. Nothing was changed then, except on MySQL
    and MariaDB by a change that failed half-way; run again, it goes on from there.
    """
    with looking_connection(site.settings) as connection:
        _require_unversioned(connection)
    with (
        ops_lock(site.settings, MIGRATION, by, WAIT_SECONDS),
        locked_connection(site.settings) as connection,
    ):
        _require_unversioned(connection)
        context = _context(connection, metadata)
        plan = _plan(site, context, metadata)
        for change in plan.changes:
            show(str(change))
        if any(change.loses_data for change in plan.changes) and not accept_data_loss:
            raise Refused(
                "Data would be lost by what is marked above. Nothing was changed. If it may be: "
                "flask --debug database push --accept-data-loss"
            )
        try:
            _apply(context, metadata, plan)
        except SQLAlchemyError as error:
            raise Refused(_not_taken(context, reason_of(error))) from error
    return len(plan.changes)


def _not_taken(context: MigrationContext, reason: str) -> str:
    hint = " A new column that must not be empty needs a server_default where there are rows."
    kept = "Nothing was changed."
    if context.dialect.name not in ("sqlite", "postgresql"):
        kept = "What was done before it stays; the next run goes on from there."
    return f"The database did not take it: {reason} {kept}{hint * ('null' in reason.lower())}"


def _require_unversioned(connection: Connection) -> None:
    cut_off = interrupted_in(connection)
    if cut_off is not None:
        raise Refused(cut_off.in_the_way())
    revision = revision_of(connection)
    if revision is not None:
        raise Refused(
            f"The database is under migrations (at {revision}), and push would leave them behind. "
            "Nothing was changed. Write a migration: flask db migrate -m WORDS"
        )


def _context(connection: Connection, metadata: MetaData) -> MigrationContext:
    options = {name: autogenerate.OPTIONS[name] for name in _OPTIONS}
    return MigrationContext.configure(connection, opts={**options, "target_metadata": metadata})


def _plan(site: Installation, context: MigrationContext, metadata: MetaData) -> _Plan:
    connection = context.connection
    assert connection is not None
    tables = produce_migrations(context, metadata).upgrade_ops
    assert tables is not None
    differing = _flat(tables.as_diffs())
    checks = model_checks.differences(connection, metadata)
    stand = guards.compare(connection, site.migrations, set(metadata.tables))
    made = {table_of(one) for one in differing if one[0] == "add_table"}
    changes = [
        in_words(one, connection.dialect)
        for one in differing
        if one[0] != "add_index" or table_of(one) not in made
    ]
    changes += [Change(str(one)) for one in checks]
    changes += [Change(line) for line in stand.in_words()]
    touched = {table_of(one) for one in differing} | {one.table for one in checks}
    return _Plan(tables, checks, stand, changes, touched)


def _flat(diffs: list[object]) -> list[tuple[object, ...]]:
    """What changes in one column Alembic tells as a list within the list."""
    found: list[tuple[object, ...]] = []
    for one in diffs:
        found += one if isinstance(one, list) else [one]  # type: ignore[list-item]
    return found


def _apply(context: MigrationContext, metadata: MetaData, plan: _Plan) -> None:
    connection = context.connection
    assert connection is not None
    if connection.dialect.name == "sqlite":
        rebuilding.rebuild(connection, metadata, plan.touched)
    else:
        _apply_on_server(context, plan)
    # Those of a table that was dropped or rebuilt went with it.
    guards.put_right(connection, plan.guards.anew(connection))


def _steps(operations: Iterable[MigrateOperation]) -> Iterator[MigrateOperation]:
    for one in operations:
        if isinstance(one, ModifyTableOps):
            yield from one.ops
        else:
            yield one


def _apply_on_server(context: MigrationContext, plan: _Plan) -> None:
    connection = context.connection
    assert connection is not None
    if connection.dialect.name != "postgresql":
        # What may be lost was accepted: a text is cut to its new length, as PostgreSQL's CAST does.
        connection.exec_driver_sql("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'")
    operations = Operations(context)
    for one in plan.checks:
        if one.is_there:
            operations.drop_constraint(operations.f(one.name), one.table, type_="check")
    for step in _steps(plan.tables.ops):
        if isinstance(step, AlterColumnOp) and step.modify_type is not None:
            kind = step.modify_type.compile(dialect=connection.dialect)
            step.kw["postgresql_using"] = f'CAST("{step.column_name}" AS {kind})'
        operations.invoke(step)
    for one in plan.checks:
        if one.wanted is not None:
            operations.create_check_constraint(operations.f(one.name), one.table, one.wanted)
