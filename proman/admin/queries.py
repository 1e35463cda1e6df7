"""Owns the lists of administration: people, and what they changed."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, case, func, literal, or_, select

from proman.base.errors import NotThere
from proman.billing.draft_models import InvoiceDraft
from proman.billing.models import LateFeePolicy
from proman.billing.reminder_models import ReminderLevel
from proman.db import db
from proman.identity.models import AuditEntry, OrganizationLogo, TaxRate, User
from proman.identity.session import current_organization
from proman.leases.models import Charge, Lease, Rent
from proman.ledger.models import Entry
from proman.properties.models import Unit
from proman.web.listing import Column, Filter, Listing, contains, matches, of_id

_users = User.__table__
_entries = AuditEntry.__table__

_state = case(
    (_users.c.deactivated_at.is_not(None), "deactivated"),
    (_users.c.password_hash.is_(None), "invited"),
    else_="active",
)

PEOPLE = Listing(
    address="/admin/users",
    rows=select(
        _users.c.id,
        _users.c.name,
        _users.c.email,
        _users.c.role,
        _users.c.is_operator,
        _users.c.last_seen_at,
        _state.label("state"),
    ).where(_users.c.organization_id == bindparam("organization_id")),
    id=_users.c.id,
    sorts={
        "name": _users.c.name,
        "email": _users.c.email,
        "seen": func.coalesce(_users.c.last_seen_at, literal(datetime(1970, 1, 1))),
    },
    default="name",
    filters={
        "q": Filter(matches(_users.c.name, _users.c.email), contains),
        "role": Filter(
            {
                role: _users.c.role == role
                for role in ("administrator", "manager", "viewer", "tenant")
            }
        ),
        "state": Filter({state: _state == state for state in ("active", "invited", "deactivated")}),
    },
)


def _from_day(text: str) -> Mapping[str, datetime]:
    return {"from_moment": _begin_of(date.fromisoformat(text))}


def _to_day(text: str) -> Mapping[str, datetime]:
    return {"to_moment": _begin_of(date.fromisoformat(text) + timedelta(days=1))}


def _begin_of(day: date) -> datetime:
    """Midnight of a business day as naive UTC."""
    zone = ZoneInfo(current_organization().time_zone)
    return datetime.combine(day, time(), zone).astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


CHANGES = Listing(
    address="/admin/audit",
    rows=select(
        _entries.c.id,
        _entries.c.at,
        _entries.c.actor_id,
        _entries.c.actor_name,
        _entries.c.action,
        _entries.c.subject_type,
        _entries.c.subject_id,
        _entries.c.subject_label,
        _entries.c.before,
        _entries.c.after,
        _entries.c.note,
    ).where(_entries.c.organization_id == bindparam("organization_id")),
    id=_entries.c.id,
    sorts={"at": _entries.c.id},
    default="-at",
    filters={
        "q": Filter(matches(_entries.c.subject_label, _entries.c.actor_name), contains),
        "actor": Filter(_entries.c.actor_id == bindparam("actor"), of_id("actor")),
        "subject": Filter(
            _entries.c.subject_type == bindparam("subject"), lambda text: {"subject": text[:40]}
        ),
        "subject_id": Filter(_entries.c.subject_id == bindparam("subject_id"), of_id("subject_id")),
        "from": Filter(_entries.c.at >= bindparam("from_moment"), _from_day),
        "to": Filter(_entries.c.at < bindparam("to_moment"), _to_day),
    },
    columns=(
        Column("At (UTC)", "at"),
        Column("Who", "actor_name"),
        Column("Action", "action"),
        Column("Kind of record", "subject_type"),
        Column("Number", "subject_id"),
        Column("Record", "subject_label"),
        Column("Before", "before"),
        Column("After", "after"),
        Column("Note", "note"),
    ),
)

_ACTORS = (
    select(_users.c.id, _users.c.name)
    .where(_users.c.organization_id == bindparam("organization_id"), _users.c.role != "tenant")
    .order_by(_users.c.name, _users.c.id)
    .limit(500)
)


def colleagues() -> list[tuple[int, str]]:
    """Those who work in this organization, by name, for a filter; the deactivated ones too."""
    return [(row.id, row.name) for row in db.session.execute(_ACTORS)]


_AMOUNTS = (
    select(Entry.id),
    select(Rent.id).where(Rent.amount > 0),
    select(Charge.id).where(Charge.amount > 0),
    select(Lease.id).where(Lease.deposit > 0),
    select(Unit.id).where(Unit.market_rent > 0),
    select(InvoiceDraft.id),
    select(LateFeePolicy.id).where(
        or_(LateFeePolicy.flat > 0, LateFeePolicy.minimum > 0, LateFeePolicy.cap > 0)
    ),
    select(ReminderLevel.id).where(ReminderLevel.minimum > 0),
)


def has_amounts() -> bool:
    """Whether any amount of this organization was typed or booked; the currency is fixed then.

    Amounts are kept in minor units, so another currency would make others of them.
    """
    return any(db.session.scalar(one.limit(1)) is not None for one in _AMOUNTS)


def tax_rates() -> list[TaxRate]:
    """Every rate of tax, those in use first, by name."""
    order = (TaxRate.retired_at.is_not(None), TaxRate.name)
    return list(db.session.scalars(select(TaxRate).order_by(*order)))


def the_tax_rate(rate_id: int) -> TaxRate:
    """A rate of this organization. Raises NotThere."""
    rate = db.session.scalar(select(TaxRate).where(TaxRate.id == rate_id))
    if rate is None:
        raise NotThere("There is no such rate.")
    return rate


def logo_in_use(*, with_content: bool = False) -> Row[Any] | None:
    """The newest logo: id and media type, and its content if asked for; or None."""
    columns = [OrganizationLogo.id, OrganizationLogo.media_type, OrganizationLogo.uploaded_at]
    if with_content:
        columns.append(OrganizationLogo.content)
    newest = select(*columns).order_by(OrganizationLogo.id.desc()).limit(1)
    row: Row[Any] | None = db.session.execute(newest).first()  # type: ignore[assignment]
    return row
