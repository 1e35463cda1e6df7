"""Owns the mailing of documents, apart from the requests that asked for it.

One that is interrupted on its way to the mail server is shown as failed, because it may have
arrived: it is never sent twice unasked.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from threading import Lock, Thread
from typing import NamedTuple

from flask import Flask, current_app, render_template
from sqlalchemy import select, update

from proman import logs
from proman.billing.document import InvoiceDocument
from proman.billing.document_queries import documents_by_id
from proman.billing.letter import heading, invoices_pdf, payment_rows, payment_sentence
from proman.billing.manner import Manner
from proman.billing.models import Delivery
from proman.billing.reminder_letter import file_name as reminder_file
from proman.billing.reminder_letter import mail_of, reminders_pdf
from proman.billing.reminder_queries import ReminderDocument, reminders_by_id
from proman.db import begin_write, db, utc_now
from proman.identity.models import Organization
from proman.identity.session import acting_for, today_in
from proman.settings import Settings
from proman.web.mail import Attachment, Connection, MailServer, Message, Undelivered, mail_server

log = logging.getLogger(__name__)
_BATCH = 20
_INTERRUPTED_AFTER = timedelta(minutes=15)
_INTERRUPTED = "The sending was interrupted. It may have arrived; ask before you send it again."
_one_at_a_time = Lock()


class _Claimed(NamedTuple):
    """A delivery that this process sends: of an invoice or of a reminder, to one address."""

    id: int
    invoice_id: int | None
    reminder_id: int | None
    address: str


_Maker = Callable[[str], Message]
"""Makes the message to an address; the PDF is made as late as that."""


def post_office() -> MailServer | None:
    """The mail server of this installation, or None where none is set (or MAIL_FROM is not)."""
    settings: Settings = current_app.extensions["proman_settings"]
    if not settings.smtp_url:
        return None
    try:
        return mail_server(settings.smtp_url, settings.mail_from)
    except ValueError as error:
        log.warning("SMTP_URL cannot be used: %s", error)
        return None


def letter_to(document: InvoiceDocument) -> tuple[str, str]:
    """Subject and text of the message that a document goes with."""
    manner = Manner(document.issuer["locale"], document.currency)
    what = heading(document)
    asks = document.asks_for_money
    text = render_template(
        "mail/document.txt",
        names=document.recipient["names"],
        what=what[0].lower() + what[1:],
        date=manner.day(document.issue_date),
        total=manner.money(document.total),
        sentence=payment_sentence(document, manner) if asks else "",
        rows=payment_rows(document),
        organization=document.issuer["name"],
        contact=" · ".join(filter(None, (document.issuer["phone"], document.issuer["email"]))),
    )
    return f"{what}, {document.issuer['name']}", text


def file_name(document: InvoiceDocument) -> str:
    """The name of a document's file: its number, safe on every system."""
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in document.number or "opening")
    return f"{kept}.pdf"


def send_in_background() -> None:
    """Send what is queued apart from this request, so that its page answers at once."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    Thread(target=logs.carried(_send), args=(app,), name="mail", daemon=True).start()


def _send(app: Flask) -> None:
    with app.app_context():
        try:
            send_queued()
        except Exception:
            log.exception("Mail is waiting; it is tried again with the next run of the jobs")


def send_queued() -> int:
    """Send everything that waits, of every organization; returns how many messages were taken.

    Safe to call from several processes at once: each message is claimed before it is sent.
    """
    server = post_office()
    if server is None:
        return 0
    with _one_at_a_time:
        return sum(_send_for(key, zone, server) for key, zone in _organizations_waiting())


def _organizations_waiting() -> list[tuple[int, str]]:
    statement = (
        select(Organization.id, Organization.time_zone)
        .where(
            Organization.id.in_(
                select(Delivery.organization_id).where(Delivery.status.in_(("queued", "sending")))
            )
        )
        .execution_options(everywhere=True)
    )
    found = [(row.id, row.time_zone) for row in db.session.execute(statement)]
    db.session.rollback()
    return found


def _send_for(organization_id: int, time_zone: str, server: MailServer) -> int:
    taken = 0
    with acting_for(organization_id):
        _give_up_interrupted()
        while claimed := _claim():
            taken += _send_batch(claimed, time_zone, server)
    return taken


def _give_up_interrupted() -> None:
    begin_write()
    db.session.execute(
        update(Delivery)
        .where(Delivery.status == "sending", Delivery.finished_at < utc_now() - _INTERRUPTED_AFTER)
        .values(status="failed", error=_INTERRUPTED)
    )
    db.session.commit()


def _claim() -> list[_Claimed]:
    """Takes some of what is queued. No other process takes the same."""
    begin_write()
    statement = (
        select(Delivery).where(Delivery.status == "queued").order_by(Delivery.id).limit(_BATCH)
    )
    rows = list(db.session.scalars(statement))
    for row in rows:
        row.status, row.finished_at = "sending", utc_now()
    claimed = [_Claimed(row.id, row.invoice_id, row.reminder_id, row.recipient) for row in rows]
    db.session.commit()
    return claimed


def _send_batch(claimed: Sequence[_Claimed], time_zone: str, server: MailServer) -> int:
    makers = _makers(claimed, time_zone)
    db.session.rollback()
    taken = 0
    try:
        with server.connection() as connection:
            for one in claimed:
                message = makers[one.invoice_id, one.reminder_id](one.address)
                taken += _send_one(one.id, message, connection)
    except Undelivered as error:
        log.warning("%d messages could not be handed to the mail server", len(claimed))
        for one in claimed:
            _finish(one.id, error.reason)
    return taken


def _makers(
    claimed: Sequence[_Claimed], time_zone: str
) -> dict[tuple[int | None, int | None], _Maker]:
    invoices = dict.fromkeys(one.invoice_id for one in claimed if one.invoice_id is not None)
    reminders = dict.fromkeys(one.reminder_id for one in claimed if one.reminder_id is not None)
    makers: dict[tuple[int | None, int | None], _Maker] = {}
    for key, document in documents_by_id(list(invoices), today_in(time_zone)).items():
        makers[key, None] = partial(_invoice_message, document)
    for key, reminder in reminders_by_id(list(reminders)).items():
        makers[None, key] = partial(_reminder_message, reminder)
    return makers


def _invoice_message(document: InvoiceDocument, address: str) -> Message:
    subject, text = letter_to(document)
    file = Attachment(file_name(document), "application/pdf", invoices_pdf([document]))
    issuer = document.issuer
    return Message(address, subject, text, [file], issuer["email"], issuer["name"])


def _reminder_message(reminder: ReminderDocument, address: str) -> Message:
    subject, text = mail_of(reminder)
    file = Attachment(reminder_file(reminder), "application/pdf", reminders_pdf([reminder]))
    issuer = reminder.issuer
    return Message(address, subject, text, [file], issuer["email"], issuer["name"])


def _send_one(delivery_id: int, message: Message, connection: Connection) -> bool:
    try:
        connection.send(message)
    except Undelivered as error:
        _finish(delivery_id, error.reason)
        return False
    _finish(delivery_id, "")
    return True


def _finish(delivery_id: int, error: str) -> None:
    begin_write()
    db.session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.status == "sending")
        .values(status="failed" if error else "sent", error=error[:500], finished_at=utc_now())
    )
    db.session.commit()
