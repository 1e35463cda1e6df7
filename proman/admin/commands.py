"""Owns `flask audit export`."""

import os
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Row

from proman.admin.queries import CHANGES
from proman.base.commands import CommandGroup
from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database.readiness import on_ready_database
from proman.database.replica import read_from_replica
from proman.identity.session import acting_for
from proman.reports.forms import EARLIEST, LATEST
from proman.takeover.commands import chosen_organization, organization_option
from proman.takeover.export import partial_of
from proman.web.sheets import csv_lines, xlsx_chunks

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("audit", cls=CommandGroup)
def group() -> None:
    """The trail of who changed what, and when."""


@group.command("export")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "first", type=DAY, help="The first day; default: the first of all.")
@click.option("--to", "last", type=DAY, help="The last day, inclusive; default: the last of all.")
@organization_option
@on_ready_database
def export(path: Path, first: datetime | None, last: datetime | None, wanted: str | None) -> None:
    """Write the trail to FILE, newest first: CSV or Excel, as its name ends in .csv or .xlsx."""
    if path.suffix not in (".csv", ".xlsx"):
        raise click.UsageError("FILE ends in .csv or in .xlsx, which says what is written.")
    if first and last and last < first:
        raise click.UsageError("The last day is before the first day.")
    home = chosen_organization(wanted)
    organization_id, currency, zone = home.id, home.currency, home.time_zone
    write = csv_lines if path.suffix == ".csv" else xlsx_chunks
    with acting_for(organization_id):
        read_from_replica()
        rows = between(first and first.date(), last and last.date(), zone)
        try:
            with partial_of(path) as partial, _private(partial) as file:
                file.writelines(write(CHANGES.columns, rows, currency))
        except OSError as error:
            raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(f"The audit trail is in {path}.")


def _private(path: Path) -> IO[bytes]:
    """The trail names people: a file for nobody else."""
    return os.fdopen(open_private(path, os.O_WRONLY | os.O_TRUNC), "wb")


def between(first: date | None, last: date | None, zone: str) -> Iterator[Row[*tuple[Any, ...]]]:
    """The changes of these days of the organization's zone, both inclusive; None: no bound."""
    begin = _midnight(max(first or EARLIEST, EARLIEST), zone)
    end = _midnight(min(last or LATEST, LATEST) + timedelta(days=1), zone)
    return (row for row in CHANGES.every({}) if begin <= row.at < end)


def _midnight(day: date, zone: str) -> datetime:
    """When a day begins there, naive UTC."""
    local = datetime.combine(day, time(), ZoneInfo(zone))
    return local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
