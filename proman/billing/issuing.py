"""Writes issued documents: numbered rows with their lines and snapshots, many in one stroke."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Table, Text, bindparam, insert

from proman.billing.billed import Span
from proman.billing.models import BilledPeriod, Invoice, InvoiceLine
from proman.billing.numbering import Numbers, take_numbers
from proman.billing.parties import addressees, issuer_of_today
from proman.database.ids import insert_numbered
from proman.db import db, utc_now
from proman.identity.actor import Actor

_i: Table = Invoice.__table__  # type: ignore[assignment]
_lines: Table = InvoiceLine.__table__  # type: ignore[assignment]
_billed: Table = BilledPeriod.__table__  # type: ignore[assignment]
# The snapshots come as JSON text already: the issuer's is the same for all.
_INSERT = insert(_i).values(
    issuer=bindparam("issuer_json", type_=Text()),
    recipient=bindparam("recipient_json", type_=Text()),
)


class DraftLine(NamedTuple):
    """One line to be printed; amounts in minor units, days inclusive, the rate in thousandths."""

    charge_id: int | None
    kind: str
    description: str
    first_day: date | None
    last_day: date | None
    net: int
    tax_rate: int
    tax: int
    gross: bool
    period_amount: int
    explanation: str
    credits_line_id: int | None = None


class Draft(NamedTuple):
    """A document that has no number yet; its totals are the sums of its lines."""

    lease_id: int
    due_date: date
    first_day: date | None
    last_day: date | None
    lines: Sequence[DraftLine]
    billed: Sequence[Span] = ()
    refers_to_id: int | None = None
    reason: str = ""
    repetition: int = 0
    """Above nil when wholly credited periods are billed again."""

    @property
    def net(self) -> int:
        """Without tax."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """The tax of all lines."""
        return sum(line.tax for line in self.lines)


class Issued(NamedTuple):
    """A document that now has its number."""

    id: int
    number: str
    lease_id: int
    property_id: int
    issue_date: date
    due_date: date
    net: int
    tax: int

    @property
    def total(self) -> int:
        """Net and tax."""
        return self.net + self.tax


def issue(
    kind: str, drafts: Sequence[Draft], on: date, *, actor: Actor, run_id: int | None = None
) -> list[Issued]:
    """Number and write documents of one kind (which names their series), in their order.

    A credit note is open for nothing, everything else for its total.
    The ledger is the caller's. Must be inside a write.
    """
    if not drafts:
        return []
    numbers = take_numbers(kind, len(drafts), on)
    rows = _rows(kind, drafts, numbers)
    by = {"issued_at": utc_now(), "issued_by": actor.id, "run_id": run_id}
    for row in rows:
        row.update(by)
    ids = insert_numbered(db.session(), _INSERT, rows)
    db.session.execute(insert(_lines), _line_rows(ids, drafts))
    spans = _span_rows(ids, drafts)
    if spans:
        db.session.execute(insert(_billed), spans)
    return [_issued(key, row) for key, row in zip(ids, rows, strict=True)]


def _rows(kind: str, drafts: Sequence[Draft], numbers: Numbers) -> list[dict[str, Any]]:
    issuer, currency = issuer_of_today()
    to = addressees({draft.lease_id for draft in drafts}, numbers.issue_date)
    recipients = {key: _json(each.recipient) for key, each in to.items()}
    shared = {
        "kind": kind,
        "series": numbers.series,
        "year": numbers.year,
        "issue_date": numbers.issue_date,
        "currency": currency,
        "issuer_json": _json(issuer),
    }
    return [
        {
            **shared,
            **_own(kind, draft),
            "sequence": numbers.first + offset,
            "number": numbers.written(numbers.first + offset),
            "property_id": to[draft.lease_id].property_id,
            "recipient_json": recipients[draft.lease_id],
        }
        for offset, draft in enumerate(drafts)
    ]


def _own(kind: str, draft: Draft) -> dict[str, Any]:
    """The columns that come from the draft itself."""
    net, tax = draft.net, draft.tax
    return {
        "lease_id": draft.lease_id,
        "refers_to_id": draft.refers_to_id,
        "due_date": draft.due_date,
        "period_start": draft.first_day,
        "period_end": draft.last_day,
        "net": net,
        "tax": tax,
        "total": net + tax,
        "open": 0 if kind == "credit_note" else net + tax,
        "reason": draft.reason[:500],
    }


def _line_rows(ids: Sequence[int], drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": invoice_id,
            "position": position,
            "charge_id": line.charge_id,
            "credits_line_id": line.credits_line_id,
            "kind": line.kind,
            "description": line.description,
            "period_start": line.first_day,
            "period_end": line.last_day,
            "net": line.net,
            "tax_rate": line.tax_rate,
            "tax": line.tax,
            "gross": line.gross,
            "period_amount": line.period_amount,
            "explanation": line.explanation[:500],
        }
        for invoice_id, draft in zip(ids, drafts, strict=True)
        for position, line in enumerate(draft.lines, 1)
    ]


def _span_rows(ids: Sequence[int], drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    return [
        {
            "lease_id": draft.lease_id,
            "charge_key": span.charge_id,
            "period_start": span.first,
            "period_end": span.last,
            # A period that is billed again fills no gap: it was no gap before.
            "days": 0 if draft.repetition else span.days,
            "repetition": draft.repetition,
            "ended_itself": span.ended_itself,
            "invoice_id": invoice_id,
        }
        for invoice_id, draft in zip(ids, drafts, strict=True)
        for span in draft.billed
    ]


def _issued(invoice_id: int, row: Mapping[str, Any]) -> Issued:
    return Issued(
        invoice_id,
        row["number"],
        row["lease_id"],
        row["property_id"],
        row["issue_date"],
        row["due_date"],
        row["net"],
        row["tax"],
    )


def _json(snapshot: Mapping[str, Any]) -> str:
    """As the column's own type writes it."""
    return json.dumps(snapshot, ensure_ascii=False, sort_keys=True)
