"""Owns `flask ledger export`."""

from datetime import datetime
from pathlib import Path

import click

from proman.base.commands import CommandGroup
from proman.base.errors import Refused
from proman.database.readiness import on_ready_database
from proman.database.replica import read_from_replica
from proman.identity.session import acting_for
from proman.reports.accounting import beancount_books, csv_books
from proman.reports.forms import EARLIEST, LATEST
from proman.takeover.commands import chosen_organization, organization_option
from proman.takeover.export import partial_of

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("ledger", cls=CommandGroup)
def group() -> None:
    """The books for accountants."""


@group.command("export")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--from", "first", type=DAY, metavar="DATE", help="The first day; default: the first of all."
)
@click.option(
    "--to",
    "last",
    type=DAY,
    metavar="DATE",
    help="The last day, inclusive; default: the last of all.",
)
@organization_option
@on_ready_database
def export(path: Path, first: datetime | None, last: datetime | None, wanted: str | None) -> None:
    """Write the books to FILE: journal lines where it ends in .csv, whole books in .beancount."""
    begins, ends = first.date() if first else EARLIEST, last.date() if last else LATEST
    if path.suffix not in (".csv", ".beancount"):
        raise click.UsageError("FILE ends in .csv or in .beancount, which says what is written.")
    if ends < begins:
        raise click.UsageError("The last day is before the first day.")
    home = chosen_organization(wanted)
    organization_id, currency, name = home.id, home.currency, home.name
    with acting_for(organization_id):
        read_from_replica()
        body = (
            csv_books(begins, ends, currency)
            if path.suffix == ".csv"
            else beancount_books(begins, ends, currency, name)
        )
        try:
            with partial_of(path) as partial, partial.open("wb") as file:
                file.writelines(body)
        except OSError as error:
            raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(f"The books are in {path}.")
