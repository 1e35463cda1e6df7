"""Owns the way a link takes to its person: by mail where there is a mail server."""

import logging
from datetime import datetime, timedelta
from threading import Thread

from flask import Flask, current_app, render_template, request
from sqlalchemy import select

from proman import logs
from proman.db import begin_write, db, utc_now
from proman.identity.actions import Link, make_link
from proman.identity.models import AccessToken
from proman.identity.queries import account_of, the_organization, the_user
from proman.identity.session import acting_for
from proman.settings import Settings
from proman.web.base_path import PREFIX
from proman.web.mail import Message, Undelivered, mail_server

log = logging.getLogger(__name__)
NOT_AGAIN_WITHIN = timedelta(minutes=5)
SUBJECTS = {
    "invitation": "Your invitation to {organization}",
    "reset": "A new password for {organization}",
}


def link_address(link: Link) -> str:
    """The whole address of a link: under PROMAN_URL, else under the address in use."""
    settings: Settings = current_app.extensions["proman_settings"]
    in_use = request.host_url.rstrip("/") + request.environ.get(PREFIX, "")
    return (settings.public_url or in_use) + link.path


def can_mail_unasked() -> bool:
    """Whether a link may be mailed to one who is not signed in.

    PROMAN_URL must be set: otherwise whoever asks could name the server that the link leads to.
    """
    settings: Settings = current_app.extensions["proman_settings"]
    return bool(settings.smtp_url and settings.public_url)


def mail_link(link: Link, address: str) -> str:
    """Mail a link to its person. Returns an empty text, or why it was not mailed."""
    settings: Settings = current_app.extensions["proman_settings"]
    if not settings.smtp_url:
        return "There is no mail server (SMTP_URL is not set)."
    organization = the_organization(link.user.organization_id)
    text = render_template(
        f"mail/{link.purpose}.txt",
        name=link.user.name,
        email=link.user.email,
        organization=organization.name,
        address=address,
    )
    subject = SUBJECTS[link.purpose].format(organization=organization.name)
    message = Message(
        to=link.user.email,
        subject=subject,
        text=text,
        reply_to=organization.email,
        sender_name=organization.name,
    )
    try:
        mail_server(settings.smtp_url, settings.mail_from).send(message)
    except (Undelivered, ValueError) as error:
        log.warning("A link was not mailed: %s", logs.told(error))
        return f"It could not be mailed: {error}"
    return ""


def answer_forgotten(email: str) -> None:
    """Mail a link for a new password, if the e-mail has a login, apart from the request.

    The page answers at once and the same for everybody, so that it tells nobody who has a login.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    Thread(target=logs.carried(_mail_reset), args=(app, email), name="link", daemon=True).start()


def _mail_reset(app: Flask, email: str) -> None:
    with app.app_context():
        account = account_of(email)
        if account is None or account.deactivated_at is not None:
            return
        with acting_for(account.organization_id):
            link = _fresh_reset(account.id, utc_now())
            if link is not None:
                settings: Settings = app.extensions["proman_settings"]
                mail_link(link, f"{settings.public_url}{link.path}")
        db.session.remove()


def _fresh_reset(user_id: int, now: datetime) -> Link | None:
    begin_write()
    newest = select(AccessToken.created_at).where(AccessToken.user_id == user_id)
    made_at = db.session.scalar(newest.order_by(AccessToken.id.desc()).limit(1))
    if made_at is not None and made_at > now - NOT_AGAIN_WITHIN:
        db.session.rollback()
        return None
    link = make_link(the_user(user_id), "reset", now=now)
    db.session.commit()
    return link
