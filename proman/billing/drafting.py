"""Prepares an invoice: written down, changed at will, then issued as one or discarded."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import selectinload

from proman.base.errors import NotThere, Refused
from proman.billing.actions import run_billing
from proman.billing.draft_models import InvoiceDraft, InvoiceDraftLine
from proman.billing.issuing import Issued
from proman.billing.models import Invoice, InvoiceLine
from proman.billing.previewing import charge_terms
from proman.billing.queries import writer_of_here
from proman.billing.rules import PlannedInvoice, plan
from proman.db import db
from proman.identity.actor import Actor
from proman.leases.actions import NewCharge, add_charge, check_rate
from proman.leases.models import Charge, Lease
from proman.leases.queries import the_lease
from proman.leases.rules import LeaseStatus, LeaseTerms, Recurrence

_drafts: Any = InvoiceDraft.__table__
_lines: Any = InvoiceDraftLine.__table__
_leases: Any = Lease.__table__
_SENT_TWICE_WITHIN = timedelta(minutes=1)

_LIST = (
    select(
        _drafts.c.id,
        _drafts.c.lease_id,
        _leases.c.reference,
        _drafts.c.due_on,
        _drafts.c.recorded_at,
        func.count(_lines.c.id).label("lines"),
        func.sum(_lines.c.amount).label("amount"),
        func.min(_lines.c.description).label("first"),
    )
    .join(_lines, _lines.c.draft_id == _drafts.c.id)
    .join(_leases, _leases.c.id == _drafts.c.lease_id)
    .where(_drafts.c.organization_id == bindparam("organization_id"))
    .group_by(
        _drafts.c.id,
        _drafts.c.lease_id,
        _leases.c.reference,
        _drafts.c.due_on,
        _drafts.c.recorded_at,
    )
    .order_by(_drafts.c.due_on, _drafts.c.id)
    .limit(200)
)


def drafts() -> Sequence[Row[Any]]:
    """The drafts there are, at most 200, the one that is due first in front."""
    return db.session.execute(_LIST).all()


def the_draft(draft_id: int) -> InvoiceDraft:
    """A draft with its lines. Raises NotThere once it was issued or discarded."""
    statement = select(InvoiceDraft).where(InvoiceDraft.id == draft_id)
    found = db.session.scalars(statement.options(selectinload(InvoiceDraft.lines))).one_or_none()
    if found is None:
        raise NotThere("This draft does not exist any more: it was issued or discarded.")
    return found


def write_draft(
    draft: InvoiceDraft, lease_id: int, due_on: date, lines: Sequence[NewCharge], *, actor: Actor
) -> InvoiceDraft:
    """Put down what a draft says, instead of what it said. Must be inside a write.

    Raises NotThere for the lease, and Refused without a line, and for a line of nothing.
    """
    the_lease(lease_id)
    if not lines:
        raise Refused("Say what is charged.", "lines")
    for place, line in enumerate(lines):
        if line.amount <= 0:
            raise Refused("The amount must be more than nil.", f"lines-{place}-amount")
        check_rate(line.tax_rate, f"lines-{place}-tax_rate")
    draft.lease_id, draft.due_on, draft.recorded_by = lease_id, due_on, actor.id
    draft.lines.clear()
    db.session.add(draft)
    db.session.flush()
    draft.lines = [
        InvoiceDraftLine(
            position=position,
            kind=line.kind,
            description=line.description,
            amount=line.amount,
            tax_rate=line.tax_rate,
            gross=line.gross,
        )
        for position, line in enumerate(lines, 1)
    ]
    db.session.flush()
    return draft


def refuse_twice(lease_id: int, due_on: date, lines: Sequence[NewCharge], now: datetime) -> None:
    """A new form that was sent twice makes one draft or invoice, not two. Must be inside a write.

    Raises Refused where the same lines, due on the same day, were kept or issued for the lease
    within the minute before `now`; two alike that are meant can follow after it.
    """
    since = now - _SENT_TWICE_WITHIN
    kept = select(InvoiceDraft).where(
        InvoiceDraft.lease_id == lease_id,
        InvoiceDraft.due_on == due_on,
        InvoiceDraft.recorded_at >= since,
    )
    for draft in db.session.scalars(kept.options(selectinload(InvoiceDraft.lines))):
        if _said(draft.lines) == _said(lines):
            raise Refused("This draft was kept a moment ago already; it is among the drafts.")
    issued = (
        select(Invoice.number, Charge)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(Charge, Charge.id == InvoiceLine.charge_id)
        .where(
            Charge.lease_id == lease_id,
            Charge.recurrence == Recurrence.AT_ONCE,
            Charge.first_day == due_on,
            Charge.recorded_at >= since,
        )
    )
    by_number: dict[str | None, list[Charge]] = defaultdict(list)
    for number, charge in db.session.execute(issued):
        by_number[number].append(charge)
    for number, charges in by_number.items():
        # What waited beside it stands on the same invoice.
        if _said(lines) <= _said(charges):
            raise Refused(f"This was issued a moment ago already: {number}.")


def _said(lines: Iterable[Any]) -> Counter[tuple[Any, ...]]:
    return Counter(
        (line.kind, line.description, line.amount, line.tax_rate, line.gross) for line in lines
    )


def issue_draft(draft: InvoiceDraft, *, today: date, actor: Actor) -> list[Issued]:
    """Issue it as an invoice dated today, or later where the series is; the draft is gone then.

    What else of the lease waits to be invoiced at once is issued with it: on the same invoice
    where it is due on the same day. Must be inside a write. Raises Refused for a lease that is
    still a draft.
    """
    lease = the_lease(draft.lease_id)
    if lease.status == LeaseStatus.DRAFT:
        raise Refused("The lease is still a draft. Activate it first, then issue the invoice.")
    for charge in charges_of(draft.lines, draft.due_on):
        add_charge(lease, charge, today=today, actor=actor)
    discard_draft(draft)
    result = run_billing(today, today=today, actor=actor, lease_ids=[lease.id], at_once_only=True)
    return list(result.issued)


def discard_draft(draft: InvoiceDraft) -> None:
    """Forget it; the audit trail keeps what it said. Must be inside a write."""
    db.session.delete(draft)
    db.session.flush()


def charges_of(lines: Sequence[Any], due_on: date) -> list[NewCharge]:
    """Lines as charges that are invoiced at once and due on that day."""
    return [
        NewCharge(
            line.kind,
            line.description,
            line.amount,
            due_on,
            tax_rate=line.tax_rate,
            gross=line.gross,
            recurrence=Recurrence.AT_ONCE,
        )
        for line in lines
    ]


def preview_draft(lease: Lease, charges: Sequence[NewCharge], today: date) -> PlannedInvoice | None:
    """The invoice that would come of it, with its tax; None of nothing."""
    terms = LeaseTerms(lease.id, lease.first_day)
    planned = [charge_terms(place, one) for place, one in enumerate(charges, 1)]
    terms = replace(terms, charges=tuple(planned))
    found = plan(terms, as_of=today, show=writer_of_here()).invoices
    return found[0] if found else None
