"""TERM: whoever asked is answered, whoever asks then is turned away, and nothing outlives it."""

import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from proman import jobs
from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.payments.models import Payment
from proman.settings import Settings
from tests.conftest import Cast
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import ROOT, Server, database_of, serving
from tests.test_processes import is_waited_for, lease, refuses, scheduled, wait_until

__all__ = ["lease"]
THREADS, ASKED = 2, 5
LARGE = next((ROOT / "static" / "vendor").glob("tabler-*.min.css"))


@pytest.fixture
def heeded() -> Iterator[None]:
    """INT is not ignored by who is started now; the background of a shell hands that down."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def server(app: Flask, cast: Cast, tmp_path: Path) -> Iterator[Server]:
    """Fewer threads than there are requests, on the database of the test."""
    settings: Settings = app.extensions["proman_settings"]
    folder = tmp_path / "home"
    folder.mkdir()
    with serving(folder, THREADS=str(THREADS), **database_of(settings)) as server:
        yield server


def is_closed(server: Server) -> bool:
    """Whether nobody comes in any more; asks for nothing, which would wait for a thread as well."""
    place = urlsplit(server.url)
    assert place.hostname is not None
    try:
        socket.create_connection((place.hostname, place.port), timeout=30).close()
    except ConnectionError:
        return True
    return False


def test_what_waits_for_a_thread_is_answered_too(
    app: Flask, cast: Cast, server: Server, lease: str
) -> None:
    settings: Settings = app.extensions["proman_settings"]
    tills = [Person(server.url, "mona@example.com", PASSWORD) for _ in range(ASKED)]
    with app.app_context(), acting_for(cast.organization), ThreadPoolExecutor(ASKED) as people:
        # The schedule notes its jobs at the start; afterwards the payments alone wait to write.
        wait_until(lambda: scheduled() == len(jobs.schedule()))
        begin_write()
        fields = {"lease": lease, "amount": "1", "received_on": "2026-03-01", "how": "oldest"}
        answers = [
            people.submit(
                till.post, "/payments/", method="transfer", reference=str(number), **fields
            )
            for number, till in enumerate(tills)
        ]
        wait_until(lambda: is_waited_for(settings))
        server.wait_for(f"Task queue depth is {ASKED - THREADS}")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_closed(server))
        db.session.rollback()
        assert [answer.result().status_code for answer in answers] == [303] * ASKED
        assert db.session.execute(select(func.count(Payment.id))).scalar_one() == ASKED
        db.session.remove()
    assert server.process.wait(30) == 0


def test_an_answer_that_is_on_its_way_arrives_whole(server: Server) -> None:
    place = urlsplit(server.url)
    assert place.hostname is not None
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((place.hostname, place.port))
        path = f"/static/vendor/{LARGE.name}"
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: proman\r\nConnection: close\r\n\r\n".encode())
        received = slow.recv(1000)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_closed(server))
        while chunk := slow.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == LARGE.read_bytes()
    assert server.process.wait(30) == 0


def test_a_second_int_ends_it_at_once(heeded: None, server: Server) -> None:
    place = urlsplit(server.url)
    assert place.hostname is not None
    with socket.create_connection((place.hostname, place.port)) as unfinished:
        unfinished.sendall(b"POST /sign-in HTTP/1.1\r\nHost: proman\r\nContent-Length: 9\r\n\r\n1")
        wait_until(lambda: not refuses(server.url))
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: is_closed(server))
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0
