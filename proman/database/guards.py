"""The triggers and exclusions that migrations make: in no model, so taken from the fingerprints."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from proman.base.errors import Refused
from proman.database.description import Schema, describe, engine_of, table_of
from proman.database.fingerprints import fingerprint_of
from proman.database.revisions import head_revision

_KINDS = ("trigger ", "exclusion ")


@dataclass(frozen=True)
class Guards:
    """Those that the newest revision has, of the tables that the models have; and those there."""

    engine: str
    wanted: Schema
    found: Schema

    def in_words(self) -> Iterator[str]:
        """What is to be done, a line each."""
        for key in sorted(self.wanted | self.found):
            if key not in self.found:
                yield f"make {key}"
            elif key not in self.wanted:
                yield f"drop {key}"
            elif self.found[key] != self.wanted[key]:
                yield f"change {key}"

    def anew(self, connection: Connection) -> Guards:
        """The same after tables were changed."""
        return replace(self, found=_guards_in(describe(connection)))


def compare(connection: Connection, migrations: Path, tables: Set[str]) -> Guards:
    """What is there beside what the newest revision has; refuses when that was not written down."""
    engine, head = engine_of(connection), head_revision(migrations)
    schema = fingerprint_of(migrations, engine, head)
    if schema is None:
        raise Refused(f"The schema of {head} is not written down. Run: scripts/fingerprints")
    wanted = {key: what for key, what in _guards_in(schema).items() if table_of(key) in tables}
    return Guards(engine, wanted, _guards_in(describe(connection)))


def put_right(connection: Connection, guards: Guards) -> None:
    """Drops what is otherwise than wanted and makes what is missing."""
    for key, what in guards.found.items():
        if guards.wanted.get(key) != what:
            _run(connection, _dropping(guards.engine, key))
    for key, what in guards.wanted.items():
        if guards.found.get(key) != what:
            _run(connection, _making(guards.engine, key, what))


def _guards_in(schema: Schema) -> Schema:
    return {key: what for key, what in schema.items() if key.startswith(_KINDS)}


def _dropping(engine: str, key: str) -> str:
    kind, table, name = _parts(key)
    if kind == "exclusion":
        return f"ALTER TABLE {table} DROP CONSTRAINT {name}"
    return f"DROP TRIGGER {name}" + (f" ON {table}" if engine == "postgresql" else "")


def _making(engine: str, key: str, what: str) -> str:
    kind, table, name = _parts(key)
    if kind == "exclusion":
        return f"ALTER TABLE {table} ADD CONSTRAINT {name} {what}"
    if engine == "mysql":
        moment, event, body = what.split(" ", 2)
        return f"CREATE TRIGGER {name} {moment} {event} ON {table} FOR EACH ROW {body}"
    return what


def _parts(key: str) -> tuple[str, str, str]:
    kind, _, named = key.partition(" ")
    table, _, name = named.partition(".")
    return kind, table, name


def _run(connection: Connection, statement: str) -> None:
    # A per cent sign in a trigger is no placeholder.
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
