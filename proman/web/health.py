"""Answers those who watch the process: it lives, it is ready."""

from flask import Blueprint, Response, current_app, make_response

from proman.web.guard import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """200 while the process lives; never touches the database."""
    return _plain("ok", 200)


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """200 when the database answers, can be written and stands at this version's revision."""
    try:
        problem = current_app.extensions["proman_readiness"]()
    except Exception as error:  # whatever is wrong with the database is the answer
        problem = f"The database does not answer: {type(error).__name__}"
    return _plain(problem or "ready", 503 if problem else 200)


def _plain(message: str, status: int) -> Response:
    response = make_response(f"{message}\n", status)
    response.mimetype = "text/plain"
    return response
