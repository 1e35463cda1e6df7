"""The group that every command belongs to: a refusal is one line, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from proman.base.errors import NotThere, Refused


@contextmanager
def refusals_in_one_line() -> Iterator[None]:
    """What is refused inside ends the command: one line on standard error, exit code 1."""
    try:
        yield
    except (Refused, NotThere) as error:
        raise click.ClickException(error.message) from error


class CommandGroup(click.Group):
    """A group whose refusals are one line on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        with refusals_in_one_line():
            return super().invoke(ctx)
