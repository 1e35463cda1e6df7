"""Owns the audit trail: every change of an entity is recorded with who, when, before and after."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import Session, UOWTransaction

from proman.db import Base, Scoped, db, utc_now
from proman.db import Session as ProManSession
from proman.identity.models import AuditEntry, Organization

SECRET_COLUMNS = frozenset({"password_hash"})
SILENT_COLUMNS = frozenset({"last_seen_at", "session_epoch"})
LABELS = ("name", "number", "reference", "label", "description", "email", "event")


def install() -> None:
    """Record what is flushed from now on; calling it again changes nothing."""
    if not event.contains(ProManSession, "after_flush", _record_flush):
        event.listen(ProManSession, "after_flush", _record_flush)


def record(
    action: str,
    subject_type: str,
    subject_id: int | None = None,
    label: str = "",
    before: Any = None,
    after: Any = None,
    note: str = "",
) -> None:
    """Record a change that no entity shows: a bulk insert, a sign-in, a download.

    Belongs to the write that is under way and is committed with it.
    """
    session = db.session()
    row = _row(session, action, subject_type, subject_id, label, before, after, note)
    session.connection().execute(insert(AuditEntry), [row])


def is_audited(entity: object) -> bool:
    """Whether changes of this entity are recorded; journals are their own trail."""
    return isinstance(entity, (Scoped, Organization)) and getattr(entity, "__audited__", True)


def _record_flush(session: Session, context: UOWTransaction) -> None:
    rows = list(_changes(session))
    if rows:
        session.connection().execute(insert(AuditEntry), rows)


def _changes(session: Session) -> Iterator[dict[str, Any]]:
    for entity in session.new:
        if is_audited(entity):
            yield _entity_row(session, "created", entity, None, _values(entity))
    for entity in session.dirty:
        if is_audited(entity):
            before, after = _difference(entity)
            if after:
                yield _entity_row(session, "changed", entity, before, after)
    for entity in session.deleted:
        if is_audited(entity):
            yield _entity_row(session, "deleted", entity, _values(entity), None)


def _entity_row(
    session: Session, action: str, entity: Any, before: Any, after: Any
) -> dict[str, Any]:
    kind = str(entity.__tablename__)
    label = next((str(v) for k in LABELS if (v := getattr(entity, k, None))), "")
    own = entity.id if isinstance(entity, Organization) else entity.organization_id
    return _row(session, action, kind, entity.id, label, before, after, "", own)


def _row(
    session: Session,
    action: str,
    subject_type: str,
    subject_id: int | None,
    label: str,
    before: Any,
    after: Any,
    note: str,
    organization_id: int | None = None,
) -> dict[str, Any]:
    actor = session.info.get("actor")
    return {
        "organization_id": organization_id or session.info.get("organization_id"),
        "at": utc_now(),
        "actor_id": actor.id if actor else None,
        "actor_name": actor.name if actor else "ProMan",
        "action": action,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "subject_label": label[:300],
        "before": before,
        "after": after,
        "note": note,
    }


def _values(entity: Base) -> dict[str, Any]:
    columns = inspect(entity).mapper.column_attrs
    values = {c.key: _plain(c.key, entity.__dict__.get(c.key)) for c in columns}
    return {key: value for key, value in values.items() if value not in (None, "")}


def _difference(entity: Base) -> tuple[dict[str, Any], dict[str, Any]]:
    state = inspect(entity)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for column in state.mapper.column_attrs:
        history = state.attrs[column.key].history
        if column.key not in SILENT_COLUMNS and history.has_changes():
            before[column.key] = _plain(column.key, history.deleted[0] if history.deleted else None)
            after[column.key] = _plain(column.key, history.added[0] if history.added else None)
    return before, after


def _plain(key: str, value: Any) -> Any:
    if key in SECRET_COLUMNS:
        return "•••" if value else None
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value
