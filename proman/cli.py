"""Owns the command groups; each command calls one verb of its domain, in one organization."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask

from proman import logs
from proman.base.commands import CommandGroup as CommandGroup
from proman.base.commands import refusals_in_one_line
from proman.database.troubles import refused_plainly
from proman.doctor import doctor

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Register the groups of every domain."""
    from proman.admin.commands import group as audit
    from proman.billing.commands import group as billing
    from proman.database.schema_commands import group as database
    from proman.demo.commands import demo
    from proman.identity.commands import organizations_group, users
    from proman.jobs import group as jobs
    from proman.reports.commands import group as ledger
    from proman.takeover.commands import export_command, portfolio

    groups = (database, demo, billing, jobs, organizations_group, users, portfolio, ledger, audit)
    for command in (doctor, export_command, *groups):
        app.cli.add_command(command)
    for command in app.cli.commands.values():
        speak_plainly(command)


def speak_plainly(command: click.Command) -> None:
    """What the database refuses is one line, under Flask-Migrate's commands as under our own."""
    if "invoke" in vars(command):
        return  # a command is made once, an application as often as it is asked for
    invoke = command.invoke

    def invoke_plainly(ctx: click.Context) -> Any:
        with told_at_its_end(ctx), refusals_in_one_line(), refused_plainly():
            return invoke(ctx)

    command.invoke = invoke_plainly  # type: ignore[method-assign]


@contextmanager
def told_at_its_end(ctx: click.Context) -> Iterator[None]:
    """Where lines are collected: one when the command is done, or for an error nobody foresaw.

    A command that refuses says so in one line, and this adds none to it. A person at a terminal
    gets Python's own report of what nobody foresaw.
    """
    begun = time.monotonic()
    try:
        yield
    except Exception as error:
        is_told = isinstance(error, (click.exceptions.Exit, click.ClickException))
        if is_told or sys.stderr.isatty():
            raise
        log.exception("An unexpected error")
        raise click.exceptions.Exit(1) from error
    if logs.is_json():
        words = " ".join(filter(None, (ctx.info_name, ctx.invoked_subcommand)))
        took = round((time.monotonic() - begun) * 1000, 1)
        fields = {"command": words, "status": 0, "duration_ms": took}
        log.info("%s ended with 0", words, extra={"fields": fields})


def main_serve() -> None:
    """`proman serve`: the console script of the container and of scripts/run."""
    speak_plainly(serve)
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

    app = create_app()
    os.environ.setdefault("FLASK_APP", "proman")
    serve_app(app, processes)
