"""Proves the invariants of every domain on one connection: what `flask doctor` says."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import Connection, inspect, text

from proman.base.checks import Breach, Check
from proman.billing.doctor import CHECKS as BILLING
from proman.database import contents, journal_checks
from proman.database.contents import Content
from proman.database.fingerprints import drift_in
from proman.database.installation import Installation, installation
from proman.database.live import live_database
from proman.database.revisions import head_revision
from proman.database.unfinished import unfinished_in
from proman.db import db
from proman.doctor_pages import page_of
from proman.expenses.doctor import CHECKS as EXPENSES
from proman.files.queries import DOCTORED
from proman.leases.doctor import CHECKS as LEASES
from proman.ledger.doctor import CHECKS as LEDGER
from proman.payments.doctor import CHECKS as PAYMENTS

CHECKS: tuple[Check, ...] = LEDGER + BILLING + PAYMENTS + EXPENSES + LEASES
MOST_OF_A_KIND = 50
"""So many breaches of one invariant are told one by one; of the rest only the number."""


def examine(connection: Connection, head: str) -> list[Breach]:
    """Every breach in a database of any organization; `head` is the revision it should be at.

    A database at another revision is told so and not examined further.
    """
    unfinished = unfinished_in(connection)
    if unfinished:
        return [Breach("The database is whole", unfinished, "database")]
    wrong = list(_schema(connection, head))
    if wrong:
        return wrong
    found = list(_foreign_keys(connection))
    with _planned_for_whole_tables(connection):
        for check in CHECKS:
            found += _breaches(connection, check)
    return found


@contextmanager
def _planned_for_whole_tables(connection: Connection) -> Iterator[None]:
    """For the block PostgreSQL joins by hashes or in order, as suits checks of whole tables.

    When many rows came a moment ago, its statistics still tell of few. For few it goes through a
    sum of everything once for each row: a check of 1,500 invoices took more than three minutes.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    connection.execute(text("SET LOCAL enable_nestloop = DEFAULT"))


def _schema(connection: Connection, head: str) -> Iterator[Breach]:
    revision = _revision(connection)
    if revision != head:
        what = f"It is at revision {revision or 'none'}, this version needs {head}."
        yield Breach("The schema is this version's", what, "database")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def drifted(connection: Connection, migrations: Path) -> list[Breach]:
    """Every difference between the schema and what its revision makes; `migrations` holds those."""
    revision = _revision(connection)
    lines = [] if revision is None else drift_in(connection, migrations, revision)
    return [Breach("The schema is what its migrations made", line, "database") for line in lines]


def _values(site: Installation) -> list[Breach]:
    wrong = live_database(site).wrong_value()
    return [Breach("A value is of its column's type", wrong, "database")] if wrong else []


def _journal(site: Installation) -> list[Breach]:
    lines = journal_checks.breaches(site)
    return [Breach("The journal of backups is whole", line, "journal.jsonl") for line in lines]


def without_content(connection: Connection, folder: Path) -> list[Breach]:
    """Every document whose content the folder does not hold in its size; nothing of it is read.

    Whether the content is what it was, drills and verifications of backups prove.
    """
    found = [
        where
        for *where, sha256, size in connection.execute(DOCTORED)
        if not contents.is_there(folder, Content(sha256, size))
    ]
    invariant = "A document's content is there"
    told = [
        Breach(
            invariant, f"{name} is not in the data directory, or not in its size.", f"document {id}"
        )
        for id, name in found[:MOST_OF_A_KIND]
    ]
    if len(found) > MOST_OF_A_KIND:
        more = len(found) - MOST_OF_A_KIND
        told.append(Breach(invariant, f"{more} more of this kind.", "document"))
    return told


def _foreign_keys(connection: Connection) -> Iterator[Breach]:
    if connection.dialect.name != "sqlite":
        return  # servers never let a row refer to nothing
    for table, row, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        what = f"It refers to a row of {parent} that is not there."
        yield Breach("What a row refers to is there", what, f"{table} {row}")


def _breaches(connection: Connection, check: Check) -> Iterator[Breach]:
    rows = connection.execute(text(check.sql)).all()
    for row in rows[:MOST_OF_A_KIND]:
        yield Breach(check.invariant, check.what.format(*row), check.where.format(*row))
    if len(rows) > MOST_OF_A_KIND:
        more = len(rows) - MOST_OF_A_KIND
        yield Breach(check.invariant, f"{more} more of this kind.", check.where.split()[0])


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Prove every invariant: ledger, receivables, deposits, numbers, schema, journal, documents."""
    directory = Path(current_app.extensions["migrate"].directory)
    head = head_revision(directory)
    with db.engine.connect() as connection:
        found = [*examine(connection, head), *drifted(connection, directory)]
        if _revision(connection) == head and not unfinished_in(connection):
            found += without_content(connection, installation().files_dir)
            found += _values(installation())
        found += _journal(installation())
        pages = [page_of(connection, breach.where) for breach in found]
    if as_json:
        breaches = [
            breach._asdict() | {"page": page} for breach, page in zip(found, pages, strict=True)
        ]
        click.echo(json.dumps({"ok": not found, "breaches": breaches}, ensure_ascii=False))
    else:
        for breach, page in zip(found, pages, strict=True):
            opened = f" Open {page}" if page else ""
            click.echo(f"{breach.where}: {breach.invariant}: {breach.what}{opened}")
        if not found:
            click.echo(f"All is well: {len(CHECKS) + 7} invariants hold.")
    if found:
        sys.exit(1)
