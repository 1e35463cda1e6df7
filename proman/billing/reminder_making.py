"""Makes reminders, each once a day and lease, and says when and with which words they are made."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import select

from proman.base.errors import Refused
from proman.billing.manner import Manner
from proman.billing.parties import addressees, issuer_of_today
from proman.billing.reminder_models import Reminder, ReminderItem, ReminderLevel
from proman.billing.reminder_queries import letters_due, levels
from proman.billing.reminding import Letter, Level, check_order, filled_in
from proman.billing.snapshots import Issuer, Recipient
from proman.db import db, utc_now
from proman.identity.actor import Actor

MOST_AT_ONCE = 500


def set_levels(levels: Sequence[Level]) -> None:
    """Remind in these steps from now on; an empty list reminds nobody.

    What was made stays as it was. Must be inside a write. Raises Refused where one does not come
    later than the one before.
    """
    check_order(levels)
    rows = {row.level: row for row in db.session.scalars(select(ReminderLevel))}
    for level in levels:
        row = rows.pop(level.level, None)
        if row is None:
            row = ReminderLevel(level=level.level)
            db.session.add(row)
        for key in ("days", "pay_within", "minimum", "title", "text"):
            setattr(row, key, getattr(level, key))
    for row in rows.values():
        db.session.delete(row)
    db.session.flush()


def make_reminders(lease_ids: Collection[int], *, today: date, actor: Actor) -> list[Reminder]:
    """Make today's reminders of the leases chosen that have come to one; the others get none.

    Must be inside a write: who makes them at the same time finds them made. Raises Refused for
    more than a file can hold.
    """
    wanted = set(lease_ids)
    letters = [letter for letter in letters_due(today, levels()) if letter.lease_id in wanted]
    letters = _not_made_today(letters, today)
    if len(letters) > MOST_AT_ONCE:
        raise Refused(f"{len(letters)} reminders at once; choose at most {MOST_AT_ONCE}.")
    issuer, currency = issuer_of_today()
    to = addressees([letter.lease_id for letter in letters], today)
    made = [
        _reminder(letter, issuer, to[letter.lease_id].recipient, currency, today, actor)
        for letter in letters
    ]
    db.session.add_all(made)
    db.session.flush()
    for reminder, letter in zip(made, letters, strict=True):
        db.session.add_all(
            ReminderItem(
                reminder_id=reminder.id,
                invoice_id=item.invoice_id,
                level=item.level,
                open=item.open,
            )
            for item in letter.items
        )
    db.session.flush()
    return made


def _not_made_today(letters: Sequence[Letter], today: date) -> list[Letter]:
    """A document that became overdue since waits for the next day: one letter a day is enough."""
    statement = select(Reminder.lease_id).where(Reminder.made_on == today)
    done = set(db.session.scalars(statement))
    return [letter for letter in letters if letter.lease_id not in done]


def _reminder(
    letter: Letter,
    issuer: Issuer,
    recipient: Recipient,
    currency: str,
    today: date,
    actor: Actor,
) -> Reminder:
    manner = Manner(issuer["locale"], currency)
    pay_by = today + timedelta(days=letter.level.pay_within)
    values = {
        "names": ", ".join(recipient["names"]),
        "total": manner.money(letter.total),
        "pay_by": manner.day(pay_by),
        "reference": recipient["lease_reference"],
    }
    return Reminder(
        lease_id=letter.lease_id,
        level=letter.level.level,
        made_on=today,
        pay_by=pay_by,
        total=letter.total,
        currency=currency,
        title=letter.level.title,
        text=filled_in(letter.level.text, values),
        issuer=issuer,
        recipient=recipient,
        recorded_at=utc_now(),
        recorded_by=actor.id,
    )
