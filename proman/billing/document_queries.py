"""Reads issued documents whole, as they are printed and shown."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, select

from proman.base.errors import NotThere
from proman.billing.document import DocumentLine, InvoiceDocument, Logo, Settlement
from proman.billing.invoice_queries import selective
from proman.billing.models import Allocation, Invoice, InvoiceLine
from proman.billing.otherwise import WITHHELD, WRITE_OFF, Otherwise, settled_otherwise
from proman.db import db
from proman.identity.models import OrganizationLogo

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = InvoiceLine.__table__  # type: ignore[assignment]
_a: Table = Allocation.__table__  # type: ignore[assignment]
_logos: Table = OrganizationLogo.__table__  # type: ignore[assignment]
_referred = _i.alias("referred")
_CHUNK = 400


def _among(column: Any) -> Any:
    return column.in_(bindparam("ids", expanding=True))


_INVOICES = (
    select(
        _i,
        _referred.c.number.label("referred_number"),
        _referred.c.issue_date.label("referred_date"),
    )
    .outerjoin(_referred, _referred.c.id == _i.c.refers_to_id)
    .where(selective(_i), _among(_i.c.id))
)
_LINES = (
    select(
        _l.c.invoice_id,
        _l.c.description,
        _l.c.period_start,
        _l.c.period_end,
        _l.c.explanation,
        _l.c.net,
        _l.c.tax_rate,
        _l.c.tax,
    )
    .where(selective(_l), _among(_l.c.invoice_id))
    .order_by(_l.c.invoice_id, _l.c.position)
)
_ALLOCATIONS = (
    select(_a.c.invoice_id, _a.c.payment_id, _a.c.amount, _a.c.effective_on)
    .where(selective(_a), _among(_a.c.invoice_id))
    .order_by(_a.c.effective_on, _a.c.id)
)
_CREDIT_NOTES = (
    select(_i.c.refers_to_id, _i.c.number, _i.c.total, _i.c.issue_date)
    .where(selective(_i), _among(_i.c.refers_to_id))
    .order_by(_i.c.issue_date, _i.c.id)
)
_LOGOS = select(_logos.c.id, _logos.c.media_type, _logos.c.content).where(
    selective(_logos), _among(_logos.c.id)
)


_TOLD = {WRITE_OFF: "No longer claimed", WITHHELD: "Withheld from the deposit"}
"""As the tenants read it."""


def the_document(invoice_id: int, today: date, *, with_logo: bool = True) -> InvoiceDocument:
    """One document with what is open today. Raises NotThere."""
    documents = documents_by_id([invoice_id], today, with_logo=with_logo)
    if not documents:
        raise NotThere("This invoice does not exist.")
    return documents[invoice_id]


def documents_by_id(
    ids: Collection[int], today: date, *, with_logo: bool = True
) -> dict[int, InvoiceDocument]:
    """Documents by id, in the order of `ids`; ids of others are left out."""
    rows = {row.id: row for row in _read(_INVOICES, ids)}
    lines = _grouped(_read(_LINES, ids))
    paid = _grouped(_read(_ALLOCATIONS, ids))
    credited = _grouped(_read(_CREDIT_NOTES, ids))
    others = _others(rows, paid, credited)
    logos = logos_of(rows.values()) if with_logo else {}
    return {
        key: _document(rows[key], lines[key], paid[key], credited[key], others[key], logos, today)
        for key in ids
        if key in rows
    }


def _others(
    rows: Mapping[int, Row[Any]],
    paid: Mapping[int, Sequence[Row[Any]]],
    credited: Mapping[int, Sequence[Row[Any]]],
) -> defaultdict[int, list[Otherwise]]:
    """What was written off or withheld of those few documents of which some was."""
    unexplained = [
        key
        for key, row in rows.items()
        if row.kind != "credit_note"
        and row.total - row.open
        != sum(part.amount for part in paid[key]) + sum(note.total for note in credited[key])
    ]
    found: defaultdict[int, list[Otherwise]] = defaultdict(list)
    for at in range(0, len(unexplained), _CHUNK):
        found.update(settled_otherwise(unexplained[at : at + _CHUNK]))
    return found


def _read(statement: Select[Any], ids: Collection[int]) -> Iterator[Row[Any]]:
    every = list(ids)
    for at in range(0, len(every), _CHUNK):
        yield from db.session.execute(statement, {"ids": every[at : at + _CHUNK]})


def _grouped(rows: Iterable[Row[Any]]) -> defaultdict[int, list[Row[Any]]]:
    """Rows by their first column."""
    groups: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row)
    return groups


def logos_of(rows: Iterable[Row[Any]]) -> dict[int, Logo]:
    """The logos that the issuers of these rows had on their day, by id."""
    return logos_by_id({row.issuer.get("logo_id") for row in rows})


def logos_by_id(ids: Collection[int | None]) -> dict[int, Logo]:
    """Logos that the organization has or had; None is of none."""
    return {
        row.id: Logo(row.media_type, row.content)
        for row in _read(_LOGOS, [key for key in ids if key])
    }


def _document(
    row: Row[Any],
    lines: Sequence[Row[Any]],
    paid: Sequence[Row[Any]],
    credited: Sequence[Row[Any]],
    others: Sequence[Otherwise],
    logos: Mapping[int, Logo],
    today: date,
) -> InvoiceDocument:
    return InvoiceDocument(
        kind=row.kind,
        number=row.number,
        issuer=row.issuer,
        recipient=row.recipient,
        logo=logos.get(row.issuer.get("logo_id") or 0),
        currency=row.currency,
        issue_date=row.issue_date,
        due_date=row.due_date,
        period_start=row.period_start,
        period_end=row.period_end,
        lines=[_line(line) for line in lines],
        net=row.net,
        tax=row.tax,
        total=row.total,
        open=row.open,
        as_of=today,
        credited=sum(note.total for note in credited),
        written_off=sum(one.amount for one in others if one.kind == WRITE_OFF),
        settlements=_settlements(row, paid, credited, others),
        refers_to=(row.referred_number, row.referred_date) if row.referred_number else None,
        reason=row.reason,
    )


def _line(row: Row[Any]) -> DocumentLine:
    return DocumentLine(
        description=row.description,
        period_start=row.period_start,
        period_end=row.period_end,
        explanation=row.explanation,
        net=row.net,
        tax_rate=row.tax_rate,
        tax=row.tax,
    )


def _settlements(
    row: Row[Any],
    paid: Sequence[Row[Any]],
    credited: Sequence[Row[Any]],
    others: Sequence[Otherwise],
) -> list[Settlement]:
    """What lowered the amount owed; a payment that was taken back in whole is not told."""
    if row.kind == "credit_note":
        return []
    sums: dict[int | None, Settlement] = {}
    for part in paid:
        label = "Payment received" if part.payment_id else "Credit used"
        known = sums.get(part.payment_id, Settlement(label, part.effective_on, 0))
        sums[part.payment_id] = Settlement(label, known.day, known.amount + part.amount)
    found = [settlement for settlement in sums.values() if settlement.amount]
    found += [
        Settlement(f"Credit note {note.number}", note.issue_date, note.total) for note in credited
    ]
    found += [Settlement(_TOLD[one.kind], one.happened_on, one.amount) for one in others]
    return sorted(found, key=lambda settlement: settlement.day)
