"""What `flask db migrate` and `flask db check` compare, and how a new migration is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _repr_type
from alembic.migration import MigrationContext
from alembic.operations.ops import MigrationScript
from alembic.util import CommandError
from sqlalchemy import Column, LargeBinary, TypeDecorator
from sqlalchemy.types import TypeEngine

from proman.database import lease, marks, server_lock, server_maintenance
from proman.db import utc_now

OWN_TABLES = frozenset(
    {server_lock.TABLE, lease.TABLE, server_maintenance.TABLE, marks.STEPS, marks.COPY}
)
"""Tables of the tools themselves: in no migration, no backup and no restore."""
_BLOBS = ((255, "TINYBLOB"), (65_535, "BLOB"), (16_777_215, "MEDIUMBLOB"), (1 << 32, "LONGBLOB"))


def is_part_of_the_schema(
    thing: object, name: str | None, kind: str, reflected: bool, compare_to: object
) -> bool:
    """What migrations look after: everything but the tables that the tools keep for themselves."""
    return not (kind == "table" and name in OWN_TABLES)


def has_other_type(
    context: MigrationContext,
    found_column: Column[Any],
    wanted_column: Column[Any],
    found: TypeEngine[Any],
    wanted: TypeEngine[Any],
) -> bool | None:
    """Whether a column's type differs; None leaves the answer to Alembic.

    MySQL and MariaDB make of a BLOB with a length the smallest kind of BLOB that holds it.
    """
    if context.dialect.name not in ("mysql", "mariadb") or not isinstance(wanted, LargeBinary):
        return None
    needed = wanted.length or 65_535
    made = next(name for most, name in _BLOBS if needed <= most)
    return str(found.compile(dialect=context.dialect)) != made


def has_other_default(
    context: MigrationContext,
    found_column: Column[Any],
    wanted_column: Column[Any],
    found: str | None,
    wanted: object,
    rendered: str | None,
) -> bool | None:
    """Whether a column's default differs; None leaves the answer to Alembic.

    What SQLite and MySQL tell of a default varies in its quotes; Alembic's own comparison takes an
    empty text for a difference.
    """
    if context.dialect.name == "postgresql":
        return None
    return _plain(found) != _plain(rendered)


def _plain(default: str | None) -> str | None:
    if default is None:
        return None
    bare = default.strip("()").strip("'").lower()
    return {"false": "0", "true": "1"}.get(bare, bare)


def name_by_time(context: Any, revision: Any, directives: list[MigrationScript]) -> None:
    """A revision is named by its minute (UTC), the next free one; without changes none is made."""
    script = directives[0]
    if script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        if getattr(context.config.cmd_opts, "autogenerate", False):
            directives[:] = []
            click.echo("The models and the database agree: no migration is due.")
        return
    moment = utc_now()
    while _is_taken(context, name := f"{moment:%Y%m%d_%H%M}"):
        moment += timedelta(minutes=1)
    script.rev_id = name


def _is_taken(context: Any, name: str) -> bool:
    try:
        return context.script.get_revision(name) is not None
    except CommandError:
        return False


def in_words_of_sqlalchemy(kind: str, thing: Any, context: AutogenContext) -> str | bool:
    """A migration imports nothing of the application, so ProMan's own types are written plainly."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        return _repr_type(thing.impl_instance, context)
    return False


OPTIONS: dict[str, Any] = {
    "include_object": is_part_of_the_schema,
    "compare_type": has_other_type,
    "compare_server_default": has_other_default,
    "render_as_batch": True,
    "render_item": in_words_of_sqlalchemy,
    "process_revision_directives": name_by_time,
}
"""What every use of the migrations is configured with, beside its connection."""
