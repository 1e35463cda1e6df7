"""Restores a backup: judged and rebuilt beside the live database, then swapped in at one stroke."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from proman.base.errors import Refused
from proman.database import (
    backup,
    catalogue,
    contents,
    documents,
    durable,
    journal_events,
    outcomes,
    quarantine,
    restores,
    sources,
    swap,
)
from proman.database.contents import Content
from proman.database.findings import findings
from proman.database.installation import Event, Installation
from proman.database.live import live_database
from proman.database.lock import Held, ops_lock
from proman.database.maintenance import Notice, maintenance
from proman.database.restores import Reporter, Restore
from proman.database.rules import BEFORE_RESTORE
from proman.database.server_swap import Unsettled
from proman.database.sources import Source
from proman.database.sqlite_copy import Progress, opened, silent
from proman.database.staging import Staged, stage
from proman.db import utc_now


def judge_and_stage(
    site: Installation, restore_id: str, watch: Progress = silent, passphrase: str | None = None
) -> Restore:
    """Looks into the file and rebuilds it; ends ready to be confirmed, or refused with a reason.

    `passphrase` opens an encrypted file that the installation's own does not; it is kept nowhere.
    """
    with restores.running(site.data_dir, restore_id):
        reporter = Reporter(site.data_dir, restores.load(site.data_dir, restore_id), watch)
        try:
            path = restores.directory_of(site.data_dir, restore_id) / restores.STAGED
            with sources.source_of(site, reporter.restore, passphrase, reporter) as source:
                staged = stage(site, source.database, source.manifest, path, reporter)
                missing = _missing(source, staged, path.with_name(contents.FOLDER), reporter)
            _require_own_version(site, path)
            reporter("comparing with today", 0, 0)
            found = findings(site, reporter.restore.source, staged, source.manifest, missing)
        except Exception as error:
            restores.drop_files(site.data_dir, restore_id)
            return reporter.end("refused", fault=_reason(error))
        for name in (restores.UPLOAD, restores.SOURCE, restores.MANIFEST):
            durable.remove_database(path.with_name(name))
        return reporter.turn("ready", findings=found)


def _missing(source: Source, staged: Staged, own: Path, report: Progress) -> tuple[Content, ...]:
    """The documents that are nowhere; encrypted ones then lie open in the restore's folder."""
    needed = staged.verdict.documents
    if source.key is None:
        return documents.missing_from(needed, source.folders, report)
    missing = documents.unlock(needed, source.folders, own, report)
    shutil.rmtree(own / source.key.id, ignore_errors=True)
    return missing


def carry_out(
    site: Installation,
    restore_id: str,
    dispose: Callable[[], object] = lambda: None,
    may_move: bool = False,
    watch: Progress = silent,
) -> Restore:
    """Replaces the live database by the staged one; all of it or nothing.

    Under the lock and in maintenance: a verified safety backup, then one transaction. Ends done or
    failed with the reason; `dispose` closes the connections of this process to the old database.

    No safety backup can be made of a damaged SQLite file: it is kept in quarantine. Only who has no
    other connection to it than `dispose` closes may ask for that by `may_move`.
    """
    with restores.running(site.data_dir, restore_id):
        reporter = Reporter(site.data_dir, restores.load(site.data_dir, restore_id), watch)
        if reporter.restore.stage != "confirmed":
            raise Refused("This restore was not confirmed.")
        try:
            reporter.turn("restoring")
            _require_own_version(
                site, restores.directory_of(site.data_dir, restore_id) / restores.STAGED
            )
            with contents.in_use(site.files_dir), _alone_with_documents(site, reporter) as held:
                _require_still_last(site, reporter.restore)
                if _damage(reporter.restore):
                    _require_movable(reporter.restore, may_move)
                    dispose()
                    _replace_damaged(site, reporter)
                else:
                    _replace(site, reporter, held)
                    dispose()
            _note_proven(site, reporter.restore)
        except Unsettled as unsettled:
            # The stage stays what it is: whoever looks next asks the server, as after a kill.
            return replace(reporter.restore, fault=unsettled.message)
        except Exception as error:
            restores.drop_files(site.data_dir, restore_id)
            fault = _reason(error)
            _note(site, reporter.restore, fault)
            return reporter.end("failed", fault=fault)
        restores.drop_files(site.data_dir, restore_id)
        untold = _note(site, reporter.restore)
        return reporter.end("done", phase="", fault=None, untold=untold)


def _require_own_version(site: Installation, staged: Path) -> None:
    """Raises Refused for what a ProMan of another schema made ready, before or beside this one."""
    if not staged.is_file():
        raise Refused(
            "What was made ready for it is gone. Nothing was changed. Choose the backup again."
        )
    with opened(staged) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if found != (site.head,):
        raise Refused(
            f"Another version of ProMan made it ready (schema {found[0] if found else 'unknown'};"
            f" this one has {site.head}). Nothing was changed. Choose the backup again."
        )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"The disk did not take it: {error.strerror}."
    return outcomes.reason_of(error)


def load_settled(site: Installation, restore_id: str) -> Restore:
    """The restore as it stands; one that a kill cut off is settled first."""
    one = restores.load(site.data_dir, restore_id)
    if one.stage == "swapping" and one.fault == restores.CUT_OFF:
        finish_interrupted(site)
        return restores.load(site.data_dir, restore_id)
    return one


def finish_interrupted(site: Installation) -> None:
    """After a start: settles restores whose process died, by what the live database says."""
    for one in restores.every(site.data_dir):
        if one.stage == "failed" and one.ended_at is None:
            restores.save(site.data_dir, replace(one, ended_at=restores.now_text()))
        if one.stage == "swapping" and one.fault == restores.CUT_OFF:
            if live_database(site).stamp() == one.stamp:
                site.checks.void_cookies()
                settled = replace(one, stage="done", fault=None, ended_at=restores.now_text())
            else:
                settled = replace(one, stage="failed", ended_at=restores.now_text())
            restores.save(site.data_dir, settled)
            _note(site, settled, settled.fault or "")
    restores.sweep(site.data_dir)


def undoable(site: Installation) -> Restore | None:
    """The last restore, while the backup made before it is still there and it was no undo's.

    It is the one that the live database says it came from: of an earlier one, whose state alone is
    left, an undo would throw away more than what that restore brought.
    """
    done = (one for one in restores.every(site.data_dir) if one.stage == "done")
    last = max(done, key=lambda one: one.ended, default=None)
    if last is None or last.safety is None or last.is_undo:
        return None
    names = {one.name for one in catalogue.backups_in(site.backup_dir) if one.is_verified}
    if last.safety not in names or live_database(site).stamp() != last.stamp:
        return None
    return last


def _require_still_last(site: Installation, one: Restore) -> None:
    """Raises Refused for an undo whose restore was undone, or followed by another, meanwhile."""
    last = undoable(site) if one.undoes else None
    if one.undoes and (last is None or last.id != one.undoes):
        raise Refused(NOT_UNDOABLE)


NOT_UNDOABLE = (
    "This restore cannot be undone any more: it was, or another one followed. Nothing was changed; "
    "choose a backup of the list."
)


@contextlib.contextmanager
def _alone(site: Installation, reporter: Reporter) -> Iterator[Held]:
    one = reporter.restore
    with ops_lock(site.settings, "restore", one.by) as held:
        notice = Notice("a backup is being restored", one.by, held.holder.since)
        reporter("waiting for requests to end", 0, 0)
        with maintenance(site.settings, notice):
            yield held


@contextlib.contextmanager
def _alone_with_documents(site: Installation, reporter: Reporter) -> Iterator[Held]:
    """The same once the documents are stored: that may take long and keeps nobody out."""
    one = reporter.restore
    staged = restores.directory_of(site.data_dir, one.id) / restores.STAGED
    needed = documents.needed_by(site, staged)
    told = one.findings.documents_missing if one.findings else 0
    documents.put_back(site, needed, sources.folders_of(site, one), told, reporter)
    with _alone(site, reporter) as held:
        yield held


def _replace(site: Installation, reporter: Reporter, held: Held) -> None:
    def report(phase: str, done: int, total: int) -> None:
        reporter(phase, done, total)
        held.report(phase, done, total)

    one = reporter.restore
    staged = restores.directory_of(site.data_dir, one.id) / restores.STAGED
    live = live_database(site)
    live.require_replaceable()
    safety = None
    if live.exists():
        with journal_events.noted(site, "backup", one.by, in_trail=False) as told:
            safety = backup.take(
                site, BEFORE_RESTORE, one.by, lambda p, d, t: report(f"safety backup: {p}", d, t)
            )
            told.name, told.detail = safety.name, BEFORE_RESTORE
        report("preparing", 0, 0)
    with contextlib.ExitStack() as stack:
        # Decrypted before it is needed: to put it back must not depend on more than the disk.
        way_back = None
        if safety is not None and site.settings.is_sqlite:
            way_back = stack.enter_context(sources.readable(site, safety))
        _begin_swap(site, reporter, safety_backup=safety.name if safety else None)
        reporter.turn("swapping", safety=safety.name if safety else None)
        live.replace_by(staged, one.stamp, way_back, report)


def _damage(one: Restore) -> str:
    return one.findings.damage if one.findings else ""


def _require_movable(one: Restore, may_move: bool) -> None:
    if not may_move:
        raise Refused(
            f"The live database is damaged: {_damage(one)} Nothing was changed. Stop ProMan, then "
            f"run: flask database restore {one.source}"
        )


def _replace_damaged(site: Installation, reporter: Reporter) -> None:
    one = reporter.restore
    folder = quarantine.new_folder(site.live)
    reporter("moving the damaged database to quarantine", 0, 0)
    _begin_swap(site, reporter, quarantine=str(folder))
    reporter.turn("swapping", quarantine=str(folder))
    staged = restores.directory_of(site.data_dir, one.id) / restores.STAGED
    quarantine.replace_damaged(staged, site.live, one.stamp, folder)


def _begin_swap(site: Installation, reporter: Reporter, **left: str | None) -> None:
    """Readies the staged file; `left` tells the trail where what was there before is."""
    one = reporter.restore
    taken = one.findings.taken_at if one.findings else None
    where = journal_events.where_of(one.by)
    told = {"restore": one.id, "taken_at": taken, "where": where, **left}
    staged = restores.directory_of(site.data_dir, one.id) / restores.STAGED
    swap.mark(site, staged, one.stamp, Event(one.actor_id, one.by, "restored", one.source, told))
    # Before the swap: a kill right after it must not leave an old cookie valid.
    site.checks.void_cookies()


def _note(site: Installation, one: Restore, fault: str = "") -> str | None:
    """Tells the journal how it ended; the restored database tells of it by itself."""
    what = "undo" if one.is_undo else "restore"
    if fault:
        detail, what = fault, f"{what} failed"
    else:
        detail = f"before it: {one.safety or one.quarantine or 'nothing'}"
    return journal_events.note(
        site, what, one.source, one.by, detail, in_trail=bool(fault), actor_id=one.actor_id
    )


def _note_proven(site: Installation, one: Restore) -> None:
    """A backup that was restored in earnest is proven; a failure to note it harms nothing."""
    if one.file is not None:
        with contextlib.suppress(Exception):
            listed = catalogue.backup_named(site.backup_dir, one.file)
            catalogue.note_proven(listed, utc_now())
