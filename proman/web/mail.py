"""Owns sending mail through the server that SMTP_URL names."""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid, parseaddr
from urllib.parse import SplitResult, unquote, urlsplit

_SECONDS = 20
_EXAMPLE = "smtp://user:password@mail.example.com:587"


class Undelivered(Exception):
    """A message was not taken; `reason` is what the mail server or the network said."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address, in plain text. `reply_to` may be empty."""

    to: str
    subject: str
    text: str
    attachments: Sequence[Attachment] = ()
    reply_to: str = ""
    sender_name: str = ""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where messages are handed over. `from_address` is MAIL_FROM."""

    host: str
    port: int
    from_address: str
    user: str = ""
    password: str = field(default="", repr=False)
    encrypted: bool = False
    """TLS from the first byte (smtps); otherwise STARTTLS wherever the server offers it."""

    @contextmanager
    def connection(self) -> Iterator["Connection"]:
        """A connection for any number of messages. Raises Undelivered when there is none."""
        try:
            smtp = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(
                f"No mail server at {self.host}:{self.port}: {_said(error)}"
            ) from error
        try:
            yield Connection(smtp, self.from_address)
        finally:
            _leave(smtp)

    def send(self, message: Message) -> None:
        """Send one message. Raises Undelivered."""
        with self.connection() as connection:
            connection.send(message)

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.encrypted:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=_SECONDS, context=context
            )
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            smtp.ehlo()
            if not self.encrypted and smtp.has_extn("starttls"):
                smtp.starttls(context=context)
                smtp.ehlo()
            if self.user:
                smtp.login(self.user, self.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection to the mail server."""

    smtp: smtplib.SMTP
    from_address: str

    def send(self, message: Message) -> None:
        """Hand one message over. Raises Undelivered; the connection can be used again."""
        try:
            self.smtp.send_message(compose(message, self.from_address))
        except ValueError as error:
            raise Undelivered(f"“{message.to}” is not an address mail can be sent to.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(_said(error)) from error


def mail_server(url: str, from_address: str) -> MailServer:
    """The server of SMTP_URL: smtp://[user:password@]host[:port] or smtps://… (port 465).

    Raises ValueError with a sentence that says what is wrong and shows an example.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps"):
        raise ValueError(f"it must begin with smtp:// or smtps://, like {_EXAMPLE}")
    if not parts.hostname:
        raise ValueError(f"it names no host; it should look like {_EXAMPLE}")
    if "@" not in parseaddr(from_address)[1]:
        raise ValueError("MAIL_FROM must be an address, like office@example.com")
    return MailServer(
        host=parts.hostname,
        port=_port(parts),
        from_address=from_address,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        encrypted=parts.scheme == "smtps",
    )


def _port(parts: SplitResult) -> int:
    try:
        given = parts.port
    except ValueError:
        raise ValueError(f"its port is not a number; it should look like {_EXAMPLE}") from None
    return given or (465 if parts.scheme == "smtps" else 25)


def compose(message: Message, from_address: str) -> EmailMessage:
    """The message as it is sent. Raises ValueError for what is no address or breaks a line."""
    _, bare = parseaddr(message.to)
    if "@" not in bare:
        raise ValueError(message.to)
    name, address = parseaddr(from_address)
    mail = EmailMessage()
    mail["From"] = formataddr((message.sender_name or name, address))
    mail["To"] = message.to
    mail["Subject"] = message.subject
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    if message.reply_to:
        mail["Reply-To"] = message.reply_to
    mail.set_content(message.text)
    for attachment in message.attachments:
        kind, _, subkind = attachment.media_type.partition("/")
        mail.add_attachment(
            attachment.content, maintype=kind, subtype=subkind, filename=attachment.name
        )
    return mail


def _leave(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        smtp.close()


def _said(error: Exception) -> str:
    """What the server or the network said, in one line."""
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return " ".join(str(error).split()) or type(error).__name__
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return " ".join(f"{code} {said}".split())
