"""Owns how a request reaches its view: as one unit of work, or as a report from the replica."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from proman.database.replica import place_of_own_changes, read_from_primary, read_from_replica
from proman.database.retrying import until_it_stands
from proman.web.guard import SAFE_METHODS
from proman.web.templating import ShortEnvironment

View = TypeVar("View", bound=Callable[..., Any])
PLACE = "place"


def may_be_behind(view: View) -> View:
    """The view only reads, and others' latest changes may be missing: a replica may answer it."""
    view.may_be_behind = True  # type: ignore[attr-defined]
    return view


class Application(Flask):
    """Flask, whose views run again when the database took their transaction back.

    A view changes nothing but its transaction before it commits, so the second run is as good as
    the first. Who is signed in and what they may do was decided before, and is not decided again.
    """

    jinja_environment = ShortEnvironment  # type: ignore[assignment]

    def dispatch_request(self) -> ResponseReturnValue:
        """The view's answer."""
        view = self.view_functions.get(request.endpoint or "")
        if getattr(view, "may_be_behind", False) and request.method in SAFE_METHODS:
            try:
                if read_from_replica(session.get(PLACE, "")):
                    return super().dispatch_request()
            except DBAPIError as error:
                read_from_primary(error)
        return until_it_stands(super().dispatch_request, _rewind)


def remember_place(response: Response) -> Response:
    """After a change: the browser keeps the place in the log from which its reports are new."""
    place = place_of_own_changes()
    if place:
        session[PLACE] = place
    return response


def _rewind() -> None:
    for file in request.files.values():
        file.stream.seek(0)
