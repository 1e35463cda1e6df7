"""Reads the list of the reminders that were made, newest first, and those of one lease."""

from typing import Any

from sqlalchemy import Row, Table, bindparam, func, select

from proman.billing.invoice_queries import first_tenant, selective
from proman.billing.models import Delivery
from proman.billing.reminder_models import Reminder
from proman.db import db
from proman.identity.models import User
from proman.leases.models import Lease
from proman.web.listing import Column, Filter, Listing, contains, matches

_r: Table = Reminder.__table__  # type: ignore[assignment]
_d: Table = Delivery.__table__  # type: ignore[assignment]
_leases: Table = Lease.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]

_TENANT = first_tenant(_r.c.lease_id)
_SENT = (
    select(func.count())
    .where(_d.c.reminder_id == _r.c.id, _d.c.status == "sent")
    .scalar_subquery()
    .label("sent")
)
_joined = (
    select(
        _r.c.id,
        _r.c.lease_id,
        _leases.c.reference,
        _TENANT.label("tenant"),
        _r.c.level,
        _r.c.title,
        _r.c.made_on,
        _r.c.pay_by,
        _r.c.total,
        _SENT,
        _users.c.name.label("made_by"),
    )
    .join(_leases, _leases.c.id == _r.c.lease_id)
    .outerjoin(_users, _users.c.id == _r.c.recorded_by)
)
REMINDERS = Listing(
    address="/billing/reminders/made",
    rows=_joined.where(_r.c.organization_id == bindparam("organization_id")),
    id=_r.c.id,
    sorts={"made": _r.c.id},
    default="-made",
    filters={
        "q": Filter(matches(_leases.c.reference, _TENANT), contains),
        "level": Filter({str(level): _r.c.level == level for level in (1, 2, 3)}),
    },
    totals={"total": _r.c.total},
    columns=(
        Column("Made on", "made_on", "day"),
        Column("Level", "level", "number"),
        Column("Heading", "title"),
        Column("Tenant", "tenant"),
        Column("Lease", "reference"),
        Column("Overdue", "total", "amount"),
        Column("To pay by", "pay_by", "day"),
        Column("Times sent", "sent", "number"),
        Column("By", "made_by"),
    ),
)
_OF_LEASE = (
    _joined.where(selective(_r), _r.c.lease_id == bindparam("lease_id"))
    .order_by(_r.c.id.desc())
    .limit(20)
)


def reminders_of(lease_id: int) -> list[Row[Any]]:
    """The newest twenty reminders of a lease."""
    found: list[Any] = [*db.session.execute(_OF_LEASE, {"lease_id": lease_id})]
    return found
