"""What the database tools know of their installation, and the checks that the domain lends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import Connection, Select

from proman.base.errors import Refused
from proman.database.contents import FOLDER
from proman.database.plan import Plan, read_plan
from proman.database.revisions import head_revision
from proman.database.sqlite_copy import AT_REST, reading
from proman.settings import Settings

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Event:
    """What the audit trail is told: who did what to the database, with which values."""

    actor_id: int | None
    actor_name: str
    action: str
    label: str
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checks:
    """What only the domain can tell of a database; each works on a plain connection."""

    ledger_balance: Callable[[Connection], int]
    """Debits less credits over all entries, in minor units; nil in sound books."""
    breaches: Callable[[Connection, str], list[str]]
    """Every broken invariant in a sentence, for a database at the revision that is named."""
    administrators: Select[int]
    """Asks how many people could sign in as administrator."""
    operators: Select[int]
    """Asks how many people could sign in as operator of the installation."""
    newest_change: Callable[[Connection], datetime | None]
    """When the audit trail was last written to, naive UTC."""
    changes_since: Callable[[Connection, datetime], int]
    """How many changes the audit trail holds after a naive UTC moment."""
    void_access: Callable[[Connection], None]
    """Makes every link that sets a password and every cookie void, on whichever machine."""
    record: Callable[[Connection, Event], None]
    """Writes one line into the audit trail."""
    void_cookies: Callable[[], object]
    """Makes every cookie void that was given out on this machine so far."""
    documents: Select[str, int, str]
    """Asks for the SHA-256 (hex), the size in bytes and a name of every uploaded content in use."""
    documents_table: str
    """The table that it asks; a database from before it has none."""


@dataclass(frozen=True)
class Installation:
    """One installation: where its data and backups lie, and what may be asked of them."""

    settings: Settings
    migrations: Path
    checks: Checks

    @property
    def data_dir(self) -> Path:
        """Where the lock, the epoch and the states of restores lie."""
        return self.settings.data_dir

    @property
    def backup_dir(self) -> Path:
        """The directory that is the list of backups."""
        return self.settings.backup_dir

    @property
    def plan(self) -> Plan:
        """When backups are made and which are kept, as it stands now."""
        return read_plan(self.data_dir)

    @property
    def files_dir(self) -> Path:
        """Where the content of uploaded documents lies, by its hash."""
        return self.settings.data_dir / FOLDER

    @property
    def live(self) -> Path:
        """The live SQLite file; raises Refused on a database server, where there is none."""
        path = self.settings.database_file
        if path is None:
            raise Refused("This is about SQLite; the database is on a server.")
        return path

    @property
    def head(self) -> str:
        """The revision that this version works with."""
        return head_revision(self.migrations)


def installation() -> Installation:
    """The installation of the application at work."""
    found: Installation = current_app.extensions["proman_installation"]
    return found


def ask(path: Path, question: Callable[[Connection], Answer], options: str = AT_REST) -> Answer:
    """What the domain's check answers about a file at rest, which is not changed."""
    with reading(path, options) as connection:
        return question(connection)


def app_version() -> str:
    """ProMan's own version, as the package says."""
    try:
        return version("proman")
    except PackageNotFoundError:
        return ""


def fingerprint_of(secret: str) -> str:
    """A short fingerprint that tells two secret keys apart without telling either."""
    return hashlib.sha256(b"proman secret key\x00" + secret.encode()).hexdigest()[:16]
