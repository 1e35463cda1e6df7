"""`flask database deploy …`: the commands that make a schema, each of which calls one verb."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from proman.base.errors import Refused
from proman.database.baselining import baseline
from proman.database.commands import BY, group
from proman.database.copy_command import copy
from proman.database.deploying import deploy
from proman.database.early import NOTHING_TO_DO
from proman.database.installation import installation
from proman.database.pushing import push

__all__ = ["group"]

DONE = "The database is at {}."

group.add_command(copy)


def tell(line: str) -> None:
    """Says what was done, on standard error, where what is applied is told too."""
    click.echo(line, err=True)


@group.command("deploy")
@with_appcontext
def deploy_command() -> None:
    """Backs up, rehearses on a copy (SQLite), upgrades and verifies, when anything is due."""
    site = installation()
    done = deploy(site, BY, tell)
    click.echo((DONE if done else NOTHING_TO_DO).format(site.head))


@group.command("push")
@click.option("--accept-data-loss", is_flag=True, help="Drop and narrow what holds data, too.")
@with_appcontext
def push_command(accept_data_loss: bool) -> None:
    """Development only: makes the database match the models without a migration."""
    if not current_app.debug:
        raise Refused(
            "push is for development: it keeps no history. In production run: flask database "
            "deploy. In development run: flask --debug database push"
        )
    metadata = current_app.extensions["proman_metadata"]
    count = push(installation(), metadata, BY, click.echo, accept_data_loss)
    click.echo("The database matches the models." if count else "Nothing to do.")


@group.command("baseline")
@with_appcontext
def baseline_command() -> None:
    """Brings a database made without migrations under them, if its schema is a revision's own."""
    site = installation()
    revision = baseline(site, BY, click.echo)
    click.echo(f"The database is at {revision}.{_next(site.head, revision)}")


def _next(head: str, revision: str) -> str:
    return "" if revision == head else f" This version needs {head}: flask database deploy"
