"""Reads from the audit trail what happened to a few records, for the time line of their page."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select

from proman.db import db
from proman.identity.models import AuditEntry

SHOWN = 50


class Happening(NamedTuple):
    """One change of one record: the values before and after are those of changed columns."""

    at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: int
    before: dict[str, Any]
    after: dict[str, Any]
    note: str


class Event(NamedTuple):
    """One line of a time line."""

    at: datetime
    actor: str
    icon: str
    text: str
    note: str = ""


class Told(NamedTuple):
    """What one change is in words."""

    text: str
    icon: str


@dataclass(frozen=True, slots=True)
class Origin:
    """How many records come to be in one go, with one entry of the trail for all of them.

    A higher domain lends it by `app.extensions["proman_origins"]`, so that the time lines of the
    records below tell of it without knowing it.
    """

    table: str
    """The subject of that one entry."""
    maker_of: Callable[[str, int], Select[int]]
    """Selects the row of `table` that made a record (its table and id)."""
    told: Callable[[Happening], Told]
    """What the time line of a record made so says of it."""


ADDED = Told("Added", icon="plus")


def life_of(table: str, row_id: int, created_at: datetime) -> list[Event]:
    """The time line of one record that is added, changed, archived and brought back."""
    return time_line((table, row_id), {table: [row_id]}, _told, ADDED, created_at)


def time_line(
    record: tuple[str, int],
    subjects: Mapping[str, Collection[int]],
    told: Callable[[Happening], Iterable[Told]],
    begun: Told,
    created_at: datetime,
) -> list[Event]:
    """What happened to a record (its table and id) and its parts, the newest first.

    `begun` is said where the trail has no beginning of its own: written in bulk, for nobody.
    """
    origins = {origin.table: origin for origin in _origins()}
    happenings = history_of(subjects, record)
    events, is_begun = [], len(happenings) == SHOWN
    for one in happenings:
        origin = origins.get(one.subject_type)
        is_own = (one.subject_type, one.subject_id) == record
        is_begun = is_begun or origin is not None or (is_own and one.action == "created")
        for words in [origin.told(one)] if origin else told(one):
            events.append(Event(one.at, one.actor, words.icon, words.text, one.note))
    return events if is_begun else [*events, Event(created_at, "", begun.icon, begun.text)]


def _origins() -> tuple[Origin, ...]:
    lent: tuple[Origin, ...] = current_app.extensions["proman_origins"]
    return lent


def _told(one: Happening) -> Iterator[Told]:
    if one.action == "created":
        yield ADDED
        return
    if "archived_at" in one.after:
        is_away = one.after["archived_at"] is not None
        yield Told("Archived", "archive") if is_away else Told("Brought back", "archive-off")
    changed = [key.replace("_", " ") for key in one.after if key != "archived_at"]
    if changed:
        yield Told("Changed: " + ", ".join(changed), icon="pencil")


def _made_together(origin: Origin, table: str, row_id: int) -> ColumnElement[bool]:
    return and_(
        AuditEntry.subject_type == origin.table,
        AuditEntry.subject_id.in_(origin.maker_of(table, row_id)),
        AuditEntry.action == "created",
    )


def history_of(
    subjects: Mapping[str, Collection[int]], record: tuple[str, int] | None = None
) -> Sequence[Happening]:
    """The newest changes of these records (table: ids) of the organization at work.

    With a record (its table and id), also what made it together with others.
    """
    chosen = [
        and_(AuditEntry.subject_type == table, AuditEntry.subject_id.in_(ids))
        for table, ids in subjects.items()
        if ids
    ]
    if record is not None:
        chosen += [_made_together(origin, *record) for origin in _origins()]
    if not chosen:
        return []
    statement = (
        select(
            AuditEntry.at,
            AuditEntry.actor_name,
            AuditEntry.action,
            AuditEntry.subject_type,
            AuditEntry.subject_id,
            AuditEntry.before,
            AuditEntry.after,
            AuditEntry.note,
        )
        .where(
            AuditEntry.organization_id == bindparam("organization_id"),
            or_(*chosen),
        )
        .order_by(AuditEntry.id.desc())
        .limit(SHOWN)
    )
    rows = db.session.execute(statement, {"organization_id": db.session.info["organization_id"]})
    return [
        Happening(at, actor, action, table, int(row_id or 0), before or {}, after or {}, note)
        for at, actor, action, table, row_id, before, after, note in rows
    ]
