"""Owns the sent-list: what is to be mailed, was mailed, printed, or sent by hand, and to whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from proman.base.errors import Refused
from proman.billing.invoice_page_queries import addresses_of
from proman.billing.models import Delivery, Invoice
from proman.db import db
from proman.identity import audit
from proman.identity.actor import Actor

MOST_IN_ONE_FILE = 500


@dataclass(slots=True)
class Queued:
    """What a request to mail came to: messages on their way, and who has no e-mail address."""

    messages: int = 0
    without_address: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What happened, and what is left to do."""
        said = (
            f"{self.messages} {'message is' if self.messages == 1 else 'messages are'} on the way."
        )
        if not self.without_address:
            return said
        shown = ", ".join(self.without_address[:5])
        more = len(self.without_address) - 5
        rest = f" and {more} more" if more > 0 else ""
        return f"{said} No e-mail address for {shown}{rest}: print them."


def deliverable(invoice_ids: Sequence[int]) -> dict[int, str]:
    """Number by id of the documents that can be delivered; an opening item is none."""
    found: dict[int, str] = {}
    for at in range(0, len(invoice_ids), 400):
        chunk = invoice_ids[at : at + 400]
        statement = select(Invoice.id, Invoice.number).where(
            Invoice.id.in_(chunk), Invoice.kind != "opening"
        )
        found.update(
            (row.id, row.number) for row in db.session.execute(statement.order_by(Invoice.id))
        )
    return found


def queue_mail(invoice_ids: Sequence[int], *, actor: Actor, now: datetime) -> Queued:
    """Ask for the mailing of documents, one message to each tenant who has an e-mail address.

    Raises Refused when nothing was chosen.
    """
    numbers = _chosen(invoice_ids)
    queued = Queued()
    for invoice_id, people in addresses_of(list(numbers)).items():
        addresses = dict.fromkeys(email for _, email in people if email)
        if not addresses:
            queued.without_address.append(numbers[invoice_id])
        for address in addresses:
            db.session.add(delivery("mail", address, "queued", actor, now, invoice_id=invoice_id))
            queued.messages += 1
    if queued.messages:
        _record("asked to mail", numbers, queued.messages)
    return queued


def printable(invoice_ids: Sequence[int]) -> list[int]:
    """The documents that one file can hold. Raises Refused for none, and for too many."""
    numbers = _chosen(invoice_ids)
    if len(numbers) > MOST_IN_ONE_FILE:
        raise Refused(
            f"{len(numbers)} documents are too many for one file. Choose at most"
            f" {MOST_IN_ONE_FILE}; nothing was recorded."
        )
    return list(numbers)


def record_printed(invoice_ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Record that documents were given out in one PDF. Raises Refused when nothing was chosen."""
    numbers = _chosen(invoice_ids)
    for invoice_id in numbers:
        db.session.add(delivery("pdf", "", "sent", actor, now, invoice_id=invoice_id))
    _record("printed", numbers, len(numbers))


def record_by_hand(invoice_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Record that somebody mailed the documents themselves. Raises Refused for none."""
    numbers = _chosen(invoice_ids)
    for invoice_id, people in addresses_of(list(numbers)).items():
        addresses = dict.fromkeys(email for _, email in people if email) or {"": None}
        for address in addresses:
            db.session.add(delivery("mail", address, "sent", actor, now, invoice_id=invoice_id))
    _record("mailed by hand", numbers, len(numbers))
    return len(numbers)


def _chosen(invoice_ids: Sequence[int]) -> dict[int, str]:
    numbers = deliverable(invoice_ids)
    if not numbers:
        raise Refused("Choose at least one document to deliver.")
    return numbers


def delivery(
    channel: str,
    address: str,
    status: str,
    actor: Actor,
    now: datetime,
    *,
    invoice_id: int | None = None,
    reminder_id: int | None = None,
) -> Delivery:
    """A line of the sent-list, of an invoice or of a reminder."""
    return Delivery(
        invoice_id=invoice_id,
        reminder_id=reminder_id,
        channel=channel,
        recipient=address,
        status=status,
        requested_at=now,
        requested_by=actor.id,
        finished_at=now if status == "sent" else None,
    )


def _record(action: str, numbers: dict[int, str], count: int) -> None:
    shown = ", ".join(list(numbers.values())[:20])
    more = f" and {len(numbers) - 20} more" if len(numbers) > 20 else ""
    audit.record(action, "deliveries", None, f"{count} documents", note=shown + more)
