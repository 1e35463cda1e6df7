"""Decides, in this one place, whether a request gets a whole page or only a part of it."""

import json
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request


def is_partial() -> bool:
    """Whether htmx asked for a part: not boosted, and not a restore of its history."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def render(
    page: str, partial: str | None = None, /, *, status: int = 200, **context: Any
) -> Response:
    """Render the page, or its partial alone when htmx asked for it."""
    template = partial if partial is not None and is_partial() else page
    response = make_response(render_template(template, **context), status)
    response.vary.add("HX-Request")
    return response


def see_other(address: str, message: str = "", tone: str = "good") -> Response:
    """Go on after a change: 303, or for htmx a navigation; the message waits as a toast."""
    if message:
        flash(message, tone)
    if is_partial():
        response = make_response("", 204)
        response.headers["HX-Location"] = address
    else:
        response = make_response(redirect(address, 303))
    response.vary.add("HX-Request")
    return response


def tell(response: Response, message: str = "", *, tone: str = "good", **events: Any) -> Response:
    """Tell htmx what happened: a toast, and events that other regions of the page listen for."""
    if message:
        events["toast"] = {"text": message, "tone": tone}
    response.headers["HX-Trigger"] = json.dumps(events)
    return response
