"""Tells people that backups are not in order: by mail, and on the pages of those who can act."""

import logging

from flask import Flask, current_app, render_template
from flask_login import current_user
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from proman import logs
from proman.database import alarm
from proman.database.alarm import Alarm, Letter
from proman.database.installation import installation
from proman.db import db, utc_now
from proman.identity.models import User
from proman.settings import Settings
from proman.web.mail import Message, Undelivered, mail_server

log = logging.getLogger(__name__)
_users = User.__table__
_HOMES = select(_users.c.organization_id).where(
    _users.c.is_operator.is_(True), _users.c.deactivated_at.is_(None)
)
_RECIPIENTS = (
    select(_users.c.email)
    .where(
        _users.c.deactivated_at.is_(None),
        _users.c.password_hash.is_not(None),
        or_(
            _users.c.is_operator.is_(True),
            (_users.c.role == "administrator") & _users.c.organization_id.in_(_HOMES),
        ),
    )
    .order_by(_users.c.email)
    .execution_options(everywhere=True)
)
"""The operators and the administrators of their organizations; other organizations of the
installation learn nothing of its disks and paths."""
SUBJECTS = {
    "begins": "Backups of ProMan are not in order",
    "lasts": "Backups of ProMan are still not in order",
    "over": "Backups of ProMan are in order again",
}


def install(app: Flask) -> None:
    """Give the layout the alarm, for those who are to see it."""
    app.jinja_env.globals.update(backup_alarm=backup_alarm)


def backup_alarm() -> Alarm | None:
    """The alarm, while it is on and the person at work is an operator or administrator."""
    if not (current_user.is_operator or current_user.role == "administrator"):
        return None
    settings: Settings = current_app.extensions["proman_settings"]
    return alarm.standing(settings.data_dir)


def watch_backups() -> Alarm:
    """Looks how backups stand now and mails what is to be told."""
    return alarm.look(installation(), utc_now(), send)


def send(letter: Letter) -> bool:
    """Mails the letter; whether anybody was reached. Without SMTP_URL nobody is."""
    settings: Settings = current_app.extensions["proman_settings"]
    if not settings.smtp_url:
        return False
    text = render_template(
        "mail/backup_alarm.txt",
        letter=letter,
        address=f"{settings.public_url}/admin/database" if settings.public_url else "",
    )
    reached = 0
    try:
        with mail_server(settings.smtp_url, settings.mail_from).connection() as connection:
            for address in _addresses():
                try:
                    connection.send(Message(address, SUBJECTS[letter.kind], text))
                    reached += 1
                except Undelivered as error:
                    log.warning("One person was not told of the backups: %s", logs.told(error))
    except (Undelivered, ValueError, SQLAlchemyError) as error:
        log.warning("Nobody was told of the backups: %s", logs.told(error))
    return reached > 0


def _addresses() -> list[str]:
    try:
        return list(db.session.scalars(_RECIPIENTS))
    finally:
        db.session.rollback()
