"""Verifies backups that exist: by command, at night for those without a manifest, by a drill."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from proman.base.errors import Refused
from proman.database import (
    backup,
    catalogue,
    documents,
    durable,
    journal_events,
    outcomes,
    rules,
    sources,
)
from proman.database import manifest as manifests
from proman.database.amending import amend
from proman.database.catalogue import Backup
from proman.database.contents import Content
from proman.database.installation import Installation, ask
from proman.database.judging import Verdict, judge
from proman.database.live import live_database
from proman.database.lock import Held, ops_lock
from proman.database.manifest import Manifest
from proman.database.pools import Pool
from proman.database.sealing import Locked
from proman.database.sources import Source
from proman.database.sqlite_copy import Progress, silent
from proman.database.staging import stage
from proman.db import utc_now


@dataclass(frozen=True)
class Drill:
    """What a restore into a scratch database showed."""

    name: str
    rows: int
    ledger_balance: int
    revision: str
    head: str


def verify(
    site: Installation, path: Path, report: Progress = silent, passphrase: str | None = None
) -> Verdict:
    """Whether the file, or archive, is a good backup of ProMan; its manifest counts if it has one.

    What is in the list can be meant by its name.

    Raises Refused with the reason when it is not, and Locked when nobody can tell because neither
    `passphrase` nor the installation's own opens it.
    """
    if sources.is_listed(site, path):
        path = catalogue.backup_named(site.backup_dir, path.name).path
    with sources.database_in(site, path, passphrase, report) as source:
        verdict = judge(site, source.database, source.manifest, report)
        missing = _missing(verdict, source, report)
    if not missing:
        return verdict
    if source.manifest is not None:
        raise Refused(_told(missing))
    # A bare file holds the database alone.
    return replace(verdict, warnings=(*verdict.warnings, _told(missing)))


def _missing(verdict: Verdict, source: Source, report: Progress) -> tuple[Content, ...]:
    """The documents that are missing or damaged, every one being read."""
    named = source.manifest.documents if source.manifest else verdict.documents
    if {(o.sha256, o.size) for o in named} != {(o.sha256, o.size) for o in verdict.documents}:
        raise Refused("The database needs other documents than the manifest says.")
    return documents.missing_from(verdict.documents, source.folders, report)


def _told(missing: Sequence[Content]) -> str:
    words = documents.number_of(missing)
    verb = "is" if len(missing) == 1 else "are"
    return f"{words} {verb} missing or damaged: {documents.in_words(missing)}."


def verify_listed(site: Installation, name: str, by: str) -> Backup:
    """Verifies a backup of the list and keeps the outcome in its manifest."""
    noted = outcomes.noted(site.data_dir, "verification", by)
    with ops_lock(site.settings, "verification", by) as held, noted:
        return _settle(site, catalogue.backup_named(site.backup_dir, name), held)


def verify_new(site: Installation, held: Held, most: int = 10) -> list[Backup]:
    """Verifies files that came without a manifest, oldest first, at most so many at once.

    One that is no good, or cannot be read, stays as it is and keeps no other from its turn.
    """
    listed = reversed(catalogue.backups_in(site.backup_dir))
    bare = [one for one in listed if one.is_bare][:most]
    return [_settled_if_good(site, one, held) for one in bare]


def _settled_if_good(site: Installation, one: Backup, held: Held) -> Backup:
    try:
        return _settle(site, one, held)
    except Refused:
        return one  # the journal tells why


def drill(
    site: Installation,
    file: Path | None,
    by: str,
    watch: Progress = silent,
    passphrase: str | None = None,
) -> Drill:
    """Restores a backup (by default the newest verified one) into a scratch database and compares.

    `file` is one of the list, by name or path, or any file or archive. Raises Refused with what was
    wrong; what went well is noted in the manifest of a listed one. How it went is kept of these
    alone: a bad file from elsewhere says nothing about the backups of this installation.
    """
    is_ours = file is None or sources.is_listed(site, file)
    with ops_lock(site.settings, "drill", by) as held, contextlib.ExitStack() as stack:
        if is_ours:
            stack.enter_context(outcomes.noted(site.data_dir, "drill", by))
            name = rules.stem_of(file.name) if file else ""
            told = stack.enter_context(journal_events.noted(site, "drill", by, name))
        held.watch = watch
        listed = _listed(site, file)
        if listed:
            told.name = listed.name
        path = listed.path if listed else file
        assert path is not None
        with (
            sources.database_in(site, path, passphrase, held.report) as source,
            durable.scratch_directory(site.data_dir) as directory,
        ):
            known = source.manifest
            staged = stage(site, source.database, known, directory / "drill.sqlite", held.report)
            missing = _missing(staged.verdict, source, held.report)
            if missing and known is not None and listed is not None:
                _note_missing(listed, missing, source.pool)
        if known is not None and known.ledger_balance not in (None, staged.ledger_balance):
            raise Refused("The ledger of the restored database differs from the manifest's.")
        if staged.breaches:
            raise Refused(f"The books of the restored database are broken: {staged.breaches[0]}")
        if known is not None and known.rows != staged.verdict.facts.rows:
            raise Refused("The restored database holds other rows than the manifest says.")
        if missing and known is not None:
            raise Refused(f"{_told(missing)} The database itself was restored and compared.")
        if listed is not None:
            catalogue.note_proven(listed, utc_now())
        return Drill(
            name=rules.stem_of(path.name.removesuffix(".tar")),
            rows=sum(staged.facts.rows.values()),
            ledger_balance=staged.ledger_balance,
            revision=staged.verdict.facts.revision or "",
            head=site.head,
        )


def _listed(site: Installation, file: Path | None) -> Backup | None:
    """The backup of the list that is meant; None for a file from elsewhere."""
    if file is not None:
        is_listed = sources.is_listed(site, file)
        return catalogue.backup_named(site.backup_dir, file.name) if is_listed else None
    newest = catalogue.newest_verified(catalogue.backups_in(site.backup_dir))
    if newest is None:
        raise Refused("There is no verified backup yet. Make one first.")
    return newest


def _settle(site: Installation, one: Backup, held: Held) -> Backup:
    """Writes the manifest of a good file; of a bad one with a manifest, what is wrong with it.

    Raises Refused with the reason, and Locked.
    """
    by, report = held.holder.who, held.report
    with contextlib.ExitStack() as stack:
        try:
            source = stack.enter_context(sources.listed(site, one, report))
            verdict = judge(site, source.database, source.manifest, report)
        except Locked:
            # Nobody could look into it, which says nothing against it.
            raise
        except OSError as error:
            # Nor does this: the disk may give it again. (A page that it cannot give is SQLite's.)
            why = f"{one.path.name} cannot be read: {outcomes.reason_of(error)}"
            journal_events.note(site, "verification failed", one.name, by, why)
            raise Refused(why) from error
        except Refused as refusal:
            journal_events.note(site, "verification failed", one.name, by, refusal.message)
            if one.manifest is not None:
                _noted(one, refusal.message)
            raise
        journal_events.note(site, "verification", one.name, by)
        return _settled(site, one, source, verdict, report)


def _settled(
    site: Installation, one: Backup, source: Source, verdict: Verdict, report: Progress
) -> Backup:
    needed, pool = verdict.documents, source.pool
    documents.set_damaged_aside(needed, pool)
    missing = documents.gather(site, needed, pool, report)
    if one.manifest is not None:
        _noted(one, None)
        settled = _note_missing(one, missing, pool)
        if missing:
            raise Refused(f"The database in it is good, but {_told(missing)}")
        return settled
    if one.unreadable:
        raise Refused(f"The database in it is good. {one.unreadable}")
    known = backup.describe(site, source.database, verdict.facts, None, report)
    if source.key and source.sealed:
        known = backup.sealed_manifest(known, source.key, source.sealed)
    known = replace(_found(site, one, source.database, known), name=one.path.name)
    known = known.with_documents(needed, missing)
    if not manifests.write_new(catalogue.manifest_path(one.path), known):
        raise Refused(f"Another manifest of {one.name} came meanwhile. Verify it again.")
    return replace(one, manifest=known, created_at=known.moment)


def _note_missing(one: Backup, missing: Sequence[Content], pool: Pool) -> Backup:
    """Keeps which documents a backup lacks; what is damaged makes way for a good copy."""
    documents.set_damaged_aside(missing, pool)
    path = catalogue.manifest_path(one.path)
    names = tuple(sorted(each.sha256 for each in missing))
    return replace(one, manifest=amend(path, lambda known: replace(known, missing=names)))


def _found(site: Installation, one: Backup, database: Path, known: Manifest) -> Manifest:
    """The manifest of a file that ProMan did not make: what it holds says how old it is."""
    written = datetime.fromtimestamp(one.path.stat().st_mtime, UTC).replace(tzinfo=None)
    named = min(one.created_at, written)
    content = min(ask(database, site.checks.newest_change) or named, utc_now())
    listed = catalogue.backups_in(site.backup_dir)
    return replace(
        known,
        sequence=catalogue.sequence_of_found(listed, content),
        created_at=manifests.utc_text(_taken(site, content, named)),
        content_at=manifests.exact_text(content),
        app_version="",
    )


def _taken(site: Installation, content: datetime, named: datetime) -> datetime:
    """When a found file was taken: as its name says, if it holds all that there was by then.

    Its name is anybody's choice: an old file may be called by today. If anything was changed
    between its last change and that moment, the file is as old as its last change.
    """
    if named <= content:
        return content

    def changes(connection: Connection) -> int:
        since = site.checks.changes_since
        return since(connection, content) - since(connection, named)

    live = live_database(site)
    return content if not live.exists() or live.ask(changes) else named


def _noted(one: Backup, fault: str | None) -> Backup:
    """Keeps what is wrong with a backup, or that nothing is."""
    path = catalogue.manifest_path(one.path)
    return replace(one, manifest=amend(path, lambda known: replace(known, fault=fault)))
