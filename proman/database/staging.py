"""Rebuilds what a good file holds in a database of our own making, ready to become the live one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from proman.base.errors import Refused
from proman.database import confined, durable, scratch
from proman.database.driver import sqlite3
from proman.database.installation import Installation, ask
from proman.database.judging import Verdict, judge
from proman.database.manifest import Manifest
from proman.database.sqlite_copy import Facts, Progress, count_rows, opened, prove
from proman.database.statistics import make_statistics


@dataclass(frozen=True)
class Staged:
    """A rebuilt database at this version's revision, and what was found on the way."""

    path: Path
    verdict: Verdict
    facts: Facts
    ledger_balance: int
    newest_change: datetime | None
    breaches: list[str]


def stage(
    site: Installation, source: Path, manifest: Manifest | None, target: Path, report: Progress
) -> Staged:
    """Judges `source`, rebuilds it at `target` and brings it up to this version.

    Raises Refused with the reason; what was written to `target` is then gone. Broken books are
    refused of a bare file alone: a manifest proves that they were so when the backup was made.
    """
    try:
        verdict = judge(site, source, manifest, report, is_rebuilt=True)
        durable.require_space(target.parent, 2 * verdict.size)
        _rebuild(site, source, verdict, target, report)
        report("bringing it up to this version", 0, 0)
        scratch.migrate(target, site.migrations)
        make_statistics(target)
        facts = prove(target, report)
        balance = ask(target, site.checks.ledger_balance)
        newest = ask(target, site.checks.newest_change)
        report("examining the books", 0, 0)
        breaches = ask(target, lambda connection: site.checks.breaches(connection, site.head))
        if breaches and manifest is None:
            raise Refused(
                f"The books in this file are broken, and without its manifest nobody can tell "
                f"whether they were when it was made: {breaches[0]} It can still be copied into "
                "place by hand (docs/backup.md, Recovery by hand)."
            )
        durable.sync_file(target)
    except sqlite3.Error as error:
        durable.remove_database(target)
        raise Refused(f"The rows could not be rebuilt: {error}.") from error
    except BaseException:
        durable.remove_database(target)
        raise
    return Staged(target, verdict, facts, balance, newest, breaches)


def _rebuild(
    site: Installation, source: Path, verdict: Verdict, target: Path, report: Progress
) -> None:
    assert verdict.facts.revision is not None
    scratch.migrate(target, site.migrations, verdict.facts.revision)
    columns, _ = scratch.shape_of(target)
    confined.run(
        "proman.database.rebuild_process",
        {"source": str(source.absolute()), "target": str(target.absolute()), "columns": columns},
        confined.limits_for(verdict.size, writes=True),
        report,
    )
    with opened(target) as connection:
        rebuilt = count_rows(connection)
    for table in columns:
        if rebuilt[table] != verdict.facts.rows[table]:
            raise Refused(
                f"{table} holds {verdict.facts.rows[table]} rows, {rebuilt[table]} were rebuilt."
            )
