"""Makes a verified backup of the live database, and verifies files that others made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import (
    catalogue,
    documents,
    durable,
    journal,
    journal_events,
    keys,
    outcomes,
    pools,
    sealing,
)
from proman.database import manifest as manifests
from proman.database.carrying import NotTaken
from proman.database.catalogue import Backup
from proman.database.driver import sqlite3
from proman.database.installation import Installation, app_version, ask, fingerprint_of
from proman.database.live import About, Source, require_live
from proman.database.lock import Held, ops_lock
from proman.database.manifest import Manifest
from proman.database.sealing import Key, Passed
from proman.database.sqlite_copy import Facts, Progress, prove, silent
from proman.db import utc_now

CHECKS = ("integrity", "references", "counts", "sha256", "documents")
DECRYPTED = "decrypted"
"""A check of encrypted backups, before the others: it was read from the disk and decrypted."""


def back_up(
    site: Installation,
    reason: str,
    by: str,
    directory: Path | None = None,
    wait: float = 0.0,
    watch: Progress = silent,
) -> Backup:
    """A new verified backup, under the lock. Raises UnderWay or Refused; then nothing is left."""
    with ops_lock(site.settings, "backup", by, wait) as held:
        held.watch = watch
        return back_up_holding(site, reason, held, directory)


def back_up_holding(
    site: Installation,
    reason: str,
    held: Held,
    directory: Path | None = None,
    source: Source | None = None,
    in_trail: bool = True,
) -> Backup:
    """The same for a caller that took the lock for it; how it went is kept for those who look.

    The audit trail is not told (`in_trail`) by who must leave a refused database as it was.
    """
    by, target = held.holder.who, directory or site.backup_dir
    is_ours = target.absolute() == site.backup_dir.absolute()
    # A copy for another place says nothing about the backups that are watched.
    outcome = outcomes.noted(site.data_dir, "backup", by) if is_ours else contextlib.nullcontext()
    noted = journal_events.noted(site, "backup", by, in_trail=in_trail)
    with outcome, noted as told:
        durable.sweep(target)
        made = take(site, reason, by, held.report, target, source)
        told.name = made.name
        told.detail = reason if directory is None else f"{reason}, to {target}"
        return made


def take(
    site: Installation,
    reason: str,
    by: str,
    report: Progress,
    directory: Path | None = None,
    source: Source | None = None,
) -> Backup:
    """A new verified backup for a caller that holds the lock; nobody is told how it went.

    `source` is the live database unless another is given.
    """
    target = durable.private_directory(directory or site.backup_dir)
    with _plain_refusals(target):
        live = source or require_live(site)
        about = live.about()
        durable.require_space(target, about.size)
        key = keys.for_backups(site, target, by)
        with durable.partial(target) as temporary, _plain(site, temporary, key, about) as plain:
            started = utc_now()
            live.copy_into(plain, report)
            passed = _sealed(plain, temporary, key, report) if key else None
            facts = prove(plain, report)
            balance = ask(plain, site.checks.ledger_balance)
            newest = ask(plain, site.checks.newest_change)
            report("syncing", 0, 0)
            durable.sync_file(temporary)
            wanted = documents.needed_by(site, plain)
            pool = pools.pool_of(documents.folder_of(target), key)
            missing = documents.gather(site, wanted, pool, report)
            manifest = describe(site, plain, facts, balance, report)
            if key and passed:
                manifest = sealed_manifest(manifest, key, passed)
            manifest = manifest.with_documents(wanted, missing)
            sequence = catalogue.next_sequence(catalogue.backups_in(target))
            far = journal.anchor(site.backup_dir)
            manifest = replace(
                manifest,
                journal_line=far.line,
                journal_sha256=far.sha256,
                reason=reason,
                by=by,
                sequence=sequence,
                engine=about.engine,
                server_version=about.server_version,
                content_at=manifests.exact_text(newest) if newest else None,
                seconds=round((utc_now() - started).total_seconds()),
            )
            return _published(temporary, target, started, manifest)


@contextlib.contextmanager
def _plain(site: Installation, temporary: Path, key: Key | None, about: About) -> Iterator[Path]:
    """The file to copy into: what is to be encrypted never lies beside the backups."""
    if key is None:
        yield temporary
        return
    durable.require_space(site.data_dir, about.size)
    with durable.scratch_directory(site.data_dir) as directory:
        yield _empty(directory / "copy.sqlite")


def _sealed(plain: Path, temporary: Path, key: Key, report: Progress) -> Passed:
    """Encrypts the copy, and puts in its place what the disk gives when that is decrypted.

    So all that is checked afterwards is checked of what was written.
    """
    written = sealing.encrypt(plain, temporary, key, report)
    durable.remove_database(plain)
    passed = sealing.decrypt(temporary, _empty(plain), [key], report)
    if passed != written:
        raise Refused("What was encrypted is not what the disk gave back.")
    return passed


def _empty(path: Path) -> Path:
    os.close(open_private(path, os.O_EXCL | os.O_WRONLY))
    return path


def sealed_manifest(manifest: Manifest, key: Key, passed: Passed) -> Manifest:
    """The manifest of an encrypted file, from that of the database in it."""
    if manifest.sha256 != passed.plain_sha256:
        raise Refused("What was checked is not what was encrypted.")
    return replace(
        manifest,
        size_bytes=passed.sealed_size,
        sha256=passed.sealed_sha256,
        recipient=key.recipient,
        sealed_key=key.sealed,
        plain_size=passed.plain_size,
        plain_sha256=passed.plain_sha256,
        checks=(DECRYPTED, *manifest.checks),
    )


def describe(
    site: Installation, path: Path, facts: Facts, balance: int | None, report: Progress = silent
) -> Manifest:
    """A manifest of a proven file; its name, place, reason and origin are still to be filled in."""
    size = path.stat().st_size
    sha256 = durable.sha256_from_disk(path, lambda done: report("reading back", done, size))
    return Manifest(
        name=path.name,
        sequence=0,
        created_at="",
        reason="found",
        by="",
        revision=facts.revision,
        rows=facts.rows,
        size_bytes=size,
        sha256=sha256,
        schema_fingerprint=facts.schema_fingerprint,
        page_size=facts.page_size,
        app_version=app_version(),
        ledger_balance=balance,
        secret_key_fingerprint=fingerprint_of(site.settings.secret_key),
        checks=CHECKS,
    )


def _published(temporary: Path, directory: Path, started: datetime, manifest: Manifest) -> Backup:
    def sign(moment: datetime, name: str) -> bytes:
        return manifests.as_text(
            replace(manifest, name=name, created_at=manifests.utc_text(moment))
        )

    is_sealed = bool(manifest.recipient)
    final = durable.publish(temporary, directory, started, sign, is_sealed)
    return catalogue.backup_named(directory, final.name)


@contextlib.contextmanager
def _plain_refusals(directory: Path) -> Iterator[None]:
    """A full or failing disk is told as a sentence; what was there before is untouched."""
    try:
        yield
    except (OSError, sqlite3.Error, SQLAlchemyError, NotTaken) as error:
        why = outcomes.reason_of(error).rstrip(".")
        raise Refused(
            f"The backup in {directory} failed: {why}. Nothing was left behind; "
            "older backups were kept."
        ) from error
