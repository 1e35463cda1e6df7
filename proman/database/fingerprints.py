"""The schema that each revision makes on each engine, kept beside the migrations, and its drift.

`migrations/fingerprints/<engine>/<revision>.txt` holds what a revision adds and takes away, a line
each; `scripts/fingerprints` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from proman.database.description import Schema, describe, engine_of, table_of
from proman.database.revisions import chain_to, is_known

FOLDER = "fingerprints"
_TOO_LONG = 160


def fingerprint_of(migrations: Path, engine: str, revision: str) -> Schema | None:
    """The schema of a revision; None when it, or one before it, was never written down."""
    if not is_known(migrations, revision):
        return None
    schema: Schema = {}
    for step in chain_to(migrations, revision):
        file = _file(migrations, engine, step)
        if not file.is_file():
            return None
        for line in file.read_text(encoding="utf-8").splitlines():
            key, _, what = line[2:].partition(": ")
            if line[0] == "+":
                schema[key] = what
            elif schema.get(key) == what:
                del schema[key]
    return schema


def write(migrations: Path, engine: str, revision: str, before: Schema, after: Schema) -> Path:
    """Writes down what a revision made of the schema that was there before."""
    gone = (_line("-", key, before[key]) for key in before if after.get(key) != before[key])
    come = (_line("+", key, after[key]) for key in after if before.get(key) != after[key])
    file = _file(migrations, engine, revision)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in (*sorted(gone), *sorted(come))), "utf-8")
    return file


def drift_in(connection: Connection, migrations: Path, revision: str) -> list[str]:
    """How the schema differs from its revision's, in words; nothing where none was written down."""
    wanted = fingerprint_of(migrations, engine_of(connection), revision)
    return [] if wanted is None else differences(describe(connection), wanted)


def differences(found: Schema, wanted: Schema) -> list[str]:
    """What is missing, what is there besides and what is otherwise, by table."""
    return [line for _, line in sorted(_differences(found, wanted))]


def _differences(found: Schema, wanted: Schema) -> Iterator[tuple[str, str]]:
    for key, what in wanted.items():
        if key not in found:
            if _is_telling(key, found):
                yield table_of(key), f"missing: {_told(key, what)}"
        elif found[key] != what:
            yield table_of(key), f"different: {_otherwise(key, found[key], what)}"
    for key, what in found.items():
        if key not in wanted and _is_telling(key, wanted):
            yield table_of(key), f"not of this revision: {_told(key, what)}"


def _is_telling(key: str, other: Schema) -> bool:
    """Of a whole table that is not there its parts say nothing more."""
    return key.startswith(("table ", "view ")) or f"table {table_of(key)}" in other


def _told(key: str, what: str) -> str:
    return f"{key} {what}".rstrip() if len(what) < _TOO_LONG else key


def _otherwise(key: str, found: str, wanted: str) -> str:
    if max(len(found), len(wanted)) > _TOO_LONG:
        return f"{key} says something else"
    return f"{key} is {found or 'nothing'}, should be {wanted or 'nothing'}"


def _line(sign: str, key: str, what: str) -> str:
    return f"{sign} {key}: {what}" if what else f"{sign} {key}"


def _file(migrations: Path, engine: str, revision: str) -> Path:
    return migrations / FOLDER / engine / f"{revision}.txt"
