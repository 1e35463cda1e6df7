"""`flask database copy`: how far it is, and what was moved."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from flask.cli import with_appcontext

from proman.base.errors import Refused
from proman.database.bar import Bar
from proman.database.commands import BY
from proman.database.commands import as_json as json_option
from proman.database.copying import Copied, copy_to
from proman.database.installation import installation


@click.command("copy")
@click.option(
    "--to",
    "address",
    required=True,
    metavar="URL",
    help="An empty database. “-”: the address is read from standard input, so that no list of "
    "processes shows its password.",
)
@json_option
@with_appcontext
def copy(address: str, as_json: bool) -> None:
    """Moves everything to an empty database of any engine and proves it; changes nothing here."""
    if address == "-":
        address = sys.stdin.readline().strip()
        if not address:
            raise Refused("--to -: there is no address on standard input.")
    with Bar() as bar:

        def show(phase: str, done: int, total: int) -> None:
            # Which table it is at would change too often.
            bar.show(phase.partition(" ")[0], done, total)

        copied = copy_to(installation(), address, BY, show)
    for name in copied.left_out:
        click.echo(f"Note: {name} is no table of ProMan's and was left out.", err=True)
    if copied.changes_since:
        click.echo(
            f"Note: {copied.changes_since} changes were made here since the copy began and are not "
            "in it. Before you go over: stop ProMan, empty the target and copy again.",
            err=True,
        )
    if copied.rows.get(installation().checks.documents_table):
        click.echo(
            "Note: the uploaded documents themselves stay where they are, in files of the data "
            "directory. Keep that directory, or take it along.",
            err=True,
        )
    click.echo(json.dumps(_as_dict(copied)) if as_json else _in_words(copied))


def _as_dict(copied: Copied) -> dict[str, Any]:
    return {
        "to": copied.target,
        "revision": copied.revision,
        "rows": copied.rows,
        "content_hash": copied.content_hash,
        "left_out": copied.left_out,
        "changes_since": copied.changes_since,
    }


def _in_words(copied: Copied) -> str:
    rows = sum(copied.rows.values())
    return (
        f"Copied {rows:,} rows of {len(copied.rows)} tables to {copied.target}, revision "
        f"{copied.revision}. Row counts, sums of money and contents are the same "
        f"({copied.content_hash}).\n"
        "The source is as it was. To go over: stop ProMan, set DATABASE_URL to that address and "
        "start it."
    )
