"""Links that are mailed, to a real SMTP server."""

import socket
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask

from proman.db import db
from proman.settings import Settings
from tests import factories
from tests.conftest import make_app


class Sink:
    """Takes every message."""

    def __init__(self) -> None:
        self.messages: Queue[Any] = Queue()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.put(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    """A mail server, and the port it listens on."""
    sink = Sink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port, ready_timeout=10)
    controller.start()
    yield sink, port
    controller.stop()


@pytest.fixture
def mailing(
    tmp_path: Path, sink: tuple[Sink, int], new_installation: Callable[..., Settings]
) -> Iterator[Flask]:
    """An installation with a mail server and a public address, and Mona in it."""
    changes = {
        "smtp_url": f"smtp://127.0.0.1:{sink[1]}",
        "mail_from": "ProMan <proman@example.com>",
        "public_url": "https://homes.example.com",
    }
    app = make_app(new_installation(tmp_path, **changes))
    with app.app_context():
        home = factories.make_organization()
        factories.make_user(home, "mona@example.com", "manager")
        factories.make_user(home, "alice@example.com", "administrator")
    yield app
    for thread in threading.enumerate():
        if thread.name == "link":  # it has mailed and is about to give its connection back
            thread.join()
    with app.app_context():
        db.engine.dispose()


def link_in(text: str) -> str:
    """The path of the link in a letter; it must lead to the public address."""
    _, found, path = text.partition("https://homes.example.com")
    assert found
    return path.split()[0]


def test_a_forgotten_password_is_answered_by_mail_under_the_public_address(
    mailing: Flask, sink: tuple[Sink, int]
) -> None:
    visitor = mailing.test_client()
    asked = {"email": "Mona@example.com"}
    answer = visitor.post("/password/forgotten", data=asked, headers={"Host": "evil.example"})
    assert "on its way" in answer.text
    letter = sink[0].messages.get(timeout=20)
    assert letter["To"] == "mona@example.com"
    path = link_in(letter.get_content())
    assert visitor.post(path, data={"password": "fresh new words"}).status_code == 303
    login = {"email": "mona@example.com", "password": "fresh new words"}
    assert visitor.post("/login", data=login, base_url="https://localhost").status_code == 303


def test_nobody_gets_the_same_answer_and_no_letter(mailing: Flask, sink: tuple[Sink, int]) -> None:
    visitor = mailing.test_client()
    answers = [
        visitor.post("/password/forgotten", data={"email": email}).text
        for email in ("nobody@example.com", "mona@example.com", "mona@example.com")
    ]
    assert "on its way" in answers[0]
    assert sink[0].messages.get(timeout=20)["To"] == "mona@example.com"
    assert sink[0].messages.empty()


def test_an_invitation_is_mailed_and_its_link_is_not_shown_as_missing(
    mailing: Flask, sink: tuple[Sink, int]
) -> None:
    alice = mailing.test_client()
    login = {"email": "alice@example.com", "password": factories.PASSWORD}
    assert alice.post("/login", data=login, base_url="https://localhost").status_code == 303
    typed = {"name": "Zoë 王", "email": "zoe@example.com", "role": "viewer"}
    answer = alice.post("/admin/users/new", data=typed, base_url="https://localhost")
    assert "was mailed to zoe@example.com" in answer.text
    letter = sink[0].messages.get(timeout=20)
    assert "Zoë 王" in letter.get_content()
    assert link_in(letter.get_content()).startswith("/password/")
