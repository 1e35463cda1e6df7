"""Keeps requests out while the database is being replaced, and tells those who wait."""

import os

from flask import Flask, Response, g, make_response, render_template, request

from proman.database.installation import installation
from proman.database.lock import UnderWay
from proman.database.maintenance import (
    RETRY_AFTER,
    InMaintenance,
    begin_work,
    notice_in,
)
from proman.web.render import is_partial, tell

LARGEST_BACKUP = 8 << 30
OPEN_IN_MAINTENANCE = frozenset({"health.healthz", "health.readyz", "static", "restores.progress"})


def install(app: Flask) -> None:
    """Every request is counted as work that maintenance waits for; must come before the guard."""
    app.before_request(_enter)
    app.teardown_request(_leave)
    app.register_error_handler(InMaintenance, _in_maintenance)
    app.register_error_handler(UnderWay, _under_way)


def _enter() -> Response | None:
    settings = installation().settings
    if request.endpoint in OPEN_IN_MAINTENANCE:
        if request.endpoint == "health.readyz" and notice_in(settings) is not None:
            return make_response("in maintenance: a backup is being restored\n", 200)
        return None
    g.work = begin_work(settings)
    if request.endpoint == "restores.ask":
        # The form is read before its view runs, to compare its token.
        request.max_content_length = LARGEST_BACKUP
    return None


def _leave(error: BaseException | None) -> None:
    descriptor = g.pop("work", None)
    if descriptor is not None:
        os.close(descriptor)


def _in_maintenance(error: InMaintenance) -> Response:
    response = _answer(503, "errors/503.html", error.message)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _under_way(error: UnderWay) -> Response:
    return _answer(409, "admin/database/under_way.html", error.message)


def _answer(status: int, template: str, message: str) -> Response:
    # Nothing here may touch the database: it is the one thing that is not there.
    page = render_template(template, message=message)
    response = make_response(page, status)
    response.vary.add("HX-Request")
    if is_partial():
        response.headers["HX-Reswap"] = "none"
        tell(response, message, tone="bad")
    return response
