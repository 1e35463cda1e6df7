"""Whether this version can work on the database: it answers, can be written, has its revision."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import Connection, inspect, text

from proman.base.errors import Refused
from proman.database.lock import holder
from proman.database.mysql_steps import interrupted_in
from proman.database.revisions import in_the_way
from proman.database.unfinished import unfinished_in
from proman.db import db
from proman.settings import Settings

Answer = TypeVar("Answer")
MIGRATION = "migration"
_READ_ONLY = {
    "postgresql": "SELECT current_setting('transaction_read_only') = 'on'",
    "mysql": "SELECT @@global.read_only",
    "mariadb": "SELECT @@global.read_only",
}


def readiness(settings: Settings, migrations: Path) -> str:
    """What keeps the database from being worked on, in a sentence, or an empty text.

    Raises whatever its driver does when it does not answer.
    """
    if settings.is_sqlite:
        # A migration holds the file's one write lock: whoever asked for it would wait that long.
        found = holder(settings)
        if found is not None and found.what == MIGRATION:
            return f"Under way: {found}. Pages answer; changes wait until it has ended."
    session = db.session()
    session.rollback()
    try:
        return _problem(session.connection(execution_options={"write": True}), migrations)
    finally:
        session.rollback()


def on_ready_database(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """Gives a command that works on what the database holds its application, and a database.

    It raises Refused with what keeps the database from being worked on.
    """

    @wraps(command)
    def on_ready(*arguments: Any, **options: Any) -> Answer:
        problem = current_app.extensions["proman_readiness"]()
        if problem:
            raise Refused(problem)
        return command(*arguments, **options)

    decorated: Callable[..., Answer] = with_appcontext(on_ready)
    return decorated


def _problem(connection: Connection, migrations: Path) -> str:
    question = _READ_ONLY.get(connection.dialect.name)
    if question is not None and connection.scalar(text(question)):
        return "The database can only be read: it is a replica, or was set so. Name the primary."
    wrong = wrong_encoding(connection)
    if wrong:
        return wrong
    unfinished = unfinished_in(connection)
    if unfinished:
        return unfinished
    cut_off = interrupted_in(connection)
    if cut_off is not None:
        return cut_off.in_the_way()
    revision = None
    if inspect(connection).has_table("alembic_version"):
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return in_the_way(migrations, revision)


def wrong_encoding(connection: Connection) -> str:
    """Why the database cannot hold the letters of every script, and what to do; else nothing.

    On MySQL and MariaDB each table says its own, whatever the database's.
    """
    if connection.dialect.name != "postgresql":
        return ""
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding == "UTF8":
        return ""
    name = connection.engine.url.database
    return (
        f"The database {name} is in {encoding}, which does not hold every name. Make it anew: "
        f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
    )
