"""Issues credit notes: an invoice taken back in full, or what an ending leaves over of several."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, bindparam, func, select

from proman.base.errors import NotThere, Refused
from proman.billing.allocation import change_open, release
from proman.billing.corrections import CreditLine, IssuedLine, full_credit, part_credit
from proman.billing.credit import paid_of
from proman.billing.issuing import Draft, DraftLine, Issued, issue
from proman.billing.models import Invoice, InvoiceLine
from proman.billing.queries import writer_of_here
from proman.billing.tax import Taxed
from proman.db import db
from proman.identity import audit
from proman.identity.actor import Actor
from proman.ledger.actions import Concerning, post

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = InvoiceLine.__table__  # type: ignore[assignment]
_c = _l.alias("credits")
_CREDITABLE = ("invoice", "deposit_request")
_DOCUMENT = select(
    _i.c.id,
    _i.c.kind,
    _i.c.number,
    _i.c.lease_id,
    _i.c.property_id,
    _i.c.issue_date,
    _i.c.due_date,
    _i.c.total,
    _i.c.open,
).where(_i.c.organization_id == bindparam("organization_id"))
_BY_ID = _DOCUMENT.where(_i.c.id == bindparam("id"))
_LINES = (
    select(
        _l.c.id,
        _l.c.invoice_id,
        func.coalesce(_l.c.charge_id, 0).label("charge_id"),
        _l.c.kind,
        _l.c.description,
        func.coalesce(_l.c.period_start, _i.c.issue_date, type_=_i.c.issue_date.type).label(
            "first"
        ),
        func.coalesce(_l.c.period_end, _i.c.issue_date, type_=_i.c.issue_date.type).label("last"),
        _l.c.net,
        _l.c.tax_rate,
        _l.c.tax,
        _l.c.gross,
        _l.c.period_amount,
        func.coalesce(func.sum(_c.c.net), 0).label("credited_net"),
        func.coalesce(func.sum(_c.c.tax), 0).label("credited_tax"),
    )
    .join(_i, _i.c.id == _l.c.invoice_id)
    .outerjoin(_c, _c.c.credits_line_id == _l.c.id)
    .where(_l.c.organization_id == bindparam("organization_id"))
    .group_by(_l.c.id, _i.c.issue_date)
    .order_by(_l.c.id)
)
_LINES_OF_INVOICE = _LINES.where(_i.c.id == bindparam("id"))
_LINES_OF_LEASE = _LINES.where(_i.c.lease_id == bindparam("id"), _i.c.kind == "invoice")


class Creditable(NamedTuple):
    """A document that can be credited, and what of it is open; minor units."""

    id: int
    kind: str
    number: str
    lease_id: int
    property_id: int
    issue_date: date
    due_date: date
    total: int
    open: int


class CreditOf(NamedTuple):
    """The lines that a credit note takes back of one document."""

    document: Creditable
    lines: Sequence[CreditLine]

    @property
    def total(self) -> int:
        """What is taken back, tax included."""
        return sum(line.total for line in self.lines)

    @property
    def released(self) -> int:
        """What of it is paid already and becomes the tenants' credit."""
        return max(0, self.total - self.document.open)


def creditable(invoice_id: int) -> CreditOf:
    """What a full credit of a document would take back, perhaps nothing any more.

    Raises NotThere for a document that does not exist, Refused for one of another kind.
    """
    row = db.session.execute(_BY_ID, {"id": invoice_id}).one_or_none()
    if row is None:
        raise NotThere("There is no such invoice.")
    if row.kind not in _CREDITABLE:
        raise Refused("Only an invoice or a deposit request can be credited.")
    document = Creditable(*row)
    return CreditOf(
        document, full_credit(_lines(_LINES_OF_INVOICE, invoice_id), show=writer_of_here())
    )


def issued_lines(lease_id: int) -> list[IssuedLine]:
    """Every invoice line of a lease, with what was credited of it."""
    return _lines(_LINES_OF_LEASE, lease_id)


def documents(invoice_ids: Sequence[int]) -> dict[int, Creditable]:
    """Documents by their id."""
    rows = db.session.execute(_DOCUMENT.where(_i.c.id.in_(invoice_ids)))
    return {row.id: Creditable(*row) for row in rows}


def _lines(statement: Select[Any], key: int) -> list[IssuedLine]:
    rows = db.session.execute(statement, {"id": key})
    return [IssuedLine._make((*row[:12], Taxed(int(row[12]), int(row[13])))) for row in rows]


def credit_invoice(
    invoice_id: int,
    reason: str,
    *,
    today: date,
    actor: Actor,
    amounts: Mapping[int, int] | None = None,
) -> Issued:
    """Take back an invoice or deposit request, or a part of it, by a credit note of its own.

    All that is left, or of each line named by its id an amount as the line was agreed (net, or
    gross). What was paid of it becomes the lease's credit. Must be inside a write. Raises Refused
    without a reason, when nothing is left to credit, or more than is left of a line.
    """
    if not reason.strip():
        raise Refused("Say why it is credited; the reason is printed.", "reason")
    credit = creditable(invoice_id)
    if not credit.lines:
        raise Refused(f"{credit.document.number} is credited in full already.")
    if amounts is not None:
        lines = part_credit([line.of for line in credit.lines], amounts, show=writer_of_here())
        if not lines:
            raise Refused("Say how much of which line is credited.")
        credit = CreditOf(credit.document, lines)
    (note,) = issue_credit_notes([credit], reason.strip(), today=today, actor=actor)
    return note


def issue_credit_notes(
    credits: Sequence[CreditOf], reason: str, *, today: date, actor: Actor
) -> list[Issued]:
    """One credit note for each document, with its entries; paid parts are released first.

    Raises Refused for what was written off or withheld.
    """
    refuse_what_is_settled_otherwise(credits)
    notes = issue("credit_note", [_draft(c, reason, today) for c in credits], today, actor=actor)
    for credit, note in zip(credits, notes, strict=True):
        _settle(credit, note, actor)
        after = {"credit_note": note.number, "total": note.total, "reason": reason}
        name = credit.document.number
        audit.record("credited", "invoices", credit.document.id, name, after=after)
    return notes


def refuse_what_is_settled_otherwise(credits: Iterable[CreditOf]) -> None:
    """Raises Refused where a part to be credited was written off or withheld from the deposit.

    Only what was paid can become credit.
    """
    released = {credit.document.id: credit for credit in credits if credit.released}
    paid = paid_of(released) if released else {}
    for invoice_id, credit in released.items():
        if credit.released > paid.get(invoice_id, 0):
            raise Refused(
                f"Of {credit.document.number} some was written off or withheld from the deposit. "
                "Take that back first, then credit it."
            )


def _settle(credit: CreditOf, note: Issued, actor: Actor) -> None:
    document = credit.document
    if credit.released:
        release(document.id, credit.released, note.issue_date, actor=actor)
    about = Concerning(document.lease_id, document.property_id, document.id)
    text = f"{note.number} credits {document.number}"
    if document.kind == "deposit_request":
        event, amounts = "credit_note_of_deposit", {"amount": note.total}
    else:
        event, amounts = "credit_note", {"net": note.net, "tax": note.tax}
    post(event, note.issue_date, about, actor=actor, explanation=text, **amounts)
    change_open({document.id: -note.total})


def _draft(credit: CreditOf, reason: str, today: date) -> Draft:
    dated = credit.document.kind != "deposit_request"
    lines = [_draft_line(line, dated) for line in credit.lines]
    first = min(line.first_day for line in credit.lines) if dated else None
    last = max(line.last_day for line in credit.lines) if dated else None
    document = credit.document
    return Draft(
        document.lease_id, today, first, last, lines, refers_to_id=document.id, reason=reason
    )


def _draft_line(line: CreditLine, dated: bool) -> DraftLine:
    source = line.of
    return DraftLine(
        source.charge_id or None,
        source.kind,
        source.description,
        line.first_day if dated else None,
        line.last_day if dated else None,
        line.net,
        source.tax_rate,
        line.tax,
        source.gross,
        source.period_amount,
        line.explanation,
        source.line_id,
    )
