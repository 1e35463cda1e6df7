"""Owns a reminder as it is printed and mailed."""

from collections.abc import Sequence

from flask import render_template

from proman.billing.letter import TITLES, account_holder, letter_frame, payment_rows_of
from proman.billing.manner import Manner
from proman.billing.payment_code import payment_code
from proman.billing.reminder_queries import ReminderDocument, ReminderItemDocument
from proman.web.pdf import make_pdf


def reminders_pdf(reminders: Sequence[ReminderDocument]) -> bytes:
    """One reminder, or many in the order given in one file, each with its own page numbers."""
    first = reminders[0]
    title = first.title if len(reminders) == 1 else f"{len(reminders)} reminders"
    return make_pdf(
        "invoice.typ",
        title,
        first.issuer["name"],
        max(reminder.made_on for reminder in reminders),
        first.issuer["locale"],
        [_letter(reminder) for reminder in reminders],
    )


def file_name(reminder: ReminderDocument) -> str:
    """The name of a reminder's file, safe on every system."""
    reference = reminder.recipient["lease_reference"]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in reference)
    return f"reminder-{kept}-{reminder.made_on.isoformat()}.pdf"


def mail_of(reminder: ReminderDocument) -> tuple[str, str]:
    """Subject and text of the message that a reminder goes with."""
    manner = Manner(reminder.issuer["locale"], reminder.currency)
    text = render_template(
        "mail/reminder.txt",
        text=reminder.text,
        items=[
            (_what(item), manner.day(item.due_date), manner.money(item.open))
            for item in reminder.items
        ],
        total=manner.money(reminder.total),
        rows=payment_rows_of(reminder.issuer, reminder.recipient["lease_reference"]),
        organization=reminder.issuer["name"],
        contact=" · ".join(filter(None, (reminder.issuer["phone"], reminder.issuer["email"]))),
    )
    return f"{reminder.title}, {reminder.issuer['name']}", text


def _what(item: ReminderItemDocument) -> str:
    return f"{TITLES[item.kind]} {item.number or ''}".strip()


def _letter(reminder: ReminderDocument) -> dict[str, object]:
    """The reminder as data for templates/pdf/invoice.typ."""
    issuer, recipient = reminder.issuer, reminder.recipient
    manner = Manner(issuer["locale"], reminder.currency)
    facts = [
        ("Date", manner.day(reminder.made_on)),
        ("Property", recipient["property_name"]),
        ("Unit", recipient["unit_label"]),
        ("Lease", recipient["lease_reference"]),
    ]
    return {
        **letter_frame(issuer, recipient, reminder.logo),
        "heading": reminder.title,
        "facts": [(label, value) for label, value in facts if value],
        "intro": [part.strip() for part in reminder.text.split("\n\n") if part.strip()],
        "line_heading": "Overdue",
        "tax_heading": None,
        "amount_heading": f"Open ({reminder.currency})",
        "lines": [_line(reminder, item, manner) for item in reminder.items],
        "totals": [
            {"label": "Overdue", "amount": manner.money(reminder.total), "strong": True},
        ],
        "payment": {
            "heading": "Payment",
            "sentence": f"Please pay {manner.money(reminder.total)} by"
            f" {manner.day(reminder.pay_by)} and quote the reference.",
            "rows": payment_rows_of(issuer, recipient["lease_reference"]),
            "qr": payment_code(
                account_holder(issuer),
                issuer["bank_account"],
                issuer["bank_code"],
                reminder.total,
                reminder.currency,
                recipient["lease_reference"],
            ),
        },
        "notes": [issuer["footer"]] if issuer["footer"] else [],
    }


def _line(
    reminder: ReminderDocument, item: ReminderItemDocument, manner: Manner
) -> dict[str, object]:
    days = (reminder.made_on - item.due_date).days
    since = f"Due {manner.day(item.due_date)}, {days} {'day' if days == 1 else 'days'} overdue"
    return {
        "description": _what(item),
        "details": [since],
        "tax": "",
        "amount": manner.amount(item.open),
    }
