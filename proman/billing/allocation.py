"""Turns a lease's credit into paid invoices and back, and keeps `invoices.open` exact."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Table, bindparam, insert, update

from proman.billing import credit, settling
from proman.billing.credit import OpenDocument
from proman.billing.models import Allocation, DepositEvent, Invoice
from proman.billing.settling import DEPOSIT_REQUEST, OpenItem, Step
from proman.db import db, utc_now
from proman.identity.actor import Actor
from proman.ledger import actions as ledger
from proman.ledger import queries as journal
from proman.ledger.locking import first_open

_i: Table = Invoice.__table__  # type: ignore[assignment]
_a: Table = Allocation.__table__  # type: ignore[assignment]
_d: Table = DepositEvent.__table__  # type: ignore[assignment]

_CHANGE_OPEN = (
    update(_i)
    .where(_i.c.id == bindparam("b_id"), _i.c.organization_id == bindparam("of_organization"))
    .values(open=_i.c.open + bindparam("b_change"))
)


def allocate_credit(
    lease_id: int,
    *,
    actor: Actor,
    payment_id: int | None = None,
    wanted: Mapping[int, int] | None = None,
) -> list[Step]:
    """Put a lease's credit against its open documents; returns what was done.

    With `payment_id` only what is left of that payment. Oldest due date first, or `wanted`: an
    amount for each invoice id, the only way to fill a deposit request. Raises Refused (see
    `settling.by_hand`).
    """
    sources = [
        source
        for source in credit.credit_sources([lease_id], unused=True).get(lease_id, [])
        if payment_id is None or source.payment_id == payment_id
    ]
    documents = credit.open_documents(lease_id)
    steps = settling.put(sources, credit.open_items(documents), wanted)
    _allocate(steps, documents, actor)
    return steps


def allocate_to_new(new: Iterable[tuple[int, int]], *, actor: Actor) -> int:
    """Let new invoices use the credit of their leases; returns how many allocations were made.

    `new` are pairs of invoice id and lease id, all from one billing run or act. What was left open
    on purpose before stays open.
    """
    with_credit = journal.leases_with_credit()
    chosen = [(invoice_id, lease_id) for invoice_id, lease_id in new if lease_id in with_credit]
    if not chosen:
        return 0
    documents = credit.documents_by_id([invoice_id for invoice_id, _ in chosen])
    items: dict[int, list[OpenItem]] = defaultdict(list)
    for document, item in zip(documents, credit.open_items(documents), strict=True):
        items[document.lease_id].append(item)
    steps: list[Step] = []
    for lease_id, sources in credit.credit_sources(items.keys(), unused=True).items():
        steps += settling.oldest_first(sources, items[lease_id])
    _allocate(steps, documents, actor)
    return len(steps)


def allocate_as_decided(steps: Sequence[Step], *, actor: Actor) -> None:
    """Carry out allocations that were decided before, of many leases in one stroke.

    Each takes credit of its lease that is there on its day; the database refuses more than is
    open.
    """
    documents = credit.documents_by_id({step.invoice_id for step in steps})
    _allocate(steps, documents, actor)


def release(invoice_id: int, amount: int, on: date, *, actor: Actor) -> list[Step]:
    """Turn some of what was paid of a document into credit again, the newest allocation first.

    For a credit note beyond what is open: afterwards `amount` more of the document is open.
    Raises ValueError when less than that was allocated to it.
    """
    steps = settling.newest_first(credit.standing_on(invoice_id), amount, on)
    _release(steps, actor)
    return steps


def release_payment(payment_id: int, on: date, *, actor: Actor) -> list[Step]:
    """Take back every allocation of a payment that stands; all of it is credit again."""
    steps = [settling.released(paid, paid.amount, on) for paid in credit.standing_of(payment_id)]
    _release(steps, actor)
    return steps


def release_allocation(allocation_id: int, on: date, *, actor: Actor) -> list[Step]:
    """Take back what stands of one allocation, so that the manager can put it elsewhere."""
    found = credit.standing_as(allocation_id)
    steps = [settling.released(paid, paid.amount, on) for paid in found]
    _release(steps, actor)
    return steps


def change_open(changes: Mapping[int, int]) -> None:
    """Raise (above nil) or lower what is open of documents; the database refuses less than nil."""
    rows = [{"b_id": key, "b_change": change} for key, change in changes.items() if change]
    if rows:
        db.session.execute(_CHANGE_OPEN, rows)
    for entity in db.session.identity_map.values():
        if isinstance(entity, Invoice) and entity.id in changes:
            db.session.expire(entity, ["open"])


def _allocate(steps: Sequence[Step], documents: Iterable[OpenDocument], actor: Actor) -> None:
    places = {document.id: (document.lease_id, document.property_id) for document in documents}
    _carry_out(steps, places, actor, sign=1)


def _release(steps: Sequence[Step], actor: Actor) -> None:
    documents = credit.documents_by_id({step.invoice_id for step in steps})
    places = {document.id: (document.lease_id, document.property_id) for document in documents}
    _carry_out(steps, places, actor, sign=-1)


def _carry_out(
    steps: Sequence[Step], places: Mapping[int, tuple[int, int]], actor: Actor, *, sign: int
) -> None:
    """Write allocations (sign 1) or releases (-1): rows, entries, deposits, open amounts.

    What would be dated in a period whose books are locked is dated on the first day after it.
    """
    if not steps:
        return
    day = first_open(min(step.effective_on for step in steps))
    steps = [step._replace(effective_on=max(step.effective_on, day)) for step in steps]
    rows = [_row(step, places[step.invoice_id][0], actor, sign) for step in steps]
    db.session.execute(insert(_a), rows)
    ledger.post_many([_event(step, places[step.invoice_id], sign) for step in steps], actor=actor)
    deposits = [row for step, row in zip(steps, rows, strict=True) if step.kind == DEPOSIT_REQUEST]
    if deposits:
        db.session.execute(insert(_d), [_deposit_row(row) for row in deposits])
    changes: dict[int, int] = defaultdict(int)
    for step in steps:
        changes[step.invoice_id] -= sign * step.amount
    change_open(changes)


def _row(step: Step, lease_id: int, actor: Actor, sign: int) -> dict[str, Any]:
    return {
        "lease_id": lease_id,
        "payment_id": step.payment_id,
        "invoice_id": step.invoice_id,
        "amount": sign * step.amount,
        "effective_on": step.effective_on,
        "reverses_id": step.reverses_id,
        "recorded_at": utc_now(),
        "recorded_by": actor.id,
    }


def _event(step: Step, place: tuple[int, int], sign: int) -> ledger.Event:
    name = "allocation" if sign > 0 else "release"
    if step.kind == DEPOSIT_REQUEST:
        name += "_to_deposit" if sign > 0 else "_of_deposit"
    about = ledger.Concerning(*place, step.invoice_id, step.payment_id)
    return ledger.Event(name, step.effective_on, {"amount": step.amount}, about)


def _deposit_row(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("lease_id", "payment_id", "invoice_id", "amount", "recorded_at", "recorded_by")
    return {"event": "received", "happened_on": row["effective_on"], **{k: row[k] for k in kept}}
