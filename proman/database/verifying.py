"""Verifies backups that exist: by command, at night for those without a manifest, by a drill."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from proman.base.errors import Refused
from proman.database import backup, catalogue, durable, outcomes, sources
from proman.database import manifest as manifests
from proman.database.catalogue import Backup
from proman.database.installation import Installation
from proman.database.judging import Verdict, judge
from proman.database.lock import Held, ops_lock
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


def verify(site: Installation, path: Path, report: Progress = silent) -> Verdict:
    """Whether the file, or archive, is a good backup of ProMan; its manifest counts if it has one.

    Raises Refused with the reason when it is not.
    """
    with sources.database_in(site, path) as (database, manifest):
        return judge(site, database, manifest, report)


def verify_listed(site: Installation, name: str, by: str) -> Backup:
    """Verifies a backup of the list and keeps the outcome in its manifest."""
    noted = outcomes.noted(site.data_dir, "verification", by)
    with ops_lock(site.settings, "verification", by) as held, noted:
        return _settle(site, catalogue.backup_named(site.backup_dir, name), held.report)


def verify_new(site: Installation, held: Held, most: int = 10) -> list[Backup]:
    """Verifies files that came without a manifest, oldest first, at most so many at once."""
    listed = reversed(catalogue.backups_in(site.backup_dir))
    bare = [one for one in listed if one.manifest is None][:most]
    return [_settle(site, one, held.report, is_quiet=True) for one in bare]


def drill(site: Installation, file: Path | None, by: str) -> Drill:
    """Restores a backup (by default the newest verified one) into a scratch database and compares.

    `file` is one of the list, by name or path, or any file or archive. Raises Refused with what was
    wrong; what went well is noted in the manifest of a listed one.
    """
    noted = outcomes.noted(site.data_dir, "drill", by)
    with ops_lock(site.settings, "drill", by) as held, noted:
        listed = _listed(site, file)
        path = listed.path if listed else file
        assert path is not None
        with (
            sources.database_in(site, path) as (database, known),
            durable.scratch_directory(site.data_dir) as directory,
        ):
            staged = stage(site, database, known, directory / "drill.sqlite", held.report)
        if known is not None and known.ledger_balance not in (None, staged.ledger_balance):
            raise Refused("The ledger of the restored database differs from the manifest's.")
        if staged.breaches:
            raise Refused(f"The books of the restored database are broken: {staged.breaches[0]}")
        if known is not None and known.rows != staged.verdict.facts.rows:
            raise Refused("The restored database holds other rows than the manifest says.")
        if listed is not None:
            catalogue.note_proven(listed, utc_now())
        return Drill(
            name=path.stem,
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


def _settle(site: Installation, one: Backup, report: Progress, is_quiet: bool = False) -> Backup:
    """Writes the manifest of a good file; of a bad one with a manifest, what is wrong with it."""
    try:
        verdict = judge(site, one.path, one.manifest, report)
    except Refused as refusal:
        if one.manifest is not None:
            _write(one, replace(one.manifest, fault=refusal.message))
        if is_quiet:
            return one
        raise
    if one.manifest is not None:
        return _write(one, replace(one.manifest, fault=None))
    sequence = catalogue.next_sequence(catalogue.backups_in(site.backup_dir))
    known = backup.describe(site, one.path, verdict.facts, None, report)
    when = manifests.utc_text(one.created_at)
    return _write(one, replace(known, sequence=sequence, created_at=when, app_version=""))


def _write(one: Backup, manifest: manifests.Manifest) -> Backup:
    manifests.write(catalogue.manifest_path(one.path), manifest)
    return replace(one, manifest=manifest)
