"""The page for Prometheus: how requests, backups, the books and the schedule stand."""

from flask import Blueprint, Response, abort, current_app, make_response, request

from proman.admin.metrics import measured
from proman.base.exposition import CONTENT_TYPE, as_text
from proman.database.installation import installation
from proman.db import utc_now
from proman.settings import Settings
from proman.web.guard import public

blueprint = Blueprint("metrics", __name__)
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


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
    found = measured(installation(), current_app.extensions["proman_measures"], utc_now())
    response = make_response(as_text(found))
    response.content_type = CONTENT_TYPE
    return response
