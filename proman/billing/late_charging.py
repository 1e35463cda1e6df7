"""Charges late invoices what the facts say, and takes back what they say no more.

A fee is an invoice of its own. Waiving one is crediting that invoice, with a reason, as any other.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Table, insert

from proman.base.errors import Refused
from proman.billing.allocation import allocate_to_new
from proman.billing.corrections import part_credit
from proman.billing.crediting import (
    CreditOf,
    creditable,
    issue_credit_notes,
    refuse_what_is_settled_otherwise,
)
from proman.billing.issuing import Draft, DraftLine, Issued, issue
from proman.billing.late import LatePolicy
from proman.billing.late_queries import Late, decisions, late_invoices
from proman.billing.models import LateFee, LateFeePolicy
from proman.billing.queries import writer_of_here
from proman.billing.rules import day_text
from proman.billing.settling import LATE_FEE
from proman.db import db, utc_now
from proman.identity import audit
from proman.identity.actor import Actor
from proman.ledger.actions import Concerning, Event, post_many

_fees: Table = LateFee.__table__  # type: ignore[assignment]


class Charged(NamedTuple):
    """What a run charged and took back."""

    fees: Sequence[Issued]
    credit_notes: Sequence[Issued]


def decide(policy: LatePolicy | None, *, today: date, actor: Actor) -> LateFeePolicy:
    """How invoices due from today on are charged when late; None: not at all.

    Invoices that were due before keep what held then. Must be inside a write. Raises Refused
    for what holds already.
    """
    values = {"kind": "off", "grace_days": 0, "flat": 0, "rate": 0, "minimum": 0, "cap": 0}
    row = LateFeePolicy(due_from=today, daily=False, recorded_by=actor.id, **values)
    if policy is not None:
        row.kind = "flat" if policy.flat else "percent"
        for name in ("grace_days", "flat", "rate", "minimum", "cap", "daily"):
            setattr(row, name, getattr(policy, name))
    before = next(iter(decisions()), None)
    if _terms(before) == _terms(row):
        raise Refused("This holds already.")
    db.session.add(row)
    db.session.flush()
    return row


def _terms(row: LateFeePolicy | None) -> tuple[object, ...]:
    if row is None or row.kind == "off":
        return ()
    return (row.grace_days, row.flat, row.rate, row.minimum, row.cap, row.daily)


def charge_late_invoices(*, today: date, actor: Actor) -> Charged:
    """Bring every late invoice's fees to what the facts say today.

    However often, and after however many days, it is run: the sum is the same. What was waived is
    not charged again. Must be inside a write.
    """
    found = late_invoices(today)
    fees = _charge([each for each in found if each.change.amount > 0], today, actor)
    notes = []
    for late in found:
        if late.change.amount < 0:
            notes += _take_back(late, today, actor)
    return Charged(fees, notes)


def _charge(found: Sequence[Late], today: date, actor: Actor) -> Sequence[Issued]:
    if not found:
        return ()
    issued = issue("invoice", [_draft(late, today) for late in found], today, actor=actor)
    events = [
        Event(
            "invoice",
            fee.issue_date,
            {"net": fee.net, "tax": fee.tax},
            Concerning(fee.lease_id, fee.property_id, fee.id),
        )
        for fee in issued
    ]
    post_many(events, actor=actor)
    for late, fee in zip(found, issued, strict=True):
        _remember(late, 1, fee.id, fee.total)
    allocate_to_new([(fee.id, fee.lease_id) for fee in issued], actor=actor)
    after = {"issued": len(issued), "total": sum(fee.total for fee in issued)}
    audit.record("charged", "late_fees", None, f"as of {day_text(today)}", after=after)
    return issued


def _draft(late: Late, today: date) -> Draft:
    change, before = late.change, sum(amount for _, amount, _ in late.charged)
    first = change.fee.stretches[0].first
    last = change.fee.stretches[-1].last
    text = change.fee.formula
    if late.charged:
        show = writer_of_here()
        first = min(last, max(first, max(day for _, _, day in late.charged) + timedelta(days=1)))
        text += f"; less {show(before)} charged before = {show(change.amount)}"
    line = DraftLine(
        None, LATE_FEE, f"Late fee for {late.number}, due {day_text(late.due_date)}",
        first, last, change.amount, 0, 0, False, change.amount, text,
    )  # fmt: skip
    return Draft(late.lease_id, today, first, last, [line])


def _take_back(late: Late, today: date, actor: Actor) -> list[Issued]:
    """Credit the fees that are wrong by now, the newest first; what was waived already is enough.

    A fee that was written off, or settled from the deposit, stays until that is taken back.
    """
    left, notes, show = -late.change.amount, [], writer_of_here()
    reason = f"{late.number}: by what is known now, {late.change.fee.formula or 'no late fee'}"
    for document_id in [document for document, amount, _ in late.charged[::-1] if amount > 0]:
        whole = creditable(document_id)
        amount = min(left, whole.total)
        if amount <= 0:
            continue
        (line,) = [each.of for each in whole.lines]
        credit = CreditOf(whole.document, part_credit([line], {line.line_id: amount}, show=show))
        try:
            refuse_what_is_settled_otherwise([credit])
        except Refused:
            continue
        (note,) = issue_credit_notes([credit], reason, today=today, actor=actor)
        notes.append(note)
        _remember(late, len(notes), note.id, -amount)
        left -= amount
    return notes


def _remember(late: Late, more: int, document_id: int, amount: int) -> None:
    values = {
        "organization_id": db.session.info["organization_id"],
        "invoice_id": late.invoice_id,
        "sequence": len(late.charged) + more,
        "document_id": document_id,
        "amount": amount,
        "through": late.change.through,
        "recorded_at": utc_now(),
    }
    db.session.execute(insert(_fees).values(**values))
