"""Mail as a real server receives it."""

import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from proman.addresses import UnusableSetting
from proman.settings import read_settings
from proman.web.mail import Attachment, Message, Undelivered, mail_server
from tests.web.sink import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


def body_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_message_arrives_with_its_text_names_and_files(sink: Sink) -> None:
    server = mail_server(sink.url, "office@example.com")
    server.send(
        Message(
            "anna@example.com",
            "Rechnung für März – 王小明",
            "Grüße,\nİpek محمد\n" + "x" * 2000,
            [Attachment("2027-00012.pdf", "application/pdf", b"%PDF-1.7\x00\xff")],
            reply_to="manager@example.com",
            sender_name="Hausverwaltung „Lindenhof“, München",
        )
    )
    (mail,) = sink.mails
    assert mail["To"] == "anna@example.com"
    assert mail["From"].addresses[0].display_name == "Hausverwaltung „Lindenhof“, München"
    assert mail["From"].addresses[0].addr_spec == "office@example.com"
    assert mail["Subject"] == "Rechnung für März – 王小明"
    assert mail["Reply-To"] == "manager@example.com"
    assert body_of(mail) == "Grüße,\nİpek محمد\n" + "x" * 2000 + "\n"
    (file,) = mail.iter_attachments()
    assert file.get_filename() == "2027-00012.pdf"
    assert file.get_content() == b"%PDF-1.7\x00\xff"


def test_an_address_that_is_refused_is_told_and_the_next_one_is_served(sink: Sink) -> None:
    sink.refuses.add("gone@example.com")
    with mail_server(sink.url, "office@example.com").connection() as connection:
        with pytest.raises(Undelivered, match="550 No such person"):
            connection.send(Message("gone@example.com", "Invoice", "Hello"))
        connection.send(Message("anna@example.com", "Invoice", "Hello"))
    assert [mail["To"] for mail in sink.mails] == ["anna@example.com"]


@pytest.mark.parametrize("address", ["", "no address", "a@example.com\nBcc: b@example.com"])
def test_what_is_no_address_is_refused_before_anything_is_sent(sink: Sink, address: str) -> None:
    server = mail_server(sink.url, "office@example.com")
    with pytest.raises(Undelivered, match="not an address"):
        server.send(Message(address, "Invoice", "Hello"))
    assert sink.mails == []


def test_no_server_is_told_in_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = mail_server(f"smtp://127.0.0.1:{port}", "office@example.com")
    with pytest.raises(Undelivered, match=rf"No mail server at 127\.0\.0\.1:{port}"):
        server.send(Message("anna@example.com", "Invoice", "Hello"))


def test_the_address_of_the_server_is_read_whole() -> None:
    server = mail_server("smtps://me%40example.com:p%2Fw@mail.example.com", "o@example.com")
    assert (server.host, server.port, server.encrypted) == ("mail.example.com", 465, True)
    assert (server.user, server.password) == ("me@example.com", "p/w")
    assert "p/w" not in repr(server)


@pytest.mark.parametrize(
    ("url", "sender", "said"),
    [
        ("http://mail.example.com", "o@example.com", "smtp://"),
        ("smtp://", "o@example.com", "no host"),
        ("smtp://mail.example.com:x", "o@example.com", "port"),
        ("smtp://mail.example.com", "nobody", "MAIL_FROM"),
    ],
)
def test_a_setting_that_cannot_be_used_says_why(url: str, sender: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        mail_server(url, sender)


@pytest.mark.parametrize("sender", ["", "nobody"])
def test_the_start_is_refused_when_nobody_is_named_as_sender(tmp_path: Path, sender: str) -> None:
    environment = {
        "PROMAN_DATA_DIR": str(tmp_path),
        "SMTP_URL": "smtp://mail.example.com",
        "MAIL_FROM": sender,
    }
    with pytest.raises(UnusableSetting, match=r"^MAIL_FROM .* Example: MAIL_FROM=office@"):
        read_settings(environment)
