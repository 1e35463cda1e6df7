"""Tells an event about the database to the journal beside the backups and to the audit trail.

Neither may keep anybody from saving or restoring: what cannot be written is counted, said where
people look, and noted in the journal as soon as it can be written again.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import click
from flask import has_request_context, request
from sqlalchemy.exc import SQLAlchemyError

from proman import logs
from proman.base.errors import NotThere, Refused
from proman.database import durable, journal
from proman.database.driver import sqlite3
from proman.database.installation import Event, Installation
from proman.database.live import live_database
from proman.database.manifest import utc_text
from proman.database.outcomes import reason_of
from proman.database.retrying import until_it_stands
from proman.db import db, utc_now

log = logging.getLogger(__name__)
SCHEDULE = "the schedule"
GAP = "events not written"
UNWRITTEN = "journal-unwritten.json"
ACTIONS = {
    "backup": "backed up",
    "download": "downloaded",
    "restore": "restored",
    "deletion": "deleted",
    "retention": "removed by retention",
    "pin": "pinned",
    "unpin": "unpinned",
    "verification": "verified",
    "drill": "proven",
}
"""What the audit trail says; all else it says as the journal does."""


@dataclass(frozen=True)
class Origin:
    """From where a request came whose work goes on in a thread, and whose it was."""

    where: str
    actor_id: int | None = None


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


@dataclass
class Told:
    """What is known of an event when it has ended: the backup's name, a detail."""

    name: str = ""
    detail: str = ""


@contextlib.contextmanager
def acting_from(origin: Origin | None) -> Iterator[None]:
    """Everything in the block was asked for from there."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def where_of(by: str) -> str:
    """From where what happens now was asked for: an address, or how and on which machine."""
    origin = _origin.get()
    if origin is not None:
        return origin.where
    if has_request_context():
        return request.remote_addr or "unknown"
    host = socket.gethostname()
    if by == SCHEDULE:
        return f"schedule, {host}"
    user = ""
    with contextlib.suppress(KeyError, OSError):  # a container may run as a number without a name
        user = f"{getpass.getuser()} on "
    return f"command line, {user}{host}"


@contextlib.contextmanager
def noted(
    site: Installation, what: str, by: str, name: str = "", in_trail: bool = True
) -> Iterator[Told]:
    """Notes how the block went, a failure with its reason, which goes on to the caller."""
    told = Told(name)
    try:
        yield told
    except Exception as error:
        note(site, f"{what} failed", told.name, by, reason_of(error), in_trail=in_trail)
        raise
    note(site, what, told.name, by, told.detail, in_trail=in_trail)


def note(
    site: Installation,
    what: str,
    name: str,
    by: str,
    detail: str = "",
    about: tuple[str, ...] = (),
    in_trail: bool = True,
    actor_id: int | None = None,
) -> str | None:
    """Writes one event into the journal and, if wanted, into the audit trail of the database.

    Returns, and tells who works at a terminal, why the journal could not be written; None when it
    was. It must not be called inside a transaction of this thread that writes.
    """
    where = where_of(by)
    fault = None
    try:
        _tell_of_gap(site)
        journal.append(site.backup_dir, what, name, by, where, detail, about)
    except (OSError, Refused) as error:
        about_what = f"{what} {name}".strip()
        fault = f"The journal could not be written ({about_what}): {reason_of(error)}"
        _count_unwritten(site, reason_of(error))
        if not has_request_context() and _origin.get() is None and by != SCHEDULE:
            click.echo(f"Warning: {fault}", err=True)
        else:
            log.error("The journal could not be written (%s): %s", what, logs.told(error))
    if in_trail:
        origin = _origin.get()
        person = actor_id or (origin.actor_id if origin else None)
        after = {"where": where, **({"detail": detail} if detail else {})}
        _tell_trail(site, Event(person, by, ACTIONS.get(what, what), name, after))
    return fault


def unwritten(site: Installation) -> str:
    """How many events the journal lacks for now and why, in a sentence; nothing when it has all."""
    found = _unwritten(site)
    if not found:
        return ""
    return (
        f"The journal of backups lacks {found['count']} of the events since {found['since']}, "
        f"because it could not be written: {found['fault']}"
    )


def _unwritten(site: Installation) -> dict[str, Any]:
    try:
        found = json.loads((site.data_dir / UNWRITTEN).read_text(encoding="utf-8"))
        return {key: found[key] for key in ("count", "since", "fault")}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _count_unwritten(site: Installation, fault: str) -> None:
    # The disk that is full may be this one too; then the log alone tells.
    with contextlib.suppress(OSError, Refused):
        before = _unwritten(site)
        values = {
            "count": int(before.get("count", 0)) + 1,
            "since": before.get("since", utc_text(utc_now())),
            "fault": fault,
        }
        durable.write_durably(site.data_dir / UNWRITTEN, json.dumps(values).encode())


def _tell_of_gap(site: Installation) -> None:
    found = _unwritten(site)
    if found:
        detail = f"{found['count']} since {found['since']}: {found['fault']}"
        journal.append(site.backup_dir, GAP, "", "ProMan", socket.gethostname(), detail)
        (site.data_dir / UNWRITTEN).unlink(missing_ok=True)


def _tell_trail(site: Installation, event: Event) -> None:
    """A database that is damaged, gone or of another version cannot be told; the journal is."""

    def tell() -> None:
        with db.engine.connect().execution_options(write=True) as connection, connection.begin():
            site.checks.record(connection, event)

    try:
        if live_database(site).exists():
            until_it_stands(tell)
    except (SQLAlchemyError, sqlite3.Error, OSError, Refused, NotThere) as error:
        log.info("The audit trail was not told of %s: %s", event.action, logs.told(error))
