"""Writes debts off and pays credit back, and takes both back again."""

from datetime import date

from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing import credit
from proman.billing.allocation import change_open
from proman.billing.credit import OpenDocument
from proman.billing.deposits import deposit_of
from proman.billing.models import Adjustment
from proman.billing.settling import available_from
from proman.db import db
from proman.identity.actor import Actor
from proman.ledger import actions as ledger
from proman.ledger.locking import require_open

WRITE_OFF, REFUND = "write_off", "refund"


def check_day_and_reason(on: date, today: date, reason: str) -> None:
    """Refuses a day in the future, one whose books are locked, and what has no reason."""
    if on > today:
        raise Refused("This day is in the future.", "on")
    require_open(on, "on")
    if not reason.strip():
        raise Refused("Say why.", "reason")


def document_to_settle(invoice_id: int) -> OpenDocument:
    """An invoice or opening balance of which something is open. Raises NotThere, or Refused."""
    found = credit.documents_by_id([invoice_id])
    if not found:
        raise NotThere("This invoice does not exist.")
    (document,) = found
    if document.kind not in ("invoice", "opening"):
        raise Refused("Only an invoice or an opening balance can be written off; credit this one.")
    if not document.open:
        raise Refused("Nothing of it is open any more.")
    return document


def check_open(document: OpenDocument, amount: int, on: date, field: str = "amount") -> None:
    """Refuses more than is open of a document, on that day and on each after it."""
    if amount <= 0:
        raise Refused("The amount must be more than nil.", field)
    if amount > document.open:
        raise Refused("That is more than is open.", field)
    (item,) = credit.open_items([document])
    if available_from(item.moves, amount) > on:
        raise Refused("On that day so much was not open yet.", "on")


def write_off(
    invoice_id: int, amount: int, on: date, reason: str, *, today: date, actor: Actor
) -> Adjustment:
    """Give up an amount of what is open of an invoice or opening balance: it is a loss.

    Minor units. The tax that was invoiced stays as it is. Must be inside a write. Raises NotThere,
    and Refused for a deposit request, more than is open, a day in the future, or no reason.
    """
    check_day_and_reason(on, today, reason)
    document = document_to_settle(invoice_id)
    check_open(document, amount, on)
    about = ledger.Concerning(document.lease_id, document.property_id, document.id)
    entry_id = ledger.post(
        WRITE_OFF, on, about, actor=actor, explanation=reason.strip(), amount=amount
    )
    change_open({document.id: -amount})
    return _keep(
        Adjustment(
            kind=WRITE_OFF,
            lease_id=document.lease_id,
            invoice_id=document.id,
            happened_on=on,
            amount=amount,
            note=reason.strip(),
            entry_id=entry_id,
            recorded_by=actor.id,
        )
    )


def refund(
    lease_id: int, amount: int, on: date, reason: str, *, today: date, actor: Actor
) -> list[Adjustment]:
    """Pay unused credit of a lease back to its tenants, the oldest first.

    Minor units; one row for each payment that the credit came with. Must be inside a write. Raises
    NotThere, and Refused for more than there is on that day, a day in the future, or no reason.
    """
    check_day_and_reason(on, today, reason)
    if amount <= 0:
        raise Refused("The amount must be more than nil.", "amount")
    property_id = deposit_of(lease_id).property_id
    sources = credit.credit_sources([lease_id], unused=True).get(lease_id, [])
    if amount > sum(source.left for source in sources):
        raise Refused("That is more than the lease has in credit.", "amount")
    made = []
    for source in sorted(sources, key=lambda each: (each.moves[0].day, each.payment_id or 0)):
        share = min(amount, source.left)
        if share <= 0:
            continue
        if available_from(source.moves, share) > on:
            raise Refused("On that day there was not so much credit yet.", "on")
        amount -= share
        about = ledger.Concerning(lease_id, property_id, payment_id=source.payment_id)
        entry_id = ledger.post(
            REFUND, on, about, actor=actor, explanation=reason.strip(), amount=share
        )
        row = Adjustment(
            kind=REFUND,
            lease_id=lease_id,
            payment_id=source.payment_id,
            happened_on=on,
            amount=share,
            note=reason.strip(),
            entry_id=entry_id,
            recorded_by=actor.id,
        )
        made.append(_keep(row))
    return made


def take_back(
    adjustment_id: int, on: date, reason: str, *, today: date, actor: Actor
) -> Adjustment:
    """Reverse a write-off (the amount is open again) or a refund (it is credit again).

    Must be inside a write. Raises NotThere, and Refused when it was taken back already, for a day
    before its own or in the future, or without a reason.
    """
    made = db.session.scalars(select(Adjustment).where(Adjustment.id == adjustment_id)).first()
    if made is None or made.reverses_id is not None:
        raise NotThere("There is no such write-off or refund.")
    reversal = select(Adjustment.id).where(Adjustment.reverses_id == made.id)
    if db.session.scalar(reversal) is not None:
        raise Refused("This was taken back already.")
    check_day_and_reason(on, today, reason)
    if on < made.happened_on:
        raise Refused("It cannot be taken back before it happened.", "on")
    event = f"{made.kind}_reversal"
    entry_id = ledger.reverse(
        made.entry_id, on, event=event, actor=actor, explanation=reason.strip()
    )
    if made.invoice_id is not None:
        change_open({made.invoice_id: made.amount})
    return _keep(
        Adjustment(
            kind=made.kind,
            lease_id=made.lease_id,
            invoice_id=made.invoice_id,
            payment_id=made.payment_id,
            happened_on=on,
            amount=-made.amount,
            note=reason.strip(),
            entry_id=entry_id,
            reverses_id=made.id,
            recorded_by=actor.id,
        )
    )


def _keep(row: Adjustment) -> Adjustment:
    db.session.add(row)
    db.session.flush()
    return row
