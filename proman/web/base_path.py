"""Lives below a path of a host that it shares: https://example.com/proman.

Inside, every address begins at the root. What comes in loses the path, what goes out gets it: in
the addresses of pages and of headers alike, so that no page has to think of it. Without a path
nothing of this is in the way.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from proman.addresses import PATH

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
PREFIX = "proman.prefix"
"""Where the path stands in the environment of a request; absent at the root of a host."""
_ADDRESSES = re.compile(
    rb"""(\s(?:href|src|action|formaction|data-href|hx-(?:get|post|put|delete|push-url|replace-url))"""
    rb"""=["'])/(?!/)"""
)
_LEADING = frozenset(
    ("location", "content-location", "hx-location", "hx-redirect", "hx-push-url", "hx-replace-url")
)
_TOLD_BY_BROWSERS = ("HTTP_HX_CURRENT_URL", "HTTP_REFERER")


class BasePath:
    """The layer that knows the path: that of PROMAN_URL, else what a trusted proxy says.

    The path may come with a request or be taken off by the proxy: both are understood.
    """

    def __init__(self, app: Wsgi, own: str, trusted_proxies: int) -> None:
        self._app = app
        self._own = own
        self._trusted = trusted_proxies

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        prefix = self._own or self._forwarded(environ)
        if not prefix:
            return self._app(environ, start_response)
        environ[PREFIX] = prefix
        environ["PATH_INFO"] = _without(prefix, environ.get("PATH_INFO", ""))
        for name in _TOLD_BY_BROWSERS:
            if name in environ:
                parts = urlsplit(environ[name])
                environ[name] = urlunsplit(parts._replace(path=_without(prefix, parts.path)))
        return self._answered(environ, start_response, prefix)

    def _forwarded(self, environ: dict[str, Any]) -> str:
        """What the farthest trusted proxy says, if it is a path."""
        values = environ.get("HTTP_X_FORWARDED_PREFIX", "").split(",")
        if not self._trusted or len(values) < self._trusted:
            return ""
        path: str = values[-self._trusted].strip().rstrip("/")
        return path if PATH.fullmatch(path) else ""

    def _answered(
        self, environ: dict[str, Any], start_response: Any, prefix: str
    ) -> Iterable[bytes]:
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            headers = [(name, _with(environ, name.lower(), value)) for name, value in headers]
            kind = {name.lower(): value for name, value in headers}.get("content-type", "")
            if not kind.startswith("text/html"):
                return start_response(status, headers, *more)
            told[:] = status, headers, *more
            return None

        body = self._app(environ, start)
        if not told:
            return body
        try:
            page = _ADDRESSES.sub(rb"\g<1>" + prefix.encode() + rb"/", b"".join(body))
        finally:
            getattr(body, "close", lambda: None)()
        status, headers, *more = told
        if environ.get("REQUEST_METHOD") != "HEAD":
            headers = [one for one in headers if one[0].lower() != "content-length"]
            headers.append(("Content-Length", str(len(page))))
        start_response(status, headers, *more)
        return [page]


def path_of(address: str | None) -> str:
    """The path of a whole address, empty at the root of its host."""
    return urlsplit(address or "").path.rstrip("/")


def _without(prefix: str, path: str) -> str:
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(f"{prefix}/") else path


def _with(environ: dict[str, Any], name: str, value: str) -> str:
    """The value of a header of that name (in small letters) with the path in its address.

    The router's own redirects are whole addresses: those of this host get it too.
    """
    prefix = environ[PREFIX]
    if name in _LEADING:
        parts = urlsplit(value)
        is_here = parts.netloc in ("", environ.get("HTTP_HOST")) and parts.path.startswith("/")
        if is_here and not value.startswith("//"):
            return urlunsplit(parts._replace(path=prefix + parts.path))
    if name == "set-cookie":
        return re.sub(r"(;\s*Path=)/", rf"\g<1>{prefix}/", value, count=1, flags=re.IGNORECASE)
    return value
