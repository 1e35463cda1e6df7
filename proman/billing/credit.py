"""Reads what allocation decides on: open documents, credit by its source, standing allocations."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func, select

from proman.billing import settling
from proman.billing.models import Allocation, Invoice, InvoiceLine
from proman.billing.settling import Move, OpenItem, Paid, Source
from proman.db import db
from proman.ledger import queries as journal

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = InvoiceLine.__table__  # type: ignore[assignment]
_a: Table = Allocation.__table__  # type: ignore[assignment]


class OpenDocument(NamedTuple):
    """A document of a lease that is not settled, oldest first in lists."""

    id: int
    lease_id: int
    property_id: int
    kind: str
    number: str | None
    issue_date: date
    due_date: date
    total: int
    open: int


_DOCUMENTS = select(
    _i.c.id,
    _i.c.lease_id,
    _i.c.property_id,
    _i.c.kind,
    _i.c.number,
    _i.c.issue_date,
    _i.c.due_date,
    _i.c.total,
    _i.c.open,
).where(_i.c.organization_id == bindparam("organization_id"))
_OPEN_OF_LEASES = _DOCUMENTS.where(
    _i.c.lease_id.in_(bindparam("lease_ids", expanding=True)), _i.c.open > 0
).order_by(_i.c.due_date, _i.c.id)
_BY_ID = _DOCUMENTS.where(_i.c.id.in_(bindparam("invoice_ids", expanding=True)))
_LINE_KINDS = (
    select(_l.c.invoice_id, _l.c.kind)
    .where(
        _l.c.organization_id == bindparam("organization_id"),
        _l.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)),
    )
    .distinct()
)
_releases = _a.alias("releases")
_STANDING = (
    select(
        _a.c.id,
        _a.c.payment_id,
        _a.c.invoice_id,
        _i.c.kind,
        (_a.c.amount + func.coalesce(func.sum(_releases.c.amount), 0)).label("amount"),
        _a.c.effective_on,
    )
    .join(_i, _i.c.id == _a.c.invoice_id)
    .outerjoin(_releases, _releases.c.reverses_id == _a.c.id)
    .where(_a.c.organization_id == bindparam("organization_id"), _a.c.amount > 0)
    .group_by(_a.c.id, _a.c.payment_id, _a.c.invoice_id, _i.c.kind, _a.c.amount, _a.c.effective_on)
    .having(_a.c.amount + func.coalesce(func.sum(_releases.c.amount), 0) > 0)
)
_PAID = (
    select(_a.c.invoice_id, func.sum(_a.c.amount))
    .where(
        _a.c.organization_id + 0 == bindparam("organization_id"),
        _a.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)),
    )
    .group_by(_a.c.invoice_id)
)
_STANDING_ON_INVOICE = _STANDING.where(_a.c.invoice_id == bindparam("invoice_id"))
_STANDING_OF_PAYMENT = _STANDING.where(_a.c.payment_id == bindparam("payment_id"))
_STANDING_AS = _STANDING.where(_a.c.id == bindparam("id"))


def open_documents(lease_id: int) -> list[OpenDocument]:
    """What is not settled of a lease: oldest due date, then category, then id."""
    rows = db.session.execute(_OPEN_OF_LEASES, {"lease_ids": [lease_id]})
    documents = [OpenDocument(*row) for row in rows]
    kinds = _line_kinds([document.id for document in documents])
    return sorted(documents, key=lambda d: (d.due_date, _category(d, kinds), d.id))


def unused_credit(lease_id: int) -> int:
    """What of the lease's credit is not allocated, minor units."""
    return journal.lease_balance(lease_id).credit


def credit_sources(lease_ids: Collection[int], *, unused: bool = False) -> dict[int, list[Source]]:
    """The credit of leases by the payment it came with; what is used up too, unless `unused`."""
    return {
        lease_id: [Source(key, tuple(Move(*m) for m in moves)) for key, moves in each.items()]
        for lease_id, each in journal.credit_movements(lease_ids, unused=unused).items()
    }


def standing_on(invoice_id: int) -> list[Paid]:
    """The allocations to a document that stand, less what of them was released."""
    return _standing(_STANDING_ON_INVOICE, {"invoice_id": invoice_id})


def paid_of(invoice_ids: Collection[int]) -> dict[int, int]:
    """What is allocated to documents and not released, minor units; of few documents."""
    asked = {"invoice_ids": sorted(invoice_ids)}
    return {key: int(amount) for key, amount in db.session.execute(_PAID, asked)}


def standing_of(payment_id: int) -> list[Paid]:
    """The allocations of a payment that stand, less what of them was released."""
    return _standing(_STANDING_OF_PAYMENT, {"payment_id": payment_id})


def standing_as(allocation_id: int) -> list[Paid]:
    """What stands of one allocation: one row, or none."""
    return _standing(_STANDING_AS, {"id": allocation_id})


def _standing(statement: Any, parameters: dict[str, int]) -> list[Paid]:
    rows = db.session.execute(statement, parameters)
    return [
        Paid(key, pay, invoice, kind, int(amount), day)
        for key, pay, invoice, kind, amount, day in rows
    ]


def documents_by_id(invoice_ids: Collection[int]) -> list[OpenDocument]:
    rows: list[OpenDocument] = []
    for chunk in journal.in_chunks(invoice_ids):
        found = db.session.execute(_BY_ID, {"invoice_ids": chunk})
        rows += [OpenDocument(*row) for row in found]
    return rows


def _line_kinds(invoice_ids: Collection[int]) -> dict[int, set[str]]:
    kinds: dict[int, set[str]] = defaultdict(set)
    for chunk in journal.in_chunks(invoice_ids):
        for invoice_id, kind in db.session.execute(_LINE_KINDS, {"invoice_ids": chunk}):
            kinds[invoice_id].add(kind)
    return kinds


def _category(document: OpenDocument, kinds: Mapping[int, set[str]]) -> int:
    return settling.category(document.kind, kinds.get(document.id, ()))


def open_items(documents: Sequence[OpenDocument]) -> list[OpenItem]:
    ids = [document.id for document in documents]
    kinds, movements = _line_kinds(ids), journal.open_movements(ids)
    return [
        OpenItem(
            document.id,
            document.kind,
            _category(document, kinds),
            document.due_date,
            tuple(Move(*move) for move in movements.get(document.id, ())),
        )
        for document in documents
    ]
