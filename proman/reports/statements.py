"""The account of one lease between two days, for the page, the download and the printed letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, bindparam, literal, select, union_all

from proman.base.errors import NotThere
from proman.billing.document import Logo, StatementDocument, StatementRow
from proman.billing.models import Invoice
from proman.billing.snapshots import issuer_snapshot, recipient_snapshot
from proman.db import db
from proman.identity.models import Organization, OrganizationLogo
from proman.leases.models import Lease, LeaseParty
from proman.leases.rules import Frequency
from proman.ledger import queries as journal
from proman.payments.models import Payment
from proman.properties.models import Property, Unit
from proman.reports.rules import Movement, Statement, statement
from proman.tenants.models import Tenant

_l: Table = Lease.__table__  # type: ignore[assignment]
_lp: Table = LeaseParty.__table__  # type: ignore[assignment]
_t: Table = Tenant.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_pr: Table = Property.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_pay: Table = Payment.__table__  # type: ignore[assignment]
_logos: Table = OrganizationLogo.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
_ONE_DAY = timedelta(days=1)

EVENTS = {
    "invoice": "Invoice",
    "deposit_request": "Deposit request",
    "credit_note": "Credit note",
    "credit_note_of_deposit": "Credit note",
    "payment": "Payment",
    "payment_reversal": "Payment reversed",
    "refund": "Refund",
    "refund_reversal": "Refund taken back",
    "deposit_withheld": "Taken from the deposit",
    "deposit_withheld_reversal": "Given back to the deposit",
    "write_off": "Written off",
    "write_off_reversal": "Write-off taken back",
    "opening_owed": "Opening balance",
    "opening_credit": "Opening credit",
}
METHODS = {
    "transfer": "by transfer",
    "direct_debit": "by direct debit",
    "card": "by card",
    "cash": "in cash",
    "cheque": "by cheque",
    "other": "",
}

_LEASE = (
    select(
        _l.c.id,
        _l.c.reference,
        _l.c.first_day,
        _l.c.last_day,
        _l.c.ended_on,
        _l.c.frequency,
        _pr.c.id.label("property_id"),
        _pr.c.name.label("property_name"),
        _pr.c.is_single_unit,
        _pr.c.street.label("property_street"),
        _pr.c.postal_code.label("property_postal_code"),
        _pr.c.city.label("property_city"),
        _pr.c.country.label("property_country"),
        _u.c.label.label("unit_label"),
        _t.c.id.label("tenant_id"),
        _t.c.name,
        _t.c.street,
        _t.c.postal_code,
        _t.c.city,
        _t.c.country,
        _t.c.tax_number,
    )
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_pr, _pr.c.id == _u.c.property_id)
    .outerjoin(_lp, _lp.c.lease_id == _l.c.id)
    .outerjoin(_t, _t.c.id == _lp.c.tenant_id)
    .where(_l.c.organization_id == _HERE, _l.c.id == bindparam("lease_id"))
    .order_by(_lp.c.position, _lp.c.id)
)
_DOCUMENTS = union_all(
    select(literal("invoice"), _i.c.id, _i.c.number, literal("")).where(
        _i.c.organization_id == _HERE, _i.c.id.in_(bindparam("invoices", expanding=True))
    ),
    select(literal("payment"), _pay.c.id, _pay.c.reference, _pay.c.method).where(
        _pay.c.organization_id == _HERE, _pay.c.id.in_(bindparam("payments", expanding=True))
    ),
)
_LETTERHEAD = (
    select(Organization, _logos.c.id, _logos.c.media_type, _logos.c.content)
    .outerjoin(_logos, _logos.c.organization_id == Organization.id)
    .where(Organization.id == _HERE)
    .order_by(_logos.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class _Address:
    street: str
    postal_code: str
    city: str
    country: str


@dataclass(frozen=True)
class StatementLease:
    """Whose account it is: the lease, what is let, and everyone who signed."""

    rows: Sequence[Row[*tuple[Any, ...]]]

    @property
    def lease(self) -> Row[*tuple[Any, ...]]:
        return self.rows[0]

    @property
    def tenants(self) -> list[tuple[int, str]]:
        return [(row.tenant_id, row.name) for row in self.rows if row.tenant_id is not None]

    @property
    def names(self) -> str:
        return ", ".join(name for _, name in self.tenants)

    @property
    def place(self) -> str:
        lease = self.lease
        if lease.is_single_unit:
            return str(lease.property_name)
        return f"{lease.property_name} · {lease.unit_label}"

    @property
    def rhythm(self) -> str:
        return Frequency(self.lease.frequency).value.replace("_", " ")


def statement_lease(lease_id: int) -> StatementLease:
    """The lease of a statement. Raises NotThere."""
    rows: Sequence[Row[*tuple[Any, ...]]] = db.session.execute(_LEASE, {"lease_id": lease_id}).all()
    if not rows:
        raise NotThere("This lease does not exist.")
    return StatementLease(rows)


def lease_statement(
    lease_id: int, first: date, last: date, known: datetime | None = None
) -> Statement:
    """The lease's account between two days, both inclusive, by effective date; `known` (UTC)
    leaves out what was recorded later."""
    opening = journal.lease_balance(lease_id, first - _ONE_DAY, known).balance
    rows = journal.statement(lease_id, first, last, known)
    named = _documents(rows)
    moves = [
        Movement(row.effective_on, row.event, _text(row, named), int(row.amount),
                 row.invoice_id, row.payment_id)
        for row in rows
    ]  # fmt: skip
    return statement(opening, moves, first, last)


_Documents = Mapping[tuple[str, int], tuple[str | None, str]]
"""Number or reference, and the method of a payment, by kind and id."""


def _documents(rows: Sequence[journal.StatementRow]) -> _Documents:
    ids = {
        "invoices": sorted({row.invoice_id for row in rows if row.invoice_id}),
        "payments": sorted({row.payment_id for row in rows if row.payment_id}),
    }
    if not any(ids.values()):
        return {}
    found = db.session.execute(_DOCUMENTS, ids)
    return {(kind, key): (number, method) for kind, key, number, method in found}


def _text(row: journal.StatementRow, documents: _Documents) -> str:
    words = EVENTS.get(row.event, row.event.replace("_", " ").capitalize())
    if row.event.startswith("credit_note") and row.explanation:
        return f"{words} {row.explanation}"
    number, _ = documents.get(("invoice", row.invoice_id or 0), (None, ""))
    if number:
        return f"{words} {number}"
    payment = documents.get(("payment", row.payment_id or 0))
    if payment is not None and row.event == "payment":
        reference, method = payment
        said = f": {reference}" if reference else ""
        return f"{words} {METHODS[method]}".strip() + said
    return f"{words}: {row.explanation}" if row.explanation else words


def statement_document(about: StatementLease, account: Statement) -> StatementDocument:
    """The statement as it is printed, with letterhead and address as they are today."""
    organization, logo_id, media_type, content = db.session.execute(_LETTERHEAD).one()
    lease = about.lease
    let = _Address(
        lease.property_street, lease.property_postal_code, lease.property_city,
        lease.property_country,
    )  # fmt: skip
    home = _Address(lease.street or "", lease.postal_code or "", lease.city or "", lease.country)
    return StatementDocument(
        issuer=issuer_snapshot(organization, logo_id),
        recipient=recipient_snapshot(
            [name for _, name in about.tenants],
            home,
            let,
            property_name=lease.property_name,
            unit_label="" if lease.is_single_unit else lease.unit_label,
            lease_reference=lease.reference,
            tax_number=lease.tax_number or "",
        ),
        logo=Logo(media_type, content) if logo_id else None,
        currency=organization.currency,
        first_day=account.first_day,
        last_day=account.last_day,
        opening=account.opening,
        rows=[
            StatementRow(
                line.movement.day, line.movement.text, line.debit, line.credit, line.balance
            )
            for line in account.lines
        ],
        closing=account.closing,
    )
