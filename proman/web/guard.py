"""Decides who may call a view: nobody without a login, nobody beyond their role."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user

from proman.web.render import is_partial

View = TypeVar("View", bound=Callable[..., Any])
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask) -> None:
    """Check every request before its view runs."""
    app.before_request(check)


def public(view: View) -> View:
    """The view may be called without a login."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """The view may be called by everybody who is signed in, tenants too."""
    view.is_for_all = True  # type: ignore[attr-defined]
    return view


def is_open() -> bool:
    """Whether this request needs no login."""
    view = current_app.view_functions.get(request.endpoint or "")
    return request.endpoint == "static" or getattr(view, "is_public", False)


def needs(role: str, *, operator: bool = False) -> Callable[[View], View]:
    """The view needs at least this role (`tenant` is apart from the others).

    Without it a view needs a viewer to be read and a manager to change anything.
    """

    def mark(view: View) -> View:
        view.needed_role = role  # type: ignore[attr-defined]
        view.needs_operator = operator  # type: ignore[attr-defined]
        return view

    return mark


def check() -> Response | None:
    """Answer for the view when it must not run: a login page, or 403."""
    if request.endpoint is None:
        return None
    view = current_app.view_functions[request.endpoint]
    if request.endpoint == "static" or getattr(view, "is_public", False):
        return None
    if not current_user.is_authenticated:
        return to_login()
    if getattr(view, "is_for_all", False):
        return None
    role = getattr(view, "needed_role", "viewer" if request.method in SAFE_METHODS else "manager")
    if not current_user.actor.may(role):
        if current_user.role == "tenant" and request.method in SAFE_METHODS and request.path == "/":
            return make_response(redirect("/portal/", 303))
        abort(403)
    if getattr(view, "needs_operator", False) and not current_user.is_operator:
        abort(403)
    return None


def to_login() -> Response:
    """Nobody is signed in: the login page, or for a change 401 with the way to it."""
    if request.method in SAFE_METHODS and not is_partial():
        return make_response(redirect(url_for("identity.login", next=request.full_path), 303))
    came_from = _came_from()
    response = make_response(render_template("errors/401.html", next=came_from), 401)
    response.headers["HX-Redirect"] = url_for("identity.login", next=came_from)
    return response


def _came_from() -> str:
    """The page of ours that a refused change was sent from; the start where that is not told."""
    page = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    if page.netloc != request.host or not page.path:
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path
