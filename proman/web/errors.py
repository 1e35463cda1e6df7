"""Turns what went wrong into an answer that says what happened and what was not changed."""

import errno
import logging

from flask import Flask, Response, make_response, render_template
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from jinja2 import Template
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException

from proman import logs
from proman.base.errors import NotThere, Refused
from proman.database.troubles import is_our_fault
from proman.db import OutcomeUnknown, db, is_saved
from proman.web.guard import is_open, to_login
from proman.web.render import is_partial, tell
from proman.web.watching import request_id

log = logging.getLogger(__name__)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(NotThere, lambda error: _answer(404, error.message))
    app.register_error_handler(Refused, _refused)
    for beyond in (OverflowError, DataError):  # SQLite's driver says the one, servers the other
        app.register_error_handler(beyond, _too_large)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(OutcomeUnknown, _uncertain)
    app.register_error_handler(OSError, _disk)
    app.register_error_handler(Exception, _unexpected)


def _answer(status: int, message: str = "", page: str = "") -> Response:
    db.session.rollback()
    templates: list[str | Template] = [
        f"errors/{page or status}.html",
        "errors/400.html" if status < 500 else "errors/500.html",
    ]
    response = make_response(render_template(templates, status=status, message=message), status)
    response.vary.add("HX-Request")
    if is_partial():
        # An error page must not land inside a region: the page stays, a toast tells.
        response.headers["HX-Reswap"] = "none"
        if message:
            tell(response, message, tone="bad")
    return response


def _http(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return make_response(error.get_response())
    return _answer(error.code)


def _csrf(error: CSRFError) -> Response:
    # A login that expired takes the token along: that is what happened, not a forged request.
    if not current_user.is_authenticated and not is_open():
        return to_login()
    return _answer(400, "This page was open for too long. Load it again; nothing was changed.")


def _refused(error: Refused) -> Response:
    return _answer(422, error.message)


def _too_large(error: Exception) -> Response:
    return _answer(422, "A number or a date is beyond what can be kept. Nothing was changed.")


def _database(error: DBAPIError) -> Response:
    if is_our_fault(error):
        return _unexpected(error)
    # One line: while a server is away there are as many of them as requests.
    log.error("The database did not answer: %s", logs.told(error))
    if is_saved():
        message = "It was saved. Then the database stopped answering, so it cannot be shown yet."
        return _answer(503, message, page="saved")
    return _answer(503, "The database does not answer. Nothing was changed; try again in a moment.")


def _uncertain(error: OutcomeUnknown) -> Response:
    log.error("The database was lost at COMMIT: %s", logs.told(error))
    return _answer(
        503,
        "The database broke off while this was being saved: it may have been saved or not. "
        "Look whether it is there before you enter it again.",
        page="uncertain",
    )


def _disk(error: OSError) -> Response:
    if isinstance(error, PermissionError):
        log.error("ProMan's user may not do that: %s", error)
        return _answer(503, "ProMan may not use one of its own files; the log names it.")
    if error.errno not in _FULL:
        return _unexpected(error)
    log.error("The disk takes nothing more: %s", logs.told(error))
    return _answer(503, f"ProMan's disk takes nothing more: {error.strerror}. Nothing was changed.")


def _unexpected(error: Exception) -> Response:
    log.exception("Unexpected error")
    response = _answer(500)
    if is_partial():
        words = "Something went wrong here. The change was not saved. If you ask for help, quote "
        tell(response, f"{words}{request_id()}.", tone="bad")
    return response
