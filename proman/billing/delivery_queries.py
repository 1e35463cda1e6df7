"""Reads the sent-list: every delivery of a document or reminder, newest first."""

from sqlalchemy import Table, bindparam, func, select

from proman.billing.models import Delivery, Invoice
from proman.billing.reminder_models import Reminder
from proman.db import db
from proman.identity.models import User
from proman.web.listing import Column, Filter, Listing, contains, matches

_d: Table = Delivery.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_r: Table = Reminder.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
STATUSES = {"waiting": "On its way", "sent": "Sent", "failed": "Failed"}
CHANNELS = {"mail": "By mail", "pdf": "In one PDF"}
_here = _d.c.organization_id == bindparam("organization_id")
_what = func.coalesce(_i.c.number, _r.c.title)
_on_its_way = _d.c.status.in_(("queued", "sending"))

DELIVERIES = Listing(
    address="/invoices/deliveries/",
    rows=select(
        _d.c.id,
        _d.c.invoice_id,
        _d.c.reminder_id,
        _what.label("number"),
        _d.c.channel,
        _d.c.recipient,
        _d.c.status,
        _d.c.error,
        _d.c.requested_at,
        _d.c.finished_at,
        _users.c.name.label("requested_by"),
    )
    .outerjoin(_i, _i.c.id == _d.c.invoice_id)
    .outerjoin(_r, _r.c.id == _d.c.reminder_id)
    .outerjoin(_users, _users.c.id == _d.c.requested_by)
    .where(_here),
    id=_d.c.id,
    sorts={"asked": _d.c.id},
    default="-asked",
    filters={
        "q": Filter(matches(_what, _d.c.recipient), contains),
        "status": Filter(
            {
                "waiting": _on_its_way,
                "sent": _d.c.status == "sent",
                "failed": _d.c.status == "failed",
            }
        ),
        "channel": Filter({"mail": _d.c.channel == "mail", "pdf": _d.c.channel == "pdf"}),
    },
    counted=select(_d.c.id)
    .outerjoin(_i, _i.c.id == _d.c.invoice_id)
    .outerjoin(_r, _r.c.id == _d.c.reminder_id)
    .where(_here),
    columns=(
        Column("Document", "number"),
        Column("How", "channel"),
        Column("To", "recipient"),
        Column("Status", "status"),
        Column("Error", "error"),
        Column("Asked at (UTC)", "requested_at"),
        Column("Done at (UTC)", "finished_at"),
        Column("By", "requested_by"),
    ),
)
_WAITING = select(func.count()).select_from(_d).where(_here, _on_its_way)


def messages_waiting() -> int:
    """How many messages are on their way to the mail server."""
    return int(db.session.execute(_WAITING).scalar_one())
