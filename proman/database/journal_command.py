"""`flask database journal`: the newest events about the database, and whether the chain holds."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from proman.base.errors import Refused
from proman.database import journal_checks, journal_events
from proman.database.installation import Installation, installation
from proman.database.journal_checks import Standing

NEWEST = 20


@click.command("journal")
@click.option("--json", "as_json", is_flag=True, help="One JSON object and nothing else.")
@click.option("--accept", is_flag=True, help="Note that the breaks found are accepted.")
@with_appcontext
def journal_command(as_json: bool, accept: bool) -> None:
    """The newest events about backups, by whom, from where; is the chain whole?"""
    site = installation()
    found = journal_checks.standing(site)
    if found.fault:
        raise Refused(found.fault)
    if accept and found.open:
        found = _accepted(site, found)
    if as_json:
        values = {
            "ok": not found.open,
            "lines": [asdict(one) for one in found.lines],
            "breaks": [asdict(one) for one in found.breaks],
            "unwritten": journal_events.unwritten(site) or None,
        }
        click.echo(json.dumps(values, ensure_ascii=False))
    else:
        _show(site, found)
    if found.open:
        raise click.exceptions.Exit(1)


def _accepted(site: Installation, found: Standing) -> Standing:
    keys = journal_checks.signed(site, [key for one in found.open for key in one.keys])
    detail = f"{len(found.open)}: {found.open[0].what}"
    by = "the command line"
    fault = journal_events.note(site, journal_checks.ACCEPTED, "", by, detail, keys)
    if fault:
        raise Refused(fault)
    return journal_checks.standing(site)


def _show(site: Installation, found: Standing) -> None:
    for line in found.lines[-NEWEST:]:
        parts = (line.at, line.what, line.name, f"by {line.who}", f"({line.where})", line.detail)
        click.echo("  ".join(part for part in parts if part))
    if not found.lines:
        click.echo("The journal is empty.")
    missing = journal_events.unwritten(site)
    if missing:
        click.echo(missing, err=True)
    for one in found.breaks:
        state = f"accepted by {one.accepted}" if one.accepted else "not accepted"
        click.echo(f"Broken: {one.what} ({state})", err=True)
