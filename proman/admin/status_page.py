"""The page of the installation's state: version, schedule, mail, what each organization holds."""

import platform
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, current_app
from sqlalchemy import func, select

from proman.database.driver import sqlite3
from proman.database.models import ScheduledJob
from proman.db import db
from proman.identity.models import LoginFailure, Organization, User
from proman.leases.models import Lease
from proman.settings import Settings
from proman.web.guard import needs
from proman.web.render import render

blueprint = Blueprint("status_page", __name__)
_organizations = Organization.__table__

_HOLDINGS = (
    select(
        _organizations.c.name,
        _organizations.c.currency,
        select(func.count())
        .where(User.__table__.c.organization_id == _organizations.c.id)
        .scalar_subquery()
        .label("people"),
        select(func.count())
        .where(Lease.__table__.c.organization_id == _organizations.c.id)
        .scalar_subquery()
        .label("leases"),
    )
    .order_by(_organizations.c.name)
    .execution_options(everywhere=True)
)


@blueprint.get("/admin/status")
@needs("viewer", operator=True)
def index() -> Response:
    """How the installation stands, for its operator."""
    settings: Settings = current_app.extensions["proman_settings"]
    context: dict[str, Any] = {
        "facts": _facts(settings),
        "jobs": db.session.scalars(select(ScheduledJob).order_by(ScheduledJob.name)).all(),
        "holdings": db.session.execute(_HOLDINGS).all(),
        "slowed": db.session.scalar(select(func.count()).where(LoginFailure.failures >= 5)) or 0,
    }
    return render("admin/status.html", **context)


def _facts(settings: Settings) -> list[tuple[str, str]]:
    """What an operator is asked for when something is wrong; no secrets."""
    mail = f"through SMTP_URL, from {settings.mail_from}" if settings.smtp_url else ""
    engine = settings.database_url.get_backend_name()
    library = f" {sqlite3.sqlite_version}" if settings.is_sqlite else ""
    return [
        ("ProMan", version("proman")),
        ("Python", platform.python_version()),
        ("Database", f"{engine}{library}"),
        ("Data folder", str(settings.data_dir)),
        ("Backup folder", str(settings.backup_dir)),
        (
            "Public address",
            settings.public_url or "none (PROMAN_URL): links use the address in use",
        ),
        ("Mail", mail or "none (SMTP_URL): what would be mailed is shown to copy"),
        ("Threads", str(settings.threads)),
        ("Metrics", "on" if settings.metrics else "off"),
    ]
