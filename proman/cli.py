"""Owns the command groups; each command calls one verb of its domain, in one organization."""

import os
import sys

import click
from flask import Flask

from proman.base.commands import CommandGroup as CommandGroup
from proman.doctor import doctor


def install(app: Flask) -> None:
    """Register the groups of every domain."""
    from proman.billing.commands import group as billing
    from proman.database.schema_commands import group as database
    from proman.demo.commands import demo
    from proman.identity.commands import organizations_group, users
    from proman.jobs import group as jobs
    from proman.takeover.commands import export_command, portfolio

    groups = (database, demo, billing, jobs, organizations_group, users, portfolio)
    for command in (doctor, export_command, *groups):
        app.cli.add_command(command)


def main_serve() -> None:
    """`proman serve`: the console script of the container and of scripts/run."""
    program()


@click.group()
def program() -> None:
    """ProMan's server."""


@program.command()
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many share the listening socket; as many as the machine has cores.",
)
def serve(processes: int) -> None:
    """Serve the application with waitress until TERM or INT."""
    from proman import create_app
    from proman.server import serve as serve_app

    try:
        app = create_app()
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    os.environ.setdefault("FLASK_APP", "proman")
    serve_app(app, processes)
