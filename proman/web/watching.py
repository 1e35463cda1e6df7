"""Watches every request: gives it an id, counts what it asks of the database, logs and measures it.

The route is written, not the path: a path names records, and one of them a secret.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

from flask import Flask, request
from sqlalchemy import Engine, event
from waitress.task import ErrorTask
from waitress.utilities import InternalServerError

from proman import logs
from proman.measures import Measures

log = logging.getLogger("proman.access")
HEADER = "X-Request-ID"
UNROUTED = "(none)"
"""The route of what leads nowhere."""
REFUSED = "(refused)"
"""The route of what is answered before it is known which page it is for."""
STATIC = "/static/<path:filename>"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")
_now: ContextVar["Watched | None"] = ContextVar("watched", default=None)

Start = Callable[..., Any]
Measure = Callable[[str, int, float, int], None]
"""Takes the route, status, seconds and statements of a request that has ended."""
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


class Watched:
    """One request while it is answered."""

    __slots__ = ("begun", "id", "is_cut_off", "method", "route", "statements", "status")

    def __init__(self, id: str, method: str, route: str) -> None:
        self.id = id
        self.method = method if method in METHODS else "OTHER"
        self.route = route
        self.status = 500
        self.statements = 0
        self.is_cut_off = False
        self.begun = time.perf_counter()


class Watch:
    """The outermost layer of the application."""

    def __init__(self, app: Wsgi, trusts_ids: bool, measure: Measure) -> None:
        self._app = app
        self._trusts_ids = trusts_ids
        self._measure = measure

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        is_static = environ.get("PATH_INFO", "").startswith("/static/")
        route = STATIC if is_static else UNROUTED
        one = Watched(self._id(environ), environ.get("REQUEST_METHOD", ""), route)
        _now.set(one)
        logs.belong_to(request=one.id)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            one.status = int(status[:3])
            headers.append((HEADER, one.id))
            return start_response(status, headers, *more)

        try:
            body = self._app(environ, start)
        except BaseException:
            one.status = 500
            self._end(one)
            raise
        by_server = environ.get("wsgi.file_wrapper")
        if isinstance(by_server, type) and isinstance(body, by_server):
            # The server sends such a file by itself, as long as it can see that it is one.
            self._end(one)
            return body
        return _Body(body, one, self._end)

    def _id(self, environ: dict[str, Any]) -> str:
        given = environ.get("HTTP_X_REQUEST_ID", "") if self._trusts_ids else ""
        return given if _SANE.fullmatch(given) else new_id()

    def _end(self, one: Watched) -> None:
        seconds = time.perf_counter() - one.begun
        tell(one, seconds)
        self._measure(one.route, one.status, seconds, one.statements)
        _now.set(None)
        logs.belong_to()


class _Body:
    """What is sent; the request has ended when it is closed."""

    def __init__(self, body: Iterable[bytes], one: Watched, end: Callable[[Watched], None]) -> None:
        self._body = body
        self._one = one
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except BaseException:
            self._one.is_cut_off = True
            raise

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._end(self._one)


def install(app: Flask, trusts_ids: bool) -> None:
    """Watch every request from its first moment; ids of a proxy count where one is trusted.

    It comes last: whatever answers a request is below it, and every route is known.
    """
    app.extensions["proman_measures"] = Measures(routes_of(app))
    app.wsgi_app = Watch(  # type: ignore[method-assign]
        app.wsgi_app, trusts_ids, partial(_measure, app)
    )


def _measure(app: Flask, route: str, status: int, seconds: float, statements: int) -> None:
    app.extensions["proman_measures"].count(route, status, seconds, statements)


def routes_of(app: Flask) -> list[str]:
    """Every route that there is, those of no page too."""
    return sorted({rule.rule for rule in app.url_map.iter_rules()} | {UNROUTED, REFUSED, STATIC})


def note_routes(app: Flask) -> None:
    """Note the route of each request; must come before whatever may answer one."""
    app.before_request(_note_route)
    app.jinja_env.globals["request_id"] = request_id


def count_statements(engine: Engine) -> None:
    """Count what each request asks on this engine."""
    event.listen(engine, "before_cursor_execute", _count)


def request_id() -> str:
    """The id of the request that is being answered, or nothing outside of one."""
    one = _now.get()
    return one.id if one else ""


def new_id() -> str:
    """An id that a person can read aloud."""
    return secrets.token_hex(6)


def tell(one: Watched, seconds: float) -> None:
    """The line of a request that has ended."""
    if not log.isEnabledFor(logging.INFO):
        return
    fields: dict[str, Any] = {
        "method": one.method,
        "route": one.route,
        "status": one.status,
        "duration_ms": round(seconds * 1000, 1),
        "statements": one.statements,
    }
    if one.is_cut_off:
        fields["cut_off"] = True
    log.info("%s %s %d", one.method, one.route, one.status, extra={"fields": fields})


class Refusal(ErrorTask):
    """What the server refuses by itself, being too large or no HTTP: it has its line, too."""

    measure: Measure

    def execute(self) -> None:
        error = self.request.error
        if isinstance(error, InternalServerError):
            super().execute()  # the request that broke has had its line
            return
        one = Watched(new_id(), getattr(self.request, "command", "") or "", REFUSED)
        one.status = error.code
        self.response_headers.append((HEADER, one.id))
        super().execute()
        seconds = time.perf_counter() - one.begun
        with logs.part_of(request=one.id):
            tell(one, seconds)
        self.measure(one.route, one.status, seconds, 0)


def refusal_for(app: Flask) -> type[Refusal]:
    """How a server of this application refuses."""
    return type("OwnRefusal", (Refusal,), {"measure": staticmethod(partial(_measure, app))})


def _note_route() -> None:
    one = _now.get()
    if one is not None and request.url_rule is not None:
        one.route = request.url_rule.rule


def _count(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
    one = _now.get()
    if one is not None:
        one.statements += 1
