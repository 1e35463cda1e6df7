"""The pages of reminders: who is to be reminded and why, the letters, and those that were made."""

from collections.abc import Sequence

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.billing.forms import asked_day, asked_page
from proman.billing.parties import addressees
from proman.billing.queries import PREVIEW_ROWS
from proman.billing.reminder_deliveries import queue_reminders, record_reminders_printed
from proman.billing.reminder_letter import file_name, reminders_pdf
from proman.billing.reminder_listing import REMINDERS, reminders_of
from proman.billing.reminder_making import make_reminders
from proman.billing.reminder_queries import (
    ReminderDocument,
    addresses_of_reminders,
    letters_due,
    levels,
    reminders_by_id,
    the_reminder,
)
from proman.billing.reminding import Letter
from proman.billing.sending import post_office, send_in_background
from proman.db import begin_write, db, utc_now
from proman.identity.remembering import Remembered
from proman.identity.session import business_today, current_actor
from proman.leases.queries import the_lease
from proman.web.ids import ids_of
from proman.web.render import render, see_other
from proman.web.sheets import export_routes

blueprint = Blueprint("reminders", __name__, url_prefix="/billing/reminders")
HERE = "/billing/reminders"
_letters: Remembered[list[Letter]] = Remembered("users", "tenants", "expenses", "deliveries")
export_routes(blueprint, REMINDERS, "reminders")


@blueprint.get("")
def index() -> Response:
    """Which leases have come to a reminder on a day, with all that is overdue; page by page."""
    today = business_today()
    day = asked_day(today)
    steps = levels()
    found = _letters.get(day, lambda: letters_due(day, steps))
    pages = max(1, -(-len(found) // PREVIEW_ROWS))
    page = min(asked_page(), pages)
    shown = found[(page - 1) * PREVIEW_ROWS : page * PREVIEW_ROWS]
    names = addressees({letter.lease_id for letter in shown}, day)
    return render(
        "billing/reminders.html",
        "billing/_reminders.html",
        day=day,
        today=today,
        found=found,
        shown=[(letter, names[letter.lease_id]) for letter in shown],
        levels=steps,
        page=page,
        pages_count=pages,
        has_mail=post_office() is not None,
        may_write=current_actor().may("manager"),
    )


@blueprint.post("")
def make() -> Response:
    """Make today's reminders of the leases chosen, and mail them or answer with one PDF."""
    channel = _channel()
    today, actor = business_today(), current_actor()
    chosen = ids_of(request.form.getlist("lease"))
    if request.form.get("everything"):
        chosen = [letter.lease_id for letter in letters_due(today, levels())]
        db.session.rollback()
    if not chosen:
        raise Refused("Choose at least one lease to remind.")
    begin_write()
    made = make_reminders(chosen, today=today, actor=actor)
    if not made:
        db.session.rollback()
        return see_other(
            HERE, "These reminders were made already, or what was open is paid.", "info"
        )
    ids = [reminder.id for reminder in made]
    return _mail(ids) if channel == "mail" else _print(ids)


@blueprint.post("/deliveries")
def deliver() -> Response:
    """Send or print reminders that were made, once more or for the first time."""
    channel = _channel()
    ids = ids_of(request.form.getlist("reminder"))
    begin_write()
    ids = list(reminders_by_id(ids))
    if not ids:
        db.session.rollback()
        raise Refused("Choose at least one reminder to deliver.")
    return _mail(ids) if channel == "mail" else _print(ids)


def _channel() -> str:
    channel = request.form.get("channel")
    if channel not in ("mail", "pdf"):
        raise Refused("Choose how: by mail or as one PDF.")
    if channel == "mail" and post_office() is None:
        raise Refused("There is no mail server here. Print the reminders.")
    return channel


def _mail(ids: Sequence[int]) -> Response:
    """Ends the write: the messages go out apart from this request."""
    queued = queue_reminders(ids, actor=current_actor(), now=utc_now())
    db.session.commit()
    send_in_background()
    tone = "warn" if queued.without_address else "good"
    return see_other(f"{HERE}/made", queued.sentence, tone)


def _print(ids: Sequence[int]) -> Response:
    """Ends the write before the file is made: many letters take seconds."""
    record_reminders_printed(ids, actor=current_actor(), now=utc_now())
    db.session.commit()
    return reminders_response([*reminders_by_id(ids).values()])


def reminders_response(reminders: Sequence[ReminderDocument]) -> Response:
    """The letters as one PDF, to look at."""
    response = Response(reminders_pdf(reminders), mimetype="application/pdf")
    name = file_name(reminders[0]) if len(reminders) == 1 else "reminders.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@blueprint.get("/made")
def made() -> Response:
    """Every reminder that was made, newest first."""
    return render(
        "billing/reminders_made.html",
        "billing/_reminders_made.html",
        page=REMINDERS.page(request.args),
    )


@blueprint.get("/<int:reminder_id>")
def show(reminder_id: int) -> Response:
    """One reminder with its words and what was overdue, and how it was delivered."""
    reminder = the_reminder(reminder_id)
    return render(
        "billing/reminder.html",
        reminder=reminder,
        addresses=addresses_of_reminders([reminder_id])[reminder_id],
        has_mail=post_office() is not None,
        may_write=current_actor().may("manager"),
    )


@blueprint.get("/<int:reminder_id>.pdf")
def pdf(reminder_id: int) -> Response:
    """The letter."""
    return reminders_response([the_reminder(reminder_id)])


@blueprint.get("/of-lease/<int:lease_id>")
def of_lease(lease_id: int) -> Response:
    """The reminders of one lease."""
    the_lease(lease_id)
    return render(
        "billing/reminders_of_lease.html",
        "billing/_reminders_of_lease.html",
        lease_id=lease_id,
        rows=reminders_of(lease_id),
    )
