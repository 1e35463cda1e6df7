"""`flask database …` as Flask finds it before the application is loaded.

Every start of a container asks `flask database deploy`, and mostly there is nothing to do. To load
the application takes several times as long as that answer.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask.cli import ScriptInfo

from proman.database.marks import COPY, REVISIONS, STEPS, is_pending

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from proman.settings import Settings

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
HELP = "Schema, backup, verification, drill and restore of the database."
NOTHING_TO_DO = "The database is at {}: nothing to do."
_LINK = re.compile(r"^(down_)?revision\b[^=\n]*=\s*(?:['\"](\w+)['\"]|None)\s*$", re.MULTILINE)
_PATIENCE_SECONDS = 10


@click.command(
    "database",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    short_help=HELP,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def database(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Runs the application's own group, unless `deploy` has nothing to do."""
    head = newest_of(VERSIONS) if arguments == ("deploy",) else None
    if head is not None and is_at_rest(head):
        click.echo(NOTHING_TO_DO.format(head))
        return
    app = ctx.ensure_object(ScriptInfo).load_app()
    group = app.cli.commands["database"]
    with app.app_context(), group.make_context(ctx.info_name, list(arguments), ctx.parent) as own:
        group.invoke(own)


def newest_of(versions: Path) -> str | None:
    """The one revision of the migration files that no other follows.

    None when there is not exactly one, or a file names its place in another way than ours do.
    """
    known: set[str] = set()
    followed: set[str] = set()
    for file in versions.glob("*.py"):
        links = dict(_LINK.findall(file.read_text(encoding="utf-8")))
        if links.keys() != {"", "down_"} or not links[""]:
            return None
        known.add(links[""])
        followed.add(links["down_"])
    newest = known - followed
    return newest.pop() if len(newest) == 1 else None


def is_at_rest(head: str) -> bool:
    """Whether the database is certainly at this revision, and nothing in it is unfinished.

    False says only that it takes a closer look, which tells what is wrong.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from proman.addresses import UnusableSetting
    from proman.settings import read_settings

    with suppress(UnusableSetting, SQLAlchemyError, OSError):
        return _stands_at(read_settings(), head)
    return False


def _stands_at(settings: Settings, head: str) -> bool:
    from sqlalchemy import NullPool, create_engine, text

    live = settings.database_file
    if live is not None and (not live.is_file() or is_pending(live)):
        return False
    url = settings.database_url
    is_set = live is not None or "connect_timeout" in url.query
    waiting = {} if is_set else {"connect_timeout": _PATIENCE_SECONDS}
    engine = create_engine(url, poolclass=NullPool, connect_args=waiting)
    with engine.connect() as connection:
        if _is_unfinished(connection):
            return False
        return bool(connection.scalar(text(f"SELECT version_num FROM {REVISIONS}")) == head)


def _is_unfinished(connection: Connection) -> bool:
    from sqlalchemy import inspect, text

    # Another encoding does not hold every name; the closer look refuses it.
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql and connection.scalar(text("SHOW server_encoding")) != "UTF8":
        return True
    tables = inspect(connection).get_table_names()
    if COPY in tables:
        return True
    return STEPS in tables and connection.scalar(text(f"SELECT COUNT(*) FROM {STEPS}")) != 0
