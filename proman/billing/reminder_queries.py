"""Reads what tenants are to be reminded of, and the letters of reminders that were made."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Table, bindparam, func, or_, select

from proman.base.errors import NotThere
from proman.billing.document import Logo
from proman.billing.document_queries import logos_of
from proman.billing.invoice_queries import selective
from proman.billing.models import Invoice
from proman.billing.reminder_models import Reminder, ReminderItem, ReminderLevel
from proman.billing.reminding import Letter, Level, Overdue, letter_for
from proman.billing.snapshots import Issuer, Recipient
from proman.db import db
from proman.leases.models import LeaseParty
from proman.ledger.queries import in_chunks, lease_balances
from proman.tenants.models import Tenant

_i: Table = Invoice.__table__  # type: ignore[assignment]
_r: Table = Reminder.__table__  # type: ignore[assignment]
_it: Table = ReminderItem.__table__  # type: ignore[assignment]
_parties: Table = LeaseParty.__table__  # type: ignore[assignment]
_tenants: Table = Tenant.__table__  # type: ignore[assignment]
_HERE: BindParameter[Any] = bindparam("organization_id")

_OVERDUE = (
    select(
        _i.c.lease_id, _i.c.id, _i.c.due_date, _i.c.open, _i.c.kind, _i.c.number, _i.c.issue_date
    )
    .where(_i.c.organization_id == _HERE, _i.c.open > 0, _i.c.due_date < bindparam("day"))
    .order_by(_i.c.lease_id, _i.c.due_date, _i.c.id)
)
# A level counts from the first letter that brought a document to it; later ones only tell of it.
_REMINDED = (
    select(_it.c.invoice_id, _it.c.level, func.min(_r.c.made_on).label("made_on"))
    .join(_r, _r.c.id == _it.c.reminder_id)
    .join(_i, _i.c.id == _it.c.invoice_id)
    .where(_i.c.organization_id == _HERE, _i.c.open > 0, _it.c.level > 0)
    .group_by(_it.c.invoice_id, _it.c.level)
    .order_by(_it.c.invoice_id, _it.c.level)
)
_REMINDERS = select(_r).where(selective(_r), _r.c.id.in_(bindparam("ids", expanding=True)))
_ITEMS = (
    select(
        _it.c.reminder_id,
        _it.c.open,
        _it.c.level,
        _i.c.id.label("invoice_id"),
        _i.c.kind,
        _i.c.number,
        _i.c.due_date,
    )
    .join(_i, _i.c.id == _it.c.invoice_id)
    .where(selective(_it), _it.c.reminder_id.in_(bindparam("ids", expanding=True)))
    .order_by(_it.c.reminder_id, _i.c.due_date, _i.c.id)
)
_ADDRESSES = (
    select(_r.c.id, _tenants.c.email)
    .join(_parties, _parties.c.lease_id == _r.c.lease_id)
    .join(_tenants, _tenants.c.id == _parties.c.tenant_id)
    .where(
        selective(_r),
        _r.c.id.in_(bindparam("ids", expanding=True)),
        or_(_parties.c.left_on.is_(None), _parties.c.left_on >= _r.c.made_on),
        or_(_parties.c.joined_on.is_(None), _parties.c.joined_on <= _r.c.made_on),
    )
    .order_by(_r.c.id, _parties.c.position)
)


class ReminderItemDocument(NamedTuple):
    """A line of a reminder: a document that was past due, and what of it was open."""

    invoice_id: int
    kind: str
    number: str | None
    due_date: date
    open: int


@dataclass(frozen=True, slots=True)
class ReminderDocument:
    """A reminder that was made, with the names, words and amounts (minor units) of its day."""

    id: int
    lease_id: int
    level: int
    title: str
    text: str
    made_on: date
    pay_by: date
    total: int
    currency: str
    issuer: Issuer
    recipient: Recipient
    logo: Logo | None
    items: Sequence[ReminderItemDocument]


def levels() -> list[Level]:
    """The steps of the organization's reminders, the first first; empty: nobody is reminded."""
    rows = db.session.scalars(select(ReminderLevel).order_by(ReminderLevel.level))
    return [
        Level(row.level, row.days, row.pay_within, row.title, row.text, row.minimum) for row in rows
    ]


def letters_due(day: date, steps: Sequence[Level]) -> list[Letter]:
    """What tenants are to be reminded of on a day in these steps by what is open now, by lease."""
    if not steps:
        return []
    reminded = {row.invoice_id: row for row in db.session.execute(_REMINDED)}
    overdue: dict[int, list[Overdue]] = defaultdict(list)
    for lease_id, key, due_date, still_open, kind, number, issued in db.session.execute(
        _OVERDUE, {"day": day}
    ):
        known = reminded.get(key)
        level, since = (known.level, known.made_on) if known else (0, None)
        document = Overdue(key, due_date, int(still_open), level, since, kind, number, issued)
        overdue[lease_id].append(document)
    credits = lease_balances(overdue)
    found = (
        letter_for(steps, lease_id, documents, credits[lease_id].credit, day)
        for lease_id, documents in overdue.items()
    )
    return [letter for letter in found if letter is not None]


def the_reminder(reminder_id: int) -> ReminderDocument:
    """One reminder as it was made. Raises NotThere."""
    found = reminders_by_id([reminder_id])
    if not found:
        raise NotThere("This reminder does not exist.")
    return found[reminder_id]


def reminders_by_id(ids: Collection[int]) -> dict[int, ReminderDocument]:
    """Reminders as they were made, in the order of `ids`; those of others are left out."""
    rows, items = {}, {}
    for chunk in in_chunks(ids):
        rows.update({row.id: row for row in db.session.execute(_REMINDERS, {"ids": chunk})})
        found = db.session.execute(_ITEMS, {"ids": chunk})
        for key, group in groupby(found, key=attrgetter("reminder_id")):
            items[key] = [
                ReminderItemDocument(
                    each.invoice_id, each.kind, each.number, each.due_date, each.open
                )
                for each in group
            ]
    logos = logos_of(rows.values())
    return {key: _document(rows[key], items[key], logos) for key in ids if key in rows}


def _document(
    row: Any, items: Sequence[ReminderItemDocument], logos: dict[int, Logo]
) -> ReminderDocument:
    return ReminderDocument(
        id=row.id,
        lease_id=row.lease_id,
        level=row.level,
        title=row.title,
        text=row.text,
        made_on=row.made_on,
        pay_by=row.pay_by,
        total=row.total,
        currency=row.currency,
        issuer=row.issuer,
        recipient=row.recipient,
        logo=logos.get(row.issuer.get("logo_id") or 0),
        items=items,
    )


def addresses_of_reminders(ids: Collection[int]) -> dict[int, list[str]]:
    """The e-mail addresses that each reminder goes to, each once; an empty list: there is none."""
    found: dict[int, list[str]] = {key: [] for key in ids}
    for chunk in in_chunks(ids):
        for key, email in db.session.execute(_ADDRESSES, {"ids": chunk}):
            if email and email not in found[key]:
                found[key].append(email)
    return found
