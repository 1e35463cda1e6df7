"""The passphrase of an encrypted backup on the command line: from a file, or typed unseen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from proman.base.errors import Refused
from proman.database.sealing import Locked

Answer = TypeVar("Answer")

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="Holds the passphrase of an encrypted backup, where it is not PROMAN_BACKUP_PASSPHRASE.",
)


def unlocked(work: Callable[[str | None], Answer], file: Path | None) -> Answer:
    """What `work` answers with the passphrase of the file, or the installation's own for None.

    Who sits at a terminal is asked for it when that does not open the backup.
    """
    if file is not None:
        return work(_read(file))
    try:
        return work(None)
    except Locked as locked:
        if not sys.stdin.isatty():
            raise
        click.echo(locked.message, err=True)
        return work(click.prompt("Passphrase", hide_input=True, err=True))


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The passphrase cannot be read from {file}: {error}.") from error
    if not text:
        raise Refused(f"There is no passphrase in {file}.")
    return text
