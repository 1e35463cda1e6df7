"""Puts reminders on the sent-list: to be mailed, or given out in one PDF."""

from collections.abc import Collection
from datetime import datetime

from proman.base.errors import Refused
from proman.billing.deliveries import Queued, delivery
from proman.billing.reminder_queries import addresses_of_reminders, reminders_by_id
from proman.db import db
from proman.identity import audit
from proman.identity.actor import Actor


def queue_reminders(ids: Collection[int], *, actor: Actor, now: datetime) -> Queued:
    """Ask for the mailing of reminders, one message to each tenant who has an e-mail address.

    Raises Refused when there is none of them.
    """
    reminders = reminders_by_id(ids)
    if not reminders:
        raise Refused("Choose at least one reminder to deliver.")
    queued = Queued()
    for key, addresses in addresses_of_reminders(list(reminders)).items():
        if not addresses:
            recipient = reminders[key].recipient
            names = ", ".join(recipient["names"]) or recipient["lease_reference"]
            queued.without_address.append(names)
        for address in addresses:
            db.session.add(delivery("mail", address, "queued", actor, now, reminder_id=key))
            queued.messages += 1
    if queued.messages:
        note = f"{queued.messages} messages"
        audit.record("asked to mail", "reminders", None, f"{len(reminders)} reminders", note=note)
    return queued


def record_reminders_printed(ids: Collection[int], *, actor: Actor, now: datetime) -> None:
    """Record that reminders were given out in one PDF."""
    db.session.add_all(delivery("pdf", "", "sent", actor, now, reminder_id=key) for key in ids)
    audit.record("printed", "reminders", None, f"{len(ids)} reminders")
