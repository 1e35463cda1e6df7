"""Owns `flask demo …`."""

import sys
import time

import click

from proman.base.commands import CommandGroup
from proman.database.readiness import on_ready_database
from proman.database.statistics import refresh_statistics
from proman.db import begin_write, db
from proman.demo.actions import (
    DEFAULT_PASSWORD,
    Wanted,
    demonstration_today,
    load_demonstration,
    refuse_real_data,
)
from proman.demo.placing import LOGINS
from proman.identity.passwords import hash_password


@click.group("demo", cls=CommandGroup)
def demo() -> None:
    """The demonstration portfolio."""


@demo.command("load")
@click.option(
    "--leases",
    default=150,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="How many, each of a unit.",
)
@click.option(
    "--months",
    default=12,
    show_default=True,
    type=click.IntRange(1, 120),
    help="Of history, up to today.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed, the same portfolio.")
@click.option("--password", default=DEFAULT_PASSWORD, show_default=True, help="Of every login.")
@on_ready_database
def load(leases: int, months: int, seed: int, password: str) -> None:
    """Load an invented portfolio with its history into an empty database."""
    refuse_real_data()
    wanted = Wanted(leases, months, seed, demonstration_today())
    password_hash = hash_password(password)
    begin_write()
    load_demonstration(wanted, password_hash, _Progress(leases, months))
    db.session.commit()
    refresh_statistics(db.engine)
    click.echo(f"The demonstration is loaded: {leases} leases, {months} months. Sign in as")
    for email, _, role in LOGINS:
        click.echo(f"  {email:<20} {role}")
    click.echo(f"with the password: {password}")


class _Progress:
    """A line that says how far it is: renewed in a terminal, now and then elsewhere."""

    def __init__(self, leases: int, months: int) -> None:
        self.what = f"Living through {months} months of {leases} leases"
        self.is_terminal = sys.stderr.isatty()
        self.told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        line = f"{self.what}: {100 * done // total} %"
        if self.is_terminal:
            click.echo(f"\r{line}", nl=done == total, err=True)
        elif done == total or time.monotonic() - self.told > 5:
            self.told = time.monotonic()
            click.echo(line, err=True)
