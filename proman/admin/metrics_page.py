"""The page for Prometheus: how backups and the database stand, in its text format."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, current_app, make_response, request

from proman.database import alarm, catalogue, outcomes
from proman.database.installation import Installation, installation
from proman.database.live import require_live
from proman.database.manifest import moment_from
from proman.db import db, utc_now
from proman.settings import Settings
from proman.web.guard import public

blueprint = Blueprint("metrics", __name__)
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")
HELP = {
    "proman_ready": "1 when the database answers, can be written and is at this revision.",
    "proman_database_size_bytes": "Size of the database.",
    "proman_free_bytes": "Space that is left where backups are kept.",
    "proman_backups": "Backups in the list, verified or not.",
    "proman_backup_last_success_timestamp_seconds": "When the newest verified backup was taken.",
    "proman_backup_age_seconds": "Seconds since the newest verified backup was taken.",
    "proman_backup_overdue": "1 when that is more than twice the interval of the schedule ago.",
    "proman_backup_failed": "1 when the last backup failed.",
    "proman_drill_last_success_timestamp_seconds": "When a backup was last proven by a restore.",
    "proman_drill_failed": "1 when the last drill failed.",
}


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Off unless PROMAN_METRICS is on, and for those who ask this machine directly.

    Prometheus signs in nowhere. What comes from outside comes through a proxy, which says so.
    """
    settings: Settings = current_app.extensions["proman_settings"]
    if not settings.metrics:
        abort(404)
    if any(name in request.headers for name in FORWARDED):
        abort(403)
    response = make_response(as_text(measured(installation(), utc_now())))
    response.content_type = "text/plain; version=0.0.4; charset=utf-8"
    return response


def measured(site: Installation, now: datetime) -> dict[str, int | None]:
    """Each value by the name of its metric; None where there is nothing to tell yet."""
    listed, unreadable = alarm.survey(site)
    saved = catalogue.saved_until(listed)
    last = {what: outcomes.last(site.data_dir, what) for what in ("backup", "drill")}
    failed = {what: int(bool(one and one.fault)) for what, one in last.items()}
    drill = last["drill"]
    ended = moment_from(drill.at) if drill and not drill.fault else None
    proven = max((at for at in (catalogue.last_proven(listed), ended) if at), default=None)
    place = site.backup_dir if site.backup_dir.is_dir() else site.data_dir
    return {
        "proman_ready": int(_or_none(_is_ready) or False),
        "proman_database_size_bytes": _or_none(lambda: require_live(site).about().size),
        "proman_free_bytes": _or_none(lambda: shutil.disk_usage(place).free),
        "proman_backups": None if unreadable else len(listed),
        "proman_backup_last_success_timestamp_seconds": _seconds(saved),
        "proman_backup_age_seconds": max(0, int((now - saved).total_seconds())) if saved else None,
        "proman_backup_overdue": int(bool(unreadable or alarm.overdue(site, listed, now))),
        "proman_backup_failed": failed["backup"],
        "proman_drill_last_success_timestamp_seconds": _seconds(proven),
        "proman_drill_failed": failed["drill"],
    }


def as_text(values: dict[str, int | None]) -> str:
    """The values in Prometheus's text format; what is None is left out."""
    lines = []
    for name, value in values.items():
        if value is not None:
            lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge", f"{name} {value}"]
    return "\n".join(lines) + "\n"


def _is_ready() -> bool:
    return not current_app.extensions["proman_readiness"]()


def _or_none(ask: Callable[[], int]) -> int | None:
    """A database or disk that does not answer is one of the things that are measured here."""
    try:
        return ask()
    except Exception:
        db.session.rollback()
        return None


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.replace(tzinfo=UTC).timestamp()) if moment else None
