"""The database that a copy goes to: its address, and what has to be so before anything is done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, table
from sqlalchemy.exc import SQLAlchemyError

from proman.addresses import UnusableSetting, parse_database_url
from proman.base.errors import Refused
from proman.database.carrying import count_rows
from proman.database.driver import sqlite3
from proman.database.marks import REVISIONS
from proman.database.migrating import OWN_TABLES, looking_connection
from proman.database.server_copy import revision_of
from proman.database.sqlite_copy import reading
from proman.database.troubles import told
from proman.database.unfinished import unfinished_in
from proman.settings import Settings

_PORTS = {"postgresql": 5432, "mysql": 3306}
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def settings_of(own: Settings, address: str) -> Settings:
    """The settings of an installation whose database is the one at the address.

    Raises Refused when it is no address, or that of the database in use.
    """
    if not address.strip():
        raise Refused(
            "--to names no database. Example: --to postgresql://user:password@host/proman"
        )
    try:
        url = parse_database_url(address, own.data_dir, "--to")
    except UnusableSetting as error:
        raise Refused(str(error)) from None
    if _place(url) == _place(own.database_url):
        raise Refused("--to names the database that is in use itself. Name an empty one.")
    return replace(own, database_url=url)


def look(target: Settings, head: str) -> None:
    """Raises Refused when nothing can be copied to the target; leaves it as it is."""
    with in_one_line("The target cannot be used", " Nothing was changed.", "--to"):
        file = target.database_file
        if file is None:
            with looking_connection(target) as connection:
                require_empty(connection, head)
        elif file.is_dir():
            raise Refused(f"{file} is a directory. Nothing was changed. Name a file in it.")
        elif file.exists():
            with reading(file, "mode=ro") as connection:
                require_empty(connection, head)
            _require_writable(file)
        else:
            _require_writable(file.parent)


def require_empty(connection: Connection, head: str) -> None:
    """Raises Refused unless there is nothing at all, or no more than the tables of that revision.

    Raises it too where an earlier copy was not finished.
    """
    unfinished = unfinished_in(connection)
    if unfinished:
        raise Refused(unfinished)
    names = sorted(set(inspect(connection).get_table_names()) - OWN_TABLES)
    if REVISIONS in names and revision_of(connection) == head:
        counted = count_rows(connection, [table(name) for name in names if name != REVISIONS])
        names = [name for name, rows in counted.items() if rows]
    if names:
        listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        raise Refused(
            f"The target is not empty (it holds {listed}). Nothing was changed. Name an empty "
            "database."
        )


def _require_writable(path: Path) -> None:
    if not path.exists():
        raise Refused(f"There is no directory {path}. Nothing was changed. Make it first.")
    if not os.access(path, os.W_OK) or os.statvfs(path).f_flag & os.ST_RDONLY:
        raise Refused(f"{path} cannot be written. Nothing was changed.")


def _place(url: URL) -> tuple[object, ...]:
    """What two addresses of one database have in common, as far as they tell it."""
    engine = url.get_backend_name().replace("mariadb", "mysql")
    if engine == "sqlite":
        return engine, Path(url.database or "").resolve()
    host = "localhost" if url.host in _LOCAL else url.host or url.query.get("host")
    port = url.port or url.query.get("port") or _PORTS[engine]
    return engine, host, port, url.database


@contextmanager
def in_one_line(what: str, then: str = "", option: str = "DATABASE_URL") -> Iterator[None]:
    """What fails inside is refused in one line: `what`, why, what to do, and what `then` is so.

    `option` is where the address came from.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, TypeError) as error:
        why = told(error, option)
        raise Refused(f"{what}: {why}{then}") from error
