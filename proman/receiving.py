"""Receives what people send as far as the disk has room for it, and tells them when it has not.

Whoever is not signed in may send no more than a form is long: a body is kept before it is known
which page it is for.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge
from werkzeug.http import parse_cookie

from proman.database.durable import RESERVE
from proman.web.watching import refusal_for

TIMES = 3
"""A body lies on the disk as it was received, as its form was read, and where it is kept."""
MOST_OF_STRANGERS = 1 << 20
"""Bytes that somebody may send who is not signed in."""
NO_ROOM = (
    "There is not enough space on ProMan's disk for what was sent. Nothing was changed. Free some "
    "space and send it again."
)
NOT_SIGNED_IN = "Sign in before you send so much. Nothing was changed."


class _Body:
    """The body of a request; without room for it, it is read to its end and kept nowhere.

    Whoever sends hears the answer only after the last byte: of a connection that is closed before,
    a browser says that it was reset and nothing else.
    """

    def __init__(self, kept: OverflowableBuffer, most: int | None) -> None:
        self._kept = kept
        self._most = most
        self.fault = ""

    def append(self, data: bytes) -> None:
        if self.fault:
            return
        if self._most is not None and len(self) + len(data) > self._most:
            self.give_up(NOT_SIGNED_IN)
            return
        try:
            self._kept.append(data)
        except OSError:
            self.give_up(NO_ROOM)

    def give_up(self, fault: str) -> None:
        """Frees what was kept so far."""
        self.fault = fault
        self.close()

    def __len__(self) -> int:
        return int(self._kept.__len__())

    def getfile(self) -> Any:
        return self._kept.getfile()

    def close(self) -> None:
        # What could not be written is tried once more as the file is closed.
        with contextlib.suppress(OSError):
            self._kept.close()


class RoomyParser(HTTPRequestParser):
    """Answers 413 with a sentence where the disk is too small or fills up meanwhile."""

    is_signed_in: Callable[[str], bool]
    """Whether the cookies of a request are those of somebody who signed in."""
    _body: _Body | None = None

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is None:
            return
        is_known = self.is_signed_in(self.headers.get("COOKIE", ""))
        most = None if is_known else MOST_OF_STRANGERS
        self._body = self.body_rcv.buf = _Body(self.body_rcv.buf, most)
        if self.content_length > self.adj.inbuf_overflow and not _has_room(self.content_length):
            self._body.give_up(NO_ROOM)

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        if self.completed and self._body is not None and self._body.fault:
            self.error = RequestEntityTooLarge(self._body.fault)
        return consumed


def channel_for(app: Flask) -> type[HTTPChannel]:
    """The connections of a server of this application."""
    parser = type("Parser", (RoomyParser,), {"is_signed_in": staticmethod(partial(_is_user, app))})
    own = {"parser_class": parser, "error_task_class": refusal_for(app)}
    return type("Channel", (HTTPChannel,), own)


def _is_user(app: Flask, cookies: str) -> bool:
    """Whether this installation signed the cookie; that it is still valid, the page finds out."""
    interface = app.session_interface
    assert isinstance(interface, SecureCookieSessionInterface)
    signer = interface.get_signing_serializer(app)
    text = parse_cookie(cookies).get(interface.get_cookie_name(app))
    if signer is None or not text:
        return False
    try:
        found = signer.loads(text, max_age=int(app.permanent_session_lifetime.total_seconds()))
    except BadData:
        return False
    return "_user_id" in found


def _has_room(size: int) -> bool:
    return shutil.disk_usage(tempfile.gettempdir()).free >= TIMES * size + RESERVE
