"""Reads what one tenant may see: the documents and payments of the leases they signed.

Every statement holds the login's id: an address with somebody else's number finds nothing. One who
left a lease sees what was issued or received while they were a party to it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, Row, Table, and_, bindparam, case, exists, func, or_, select

from proman.base.errors import NotThere
from proman.billing.invoice_queries import STATE, selective
from proman.billing.models import Invoice
from proman.billing.reminder_models import Reminder
from proman.db import db
from proman.files.models import Document
from proman.files.queries import the_document
from proman.identity.models import OrganizationLogo, User
from proman.leases.models import Lease, LeaseParty
from proman.ledger.queries import lease_balances
from proman.payments.models import Payment, PaymentReversal
from proman.portal.models import PortalAccess
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant
from proman.web.listing import Filter, Listing

_i: Table = Invoice.__table__  # type: ignore[assignment]
_reminders: Table = Reminder.__table__  # type: ignore[assignment]
_pay: Table = Payment.__table__  # type: ignore[assignment]
_reversals: Table = PaymentReversal.__table__  # type: ignore[assignment]
_leases: Table = Lease.__table__  # type: ignore[assignment]
_parties: Table = LeaseParty.__table__  # type: ignore[assignment]
_accesses: Table = PortalAccess.__table__  # type: ignore[assignment]
_units: Table = Unit.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_tenants: Table = Tenant.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
_docs: Table = Document.__table__  # type: ignore[assignment]
_logos: Table = OrganizationLogo.__table__  # type: ignore[assignment]
_organization: BindParameter[int] = bindparam("organization_id")

_mine = (
    select(_parties.c.lease_id)
    .join(_accesses, _accesses.c.tenant_id == _parties.c.tenant_id)
    .where(
        _accesses.c.organization_id == _organization, _accesses.c.user_id == bindparam("user_id")
    )
)


def _visible(lease_id: Any, day: Any) -> Any:
    """That the lease is one of mine, and that I was a party to it on the day."""
    was_party = exists(
        _mine.where(
            _parties.c.lease_id == lease_id,
            or_(_parties.c.left_on.is_(None), _parties.c.left_on >= day),
        )
    )
    return and_(lease_id.in_(_mine), was_party)


_invoice_is_mine = and_(selective(_i), _visible(_i.c.lease_id, _i.c.issue_date))
_payment_is_mine = and_(selective(_pay), _visible(_pay.c.lease_id, _pay.c.received_on))
_unit = case((_properties.c.is_single_unit, ""), else_=_units.c.label).label("unit")

MY_INVOICES = Listing(
    address="/portal/invoices/",
    rows=select(
        _i.c.id,
        _i.c.kind,
        _i.c.number,
        _i.c.issue_date,
        _i.c.due_date,
        _i.c.total,
        _i.c.open,
        STATE.label("state"),
    ).where(_invoice_is_mine),
    id=_i.c.id,
    sorts={"issued": _i.c.issue_date},
    default="-issued",
    filters={"state": Filter({"unsettled": _i.c.open > 0})},
    totals={"open": _i.c.open},
)
MY_PAYMENTS = Listing(
    address="/portal/payments/",
    rows=select(
        _pay.c.id,
        _pay.c.received_on,
        _pay.c.method,
        _pay.c.reference,
        _pay.c.amount,
        _reversals.c.reversed_on,
    )
    .outerjoin(_reversals, _reversals.c.payment_id == _pay.c.id)
    .where(_payment_is_mine),
    id=_pay.c.id,
    sorts={"received": _pay.c.received_on},
    default="-received",
)
_document_is_mine = and_(
    _docs.c.organization_id == _organization,
    _docs.c.is_shown,
    _visible(_docs.c.lease_id, func.date(_docs.c.uploaded_at)),
    _docs.c.lease_id.in_(
        select(_leases.c.id).where(
            _leases.c.organization_id == _organization, _leases.c.status != "draft"
        )
    ),
)
MY_DOCUMENTS = Listing(
    address="/portal/documents/",
    rows=select(
        _docs.c.id,
        _docs.c.name,
        _docs.c.media_type,
        _docs.c.size_bytes,
        _docs.c.uploaded_at,
        _leases.c.reference,
    )
    .join(_leases, _leases.c.id == _docs.c.lease_id)
    .where(_document_is_mine),
    id=_docs.c.id,
    sorts={"added": _docs.c.uploaded_at},
    default="-added",
)
_MY_DOCUMENT = select(_docs.c.id).where(_document_is_mine, _docs.c.id == bindparam("id"))
_reminder_is_mine = and_(
    selective(_reminders), _visible(_reminders.c.lease_id, _reminders.c.made_on)
)
_MY_REMINDERS = (
    select(
        _reminders.c.id,
        _reminders.c.title,
        _reminders.c.made_on,
        _reminders.c.pay_by,
        _reminders.c.total,
    )
    .where(_reminder_is_mine)
    .order_by(_reminders.c.id.desc())
    .limit(10)
)
_MY_REMINDER = select(_reminders.c.id).where(_reminder_is_mine, _reminders.c.id == bindparam("id"))
_HOMES = (
    select(
        _leases.c.id,
        _leases.c.reference,
        _leases.c.first_day,
        func.coalesce(_leases.c.ended_on, _leases.c.last_day).label("last_day"),
        _parties.c.left_on,
        _properties.c.name.label("property"),
        _unit,
    )
    .select_from(_parties)
    .join(_accesses, _accesses.c.tenant_id == _parties.c.tenant_id)
    .join(_leases, _leases.c.id == _parties.c.lease_id)
    .join(_units, _units.c.id == _leases.c.unit_id)
    .join(_properties, _properties.c.id == _units.c.property_id)
    .where(
        _accesses.c.organization_id == _organization,
        _accesses.c.user_id == bindparam("user_id"),
        _leases.c.status != "draft",
    )
    .order_by(_leases.c.first_day.desc(), _leases.c.id)
)
_LOGO = select(func.max(_logos.c.id)).where(_logos.c.organization_id == _organization)
_OPEN = select(
    func.coalesce(func.sum(_i.c.open), 0),
    func.min(_i.c.due_date),
    func.coalesce(func.sum(case((_i.c.due_date < bindparam("today"), _i.c.open), else_=0)), 0),
    _LOGO.scalar_subquery(),
).where(_invoice_is_mine, _i.c.open > 0)
_IS_MINE = select(_i.c.id, _LOGO.scalar_subquery().label("logo_id")).where(
    _invoice_is_mine, _i.c.id == bindparam("id")
)
_ACCESS = (
    select(
        _tenants.c.id,
        _tenants.c.name,
        _tenants.c.email,
        _tenants.c.archived_at,
        _accesses.c.user_id,
        _accesses.c.invited_at,
        _users.c.email.label("login"),
        _users.c.last_seen_at,
        _users.c.deactivated_at,
        _users.c.password_hash.is_not(None).label("has_password"),
    )
    .outerjoin(_accesses, _accesses.c.tenant_id == _tenants.c.id)
    .outerjoin(_users, _users.c.id == _accesses.c.user_id)
    .where(_tenants.c.organization_id == _organization, _tenants.c.id == bindparam("tenant_id"))
)


@dataclass(frozen=True, slots=True)
class Account:
    """Where a tenant stands, in minor units; `next_due` is the oldest due date of what is open."""

    homes: list[Row[Any]]
    open: int
    overdue: int
    credit: int
    next_due: date | None
    has_logo: bool

    @property
    def balance(self) -> int:
        """Above nil: owed; below nil: in the tenant's favour."""
        return self.open - self.credit


def account_of(user_id: int, today: date) -> Account:
    """The leases of a tenant and what is open on them."""
    homes: list[Any] = [*db.session.execute(_HOMES, {"user_id": user_id})]
    values = {"user_id": user_id, "today": today}
    owed, next_due, overdue, logo_id = db.session.execute(_OPEN, values).one()
    balances = lease_balances([home.id for home in homes if home.left_on is None])
    credit = sum(balance.credit for balance in balances.values())
    return Account(homes, int(owed), int(overdue), credit, next_due, logo_id is not None)


def require_mine(invoice_id: int, user_id: int) -> bool:
    """Raises NotThere unless the document is one of this tenant's.

    Returns whether the organization has a logo to show beside it.
    """
    row = db.session.execute(_IS_MINE, {"id": invoice_id, "user_id": user_id}).first()
    if row is None:
        raise NotThere("This invoice does not exist.")
    return row.logo_id is not None


def my_document(document_id: int, user_id: int) -> Document:
    """A document that this tenant was shown. Raises NotThere."""
    values = {"id": document_id, "user_id": user_id}
    if db.session.execute(_MY_DOCUMENT, values).first() is None:
        raise NotThere("This document does not exist.")
    return the_document(document_id)


def my_reminders(user_id: int) -> list[Row[Any]]:
    """The newest ten reminders that went to this tenant."""
    found: list[Any] = [*db.session.execute(_MY_REMINDERS, {"user_id": user_id})]
    return found


def require_my_reminder(reminder_id: int, user_id: int) -> None:
    """Raises NotThere unless the reminder went to this tenant."""
    values = {"id": reminder_id, "user_id": user_id}
    if db.session.execute(_MY_REMINDER, values).first() is None:
        raise NotThere("This reminder does not exist.")


def has_logo() -> bool:
    """Whether the organization has a logo to show."""
    return db.session.execute(_LOGO).scalar_one() is not None


def access_of(tenant_id: int) -> Row[Any]:
    """The tenant and their login, if there is one. Raises NotThere."""
    row: Any = db.session.execute(_ACCESS, {"tenant_id": tenant_id}).first()
    if row is None:
        raise NotThere("This tenant does not exist.")
    return row  # type: ignore[no-any-return]
