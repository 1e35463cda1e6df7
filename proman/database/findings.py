"""Tells what a staged backup holds beside today's database, before anything is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from proman.database.contents import Content
from proman.database.documents import in_words
from proman.database.driver import sqlite3
from proman.database.installation import Installation, fingerprint_of
from proman.database.live import live_database
from proman.database.manifest import Manifest, utc_text
from proman.database.restores import Findings
from proman.database.rules import moment_of
from proman.database.staging import Staged


def findings(
    site: Installation,
    source: str,
    staged: Staged,
    manifest: Manifest | None,
    missing: Sequence[Content] = (),
) -> Findings:
    """What a person should know before confirming: age, rows, what would be lost, warnings."""
    taken = manifest.moment if manifest else moment_of(Path(source).name)
    taken = taken or staged.newest_change
    damage = live_database(site).damage()
    # To the second the name says when; the file's own trail says it exactly.
    since = staged.newest_change or taken
    rows_today, changes = ({}, 0) if damage else _today(site, since)
    verdict = staged.verdict
    return Findings(
        taken_at=utc_text(taken) if taken else None,
        revision=verdict.facts.revision or "",
        head=site.head,
        size=verdict.size,
        rows=staged.facts.rows,
        rows_today=rows_today,
        changes_since=changes,
        warnings=[
            *verdict.warnings,
            *_of_another_key(site, manifest),
            *_broken_books(staged.breaches),
            *_missing(missing, len(verdict.documents)),
            *([] if damage else _no_way_back(site)),
        ],
        damage=damage,
        documents=len(verdict.documents),
        documents_missing=len(missing),
        newest_change=since.isoformat() if since else None,
    )


def counted_anew(site: Installation, found: Findings) -> Findings:
    """The same with what is in the live database by now: work went on since the file was judged.

    The live file was proven then, and is again only when it cannot be counted: of a damaged one
    nothing is.
    """
    if found.damage:
        return found
    since = datetime.fromisoformat(found.newest_change) if found.newest_change else found.taken
    try:
        rows_today, changes = _today(site, since)
    except (sqlite3.DatabaseError, DBAPIError):
        damage = live_database(site).damage()
        if not damage:
            raise
        return replace(found, damage=damage)
    return replace(found, rows_today=rows_today, changes_since=changes)


def _today(site: Installation, since: datetime | None) -> tuple[dict[str, int], int]:
    """Rows of the live database, and how many changes were recorded in it since."""
    live = live_database(site)
    if not live.exists():
        return {}, 0

    def changes(connection: Connection) -> int:
        return site.checks.changes_since(connection, since) if since else 0

    return live.count_rows(), live.ask(changes)


def _no_way_back(site: Installation) -> list[str]:
    live = live_database(site)
    wrong = live.wrong_value() if live.exists() else ""
    if not wrong:
        return []
    return [
        f"In the database of today: {wrong} So the safety backup made of it can be put back "
        "by hand alone (docs/backup.md, Recovery by hand), and an undo would be refused. Mend it "
        "first if you can."
    ]


def _of_another_key(site: Installation, manifest: Manifest | None) -> list[str]:
    made_under = manifest.secret_key_fingerprint if manifest else ""
    if made_under in ("", fingerprint_of(site.settings.secret_key)):
        return []
    return [
        "It was made under another secret key: by another installation, or before this one's key "
        "was changed. Make sure that it is the one you want."
    ]


def _missing(missing: Sequence[Content], of: int) -> list[str]:
    if not missing:
        return []
    return [
        f"{len(missing)} of its {of} uploaded documents are neither in this backup nor in the data "
        f"directory: {in_words(missing)}. They will be listed, but cannot be opened."
    ]


def _broken_books(breaches: list[str]) -> list[str]:
    if not breaches:
        return []
    more = f" And {len(breaches) - 1} more." if len(breaches) > 1 else ""
    return [f"The books in this file are broken: {breaches[0]}{more}"]
