"""`flask database …`: each command calls one verb and prints what it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from proman.base.commands import CommandGroup
from proman.base.errors import Refused
from proman.database import (
    catalogue,
    documents,
    nightly,
    quarantine,
    restore,
    restores,
    sources,
    verifying,
)
from proman.database import status as standing
from proman.database.backup import back_up
from proman.database.bar import Bar
from proman.database.catalogue import Backup
from proman.database.early import HELP
from proman.database.installation import Installation, installation
from proman.database.journal_command import journal_command
from proman.database.judging import Verdict
from proman.database.manifest import utc_text
from proman.database.passphrase_option import passphrase_option, unlocked
from proman.database.restores import Restore
from proman.database.verifying import Drill
from proman.db import db, utc_now

BY = "the command line"
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object and nothing else.")


@click.group("database", cls=CommandGroup, help=HELP)
def group() -> None:
    """Holds every command on the database."""


group.add_command(journal_command)


@group.command("status")
@as_json
@with_appcontext
def status(as_json: bool) -> None:
    """Engine, version, revision, drift, size, backups, replica, SQLite's library."""
    site = installation()
    found = standing.status(site, utc_now())
    values = {
        "engine": found.engine,
        "server_version": found.server_version,
        "revision": found.revision,
        "head": found.head,
        "pending": found.pending,
        "drift": found.drift,
        "size_bytes": found.size,
        "free_bytes": found.free,
        "last_backup": utc_text(found.newest.created_at) if found.newest else None,
        "last_proven": utc_text(found.last_proven) if found.last_proven else None,
        "encrypted": site.settings.backup_passphrase is not None,
        "replica": found.has_replica,
        "replica_lag_seconds": found.replica_lag,
        "sqlite_version": found.sqlite_version,
        "sqlite_faults": found.sqlite_faults,
        "warnings": found.warnings,
    }
    _print(values, as_json)


@group.command("backup")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Another directory.")
@as_json
@with_appcontext
def backup(to: Path | None, as_json: bool) -> None:
    """A verified hot backup; prints its path."""
    target = to.absolute() if to else None
    with Bar() as bar:
        made = back_up(installation(), "manual", BY, target, watch=bar.show)
    if made.lacking:
        lacking = documents.in_words(made.lacking)
        click.echo(f"Note: these documents were nowhere to be found whole: {lacking}.", err=True)
    if as_json:
        _print({**_as_dict(made), "verified": made.is_verified}, True)
    else:
        click.echo(made.path)


@group.command("backups")
@as_json
@with_appcontext
def backups(as_json: bool) -> None:
    """The list of backups, newest first."""
    listed = catalogue.backups_in(installation().backup_dir)
    if as_json:
        _print({"backups": [_as_dict(one) for one in listed]}, True)
        return
    for one in listed:
        state = "verified" if one.is_verified else "not verified"
        state += ", encrypted" if one.is_encrypted else ""
        click.echo(f"{one.path.name}  {one.size:>12}  {one.reason:<15} {state}")


@group.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_option
@with_appcontext
def verify(file: Path, passphrase_file: Path | None) -> None:
    """Whether FILE is a good backup of ProMan; exit code 0 only if so."""

    def look(passphrase: str | None) -> Verdict:
        with Bar() as bar:
            return verifying.verify(installation(), file, bar.show, passphrase)

    verdict = unlocked(look, passphrase_file)
    for warning in verdict.warnings:
        click.echo(f"Note: {warning}", err=True)
    rows = sum(verdict.facts.rows.values())
    click.echo(f"{file} is good: revision {verdict.facts.revision}, {rows} rows.")


@group.command("drill")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@passphrase_option
@with_appcontext
def drill(file: Path | None, passphrase_file: Path | None) -> None:
    """Restores the newest backup (or FILE) into a scratch database and compares."""

    def prove(passphrase: str | None) -> Drill:
        with Bar() as bar:
            return verifying.drill(installation(), file, BY, bar.show, passphrase)

    found = unlocked(prove, passphrase_file)
    click.echo(f"{found.name} restores: {found.rows} rows, at revision {found.head}.")


@group.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@passphrase_option
@with_appcontext
def restore_command(file: Path, yes: bool, passphrase_file: Path | None) -> None:
    """Replaces the database by FILE (a path or a name of the list), after a safety backup."""
    site = installation()
    quarantine.finish_pending(site.settings)
    one = _judged(site, file, passphrase_file)
    click.echo(sources.in_words(one), err=True)
    if not (yes or _is_wanted()):
        restores.forget(site.data_dir, one.id)
        raise Refused("Nothing was changed.")
    restores.confirm(site.data_dir, one.id)
    with Bar() as bar:
        done = restore.carry_out(site, one.id, db.engine.dispose, may_move=True, watch=bar.show)
    if done.stage != "done":
        raise Refused(done.fault or "The restore failed.")
    before = done.safety or done.quarantine or "nothing"
    click.echo(f"Restored {done.source}. What was there before: {before}.")


def _is_wanted() -> bool:
    try:
        typed = click.prompt("Type RESTORE to go on", default="", show_default=False)
    except click.Abort:
        return False
    return bool(typed == "RESTORE")


@group.command("prune")
@as_json
@with_appcontext
def prune(as_json: bool) -> None:
    """Removes what retention no longer keeps, by the rules of the database page."""
    removed = nightly.prune(installation(), BY, utc_now())
    if as_json:
        _print({"removed": removed}, True)
    else:
        click.echo("\n".join(removed) or "Nothing to remove.")


def _judged(site: Installation, file: Path, passphrase_file: Path | None) -> Restore:
    db.session.remove()
    one = sources.from_file(site, file, BY)

    def judge(passphrase: str | None) -> Restore:
        sources.require_opened(site, one, passphrase)
        with Bar() as bar:
            return restore.judge_and_stage(site, one.id, bar.show, passphrase)

    try:
        one = unlocked(judge, passphrase_file)
    except BaseException:
        restores.forget(site.data_dir, one.id)
        raise
    if one.stage != "ready":
        raise Refused(one.fault or "The file was refused.")
    return one


def _as_dict(one: Backup) -> dict[str, Any]:
    return {
        "name": one.name,
        "path": str(one.path),
        "created_at": utc_text(one.created_at),
        "reason": one.reason,
        "verified": one.is_verified,
        "pinned": one.is_pinned,
        "encrypted": one.is_encrypted,
        "documents": len(one.manifest.documents) if one.manifest else None,
        "documents_missing": len(one.lacking),
        "size_bytes": one.size,
        "proven_at": utc_text(one.proven_at) if one.proven_at else None,
    }


def _print(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(values))
        return
    for key, value in values.items():
        shown = "; ".join(map(str, value)) if isinstance(value, list) else value
        if isinstance(value, bool):
            shown = "yes" if value else "no"
        click.echo(f"{key.replace('_', ' ')}: {'–' if shown in (None, '') else shown}")
