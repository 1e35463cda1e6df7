"""Reads which invoices are or were late, what moved them, and what they were charged so far."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Table, bindparam, exists, func, or_, select

from proman.billing.late import Change, LateInvoice, LatePolicy, Settled, change_due
from proman.billing.models import Invoice, InvoiceLine, LateFee, LateFeePolicy
from proman.billing.queries import writer_of_here
from proman.billing.reckoning import Show
from proman.billing.settling import FEES, Move
from proman.db import db
from proman.ledger.models import Entry, Posting
from proman.ledger.queries import in_chunks, open_movements

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = InvoiceLine.__table__  # type: ignore[assignment]
_f: Table = LateFee.__table__  # type: ignore[assignment]
_e: Table = Entry.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]

_HERE: BindParameter[Any] = bindparam("organization_id")
_SETTLED_LATE = (
    exists()
    .where(_p.c.invoice_id == _i.c.id, _p.c.account == "receivable", _p.c.credit > 0)
    .where(_e.c.id == _p.c.entry_id, _e.c.effective_on > _i.c.due_date)
)
_CHARGED = exists().where(_f.c.invoice_id == _i.c.id)
_FEE_PART = (
    select(func.coalesce(func.sum(_l.c.net + _l.c.tax), 0))
    .where(_l.c.invoice_id == _i.c.id, _l.c.kind.in_(sorted(FEES)))
    .correlate(_i)
    .scalar_subquery()
)
# What is paid by now may have been open when grace ended, and what was charged may be wrong by now.
_LATE = (
    select(
        _i.c.id,
        _i.c.number,
        _i.c.lease_id,
        _i.c.property_id,
        _i.c.due_date,
        _i.c.issue_date,
        _FEE_PART.label("fee_part"),
    )
    .where(
        _i.c.organization_id == _HERE,
        _i.c.kind == "invoice",
        _i.c.due_date >= bindparam("since"),
        _i.c.due_date < bindparam("day"),
        or_(_i.c.open > 0, _SETTLED_LATE, _CHARGED),
    )
    .order_by(_i.c.due_date, _i.c.id)
)
_CHARGES = (
    select(_f.c.invoice_id, _f.c.document_id, _f.c.amount, _f.c.through)
    .where(
        _f.c.organization_id == _HERE,
        _f.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)),
    )
    .order_by(_f.c.invoice_id, _f.c.sequence)
)


class Late(NamedTuple):
    """A late invoice for which a run has something to do, and what was charged for it so far."""

    invoice_id: int
    number: str
    lease_id: int
    property_id: int
    due_date: date
    policy: LatePolicy
    charged: tuple[tuple[int, int, date], ...]
    """Document, amount and the day up to which it was reckoned, in their order."""
    change: Change


def decisions() -> list[LateFeePolicy]:
    """Every decision how late invoices are charged, the newest first."""
    return list(db.session.scalars(select(LateFeePolicy).order_by(LateFeePolicy.id.desc())))


def policy_for(due: date, decided: Iterable[LateFeePolicy]) -> LatePolicy | None:
    """What holds for an invoice due on a day, of decisions with the newest first; None: no fee."""
    row = next((each for each in decided if each.due_from <= due), None)
    if row is None or row.kind == "off":
        return None
    return LatePolicy(row.grace_days, row.flat, row.rate, row.minimum, row.cap, row.daily)


def late_invoices(day: date, show: Show | None = None) -> list[Late]:
    """Every invoice whose fees differ on a day from what was charged: due date, then id.

    `show` writes the amounts of formulas; None: in the manner of the organization at work.
    """
    decided = decisions()
    if all(each.kind == "off" for each in decided):
        return []
    since = min(each.due_from for each in decided if each.kind != "off")
    rows = [
        (row, policy)
        for row in db.session.execute(_LATE, {"since": since, "day": day})
        if (policy := policy_for(row.due_date, decided)) is not None
    ]
    ids = [row.id for row, _ in rows]
    moves, charged = open_movements(ids), _charges(ids)
    show = show or writer_of_here()
    found = []
    for row, policy in rows:
        own = tuple(charged.get(row.id, ()))
        facts = LateInvoice(
            row.due_date,
            row.issue_date,
            tuple(Move(*move) for move in moves.get(row.id, ())),
            int(row.fee_part),
        )
        change = change_due(policy, facts, _settled(own), day, show=show)
        if change is not None:
            place = (row.id, row.number, row.lease_id, row.property_id, row.due_date)
            found.append(Late(*place, policy, own, change))
    return found


def _settled(charged: tuple[tuple[int, int, date], ...]) -> Settled:
    through = max((day for _, _, day in charged), default=None)
    return Settled(sum(amount for _, amount, _ in charged), through)


def _charges(ids: Collection[int]) -> Mapping[int, list[tuple[int, int, date]]]:
    found: dict[int, list[tuple[int, int, date]]] = defaultdict(list)
    for chunk in in_chunks(ids):
        for invoice_id, *charge in db.session.execute(_CHARGES, {"invoice_ids": chunk}):
            found[invoice_id].append((charge[0], charge[1], charge[2]))
    return found
