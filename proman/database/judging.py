"""Decides whether a file from outside is a database of ProMan that this version can take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from proman.base.errors import Refused
from proman.database import confined, durable, scratch
from proman.database.contents import Content
from proman.database.engines import APPLICATION_ID
from proman.database.installation import Installation
from proman.database.manifest import Manifest
from proman.database.sqlite_copy import Facts, Progress, silent
from proman.db import db


@dataclass(frozen=True)
class Verdict:
    """What is known of a file that may be taken: facts, and what a person should know."""

    facts: Facts
    sha256: str
    size: int
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    documents: tuple[Content, ...] = ()


def judge(
    site: Installation,
    path: Path,
    manifest: Manifest | None,
    report: Progress = silent,
    is_rebuilt: bool = False,
) -> Verdict:
    """Reads the file in a confined process; raises Refused with the reason when it cannot be taken.

    Its values are looked at too, unless it `is_rebuilt` afterwards, where that is done anyway.
    Nothing of the file's own SQL runs, and it is never changed.
    """
    size = path.stat().st_size if path.is_file() else 0
    limits = confined.limits_for(size)
    found = confined.run(
        "proman.database.judge_process",
        {
            "path": str(path.absolute()),
            "application_id": APPLICATION_ID,
            "sha256": manifest.sha256 if manifest else None,
            "administrators": _as_text(site.checks.administrators),
            "operators": _as_text(site.checks.operators),
            "documents": _as_text(site.checks.documents),
            "documents_table": site.checks.documents_table,
            "values": [] if is_rebuilt else sorted(db.metadata.tables),
            "seconds": limits.wall,
        },
        limits,
        report,
    )
    revision = scratch.require_known(site.migrations, found["revision"])
    left_out = _compare(site, found, revision)
    if not found["administrators"]:
        raise Refused("There is no active administrator in it: nobody could sign in afterwards.")
    facts = Facts(
        rows=found["rows"],
        revision=revision,
        schema_fingerprint=found["schema_fingerprint"],
        page_size=found["page_size"],
        application_id=APPLICATION_ID,
    )
    warnings = _warnings(found, manifest, left_out)
    needed = tuple(Content(*row) for row in found["documents"])
    return Verdict(facts, found["sha256"], found["size"], warnings, left_out, needed)


def _as_text(question: Select[*tuple[Any, ...]]) -> str:
    return str(question.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


def _compare(site: Installation, found: dict[str, Any], revision: str) -> tuple[str, ...]:
    """Tables that are not ours; refuses what is missing and any trigger that we did not write."""
    with durable.scratch_directory(site.data_dir) as directory:
        expected = directory / "expected.sqlite"
        scratch.migrate(expected, site.migrations, revision)
        columns, triggers = scratch.shape_of(expected)
    for one in found["objects"]:
        if one["type"] == "trigger" and _plain(triggers.get(one["name"], "")) != _plain(one["sql"]):
            raise Refused(f"The file holds a trigger ({one['name']}) that is not ProMan's.")
    for table, names in columns.items():
        missing = set(names) - set(found["columns"].get(table, ()))
        if missing:
            what = (
                f"the table {table}" if table not in found["columns"] else f"{table}.{min(missing)}"
            )
            raise Refused(f"The file says it is at revision {revision}, but lacks {what}.")
    ours = {*columns, "alembic_version"}
    return tuple(sorted(set(found["columns"]) - ours))


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def _warnings(
    found: dict[str, Any], manifest: Manifest | None, left_out: tuple[str, ...]
) -> tuple[str, ...]:
    warnings = []
    if found["is_wal"] and manifest is None:
        warnings.append(
            "This looks like a plain copy of a database in use. Changes that were still in its "
            "write-ahead log (the -wal file beside it) are missing."
        )
    if found["operators"] == 0:
        warnings.append(
            "There is no active operator in it: nobody could open the page of the database "
            "afterwards, until: flask users create-admin EMAIL"
        )
    if left_out:
        named = ", ".join(left_out[:10])
        warnings.append(f"Tables that are not ProMan's will be left out: {named}.")
    return tuple(warnings)
