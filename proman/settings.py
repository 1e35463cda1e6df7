"""Owns the settings: the one reader of the environment."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, get_args, get_type_hints
from urllib.parse import urlsplit

from sqlalchemy import URL

from proman.addresses import PATH, UnusableSetting, parse_database_url
from proman.base.private import made_once, make_private_directory

LEAST_PASSPHRASE = 12
"""Characters: shorter ones are tried out by whoever has a copy of the backups."""


@dataclass(frozen=True)
class Variable:
    """A variable of the environment and what docs/reference/variables.md says of it.

    `default` is told in words where the value beside the field does not say it. `refused` are
    values that stop the start; the reference shows each with the line that ProMan answers. What is
    secret may also stand in a file that NAME_FILE names.
    """

    name: str
    meaning: str
    default: str = ""
    refused: tuple[str, ...] = ()
    is_secret: bool = False


@dataclass(frozen=True)
class Settings:
    """Everything that is decided outside the code. Paths are absolute."""

    data_dir: Annotated[
        Path,
        Variable(
            "PROMAN_DATA_DIR",
            "The directory of the database file, of uploaded documents and of the secret key. It is"
            " made where it is missing, and must be writable.",
            default="`data` in the working directory",
            refused=("/dev/null/data",),
        ),
    ]
    backup_dir: Annotated[
        Path,
        Variable(
            "PROMAN_BACKUP_DIR",
            "The directory of the backups; several servers of one database share it.",
            default="`backups` in the data directory",
        ),
    ]
    database_url: Annotated[
        URL,
        Variable(
            "DATABASE_URL",
            "The address of the database: an SQLite file, PostgreSQL, MySQL or MariaDB. Of several"
            " hosts of PostgreSQL the one is used that takes changes.",
            default="`proman.sqlite` in the data directory",
            refused=(
                "oracle://host/proman",
                "mysql://one,two/proman",
                "postgresql://user:p@ss@host/proman",
            ),
            is_secret=True,
        ),
    ]
    secret_key: Annotated[
        str,
        Variable(
            "SECRET_KEY",
            "What sessions and links are signed with. Several servers of one database need the"
            " same; a new one signs everybody out.",
            default="made once, in `secret.key` in the data directory",
            is_secret=True,
        ),
    ] = field(repr=False)
    replica_url: Annotated[
        URL | None,
        Variable(
            "DATABASE_REPLICA_URL",
            "A read replica of PostgreSQL, from which reports and exports are read.",
            refused=("mysql://host/proman",),
            is_secret=True,
        ),
    ] = None
    public_url: Annotated[
        str | None,
        Variable(
            "PROMAN_URL",
            "The address under which people reach ProMan. Links in mail begin with it, and where it"
            " is https the cookie of a session travels encrypted only.",
            refused=("proman.example.com",),
        ),
    ] = None
    smtp_url: Annotated[
        str | None,
        Variable(
            "SMTP_URL",
            "The server that takes mail, as `smtp://` or `smtps://`, with user and password where"
            " it wants them. Without it what would be mailed is shown to copy.",
            refused=("mail.example.com",),
            is_secret=True,
        ),
    ] = field(default=None, repr=False)
    mail_from: Annotated[
        str,
        Variable(
            "MAIL_FROM",
            "The sender of mail, with or without a name before the address. `SMTP_URL` needs it.",
            refused=("office",),
        ),
    ] = ""
    backup_passphrase: Annotated[
        str | None,
        Variable(
            "PROMAN_BACKUP_PASSPHRASE",
            "Backups are encrypted with it. Whoever loses it loses the backups.",
            refused=("too short",),
            is_secret=True,
        ),
    ] = field(default=None, repr=False)
    metrics: Annotated[
        bool,
        Variable(
            "PROMAN_METRICS",
            "Whether `/metrics` answers Prometheus: those that ask the port directly, and none that"
            " come through a proxy.",
            refused=("perhaps",),
        ),
    ] = False
    log: Annotated[
        str,
        Variable(
            "PROMAN_LOG",
            "How lines are logged on standard error: `text` for people, `json` for collectors.",
            refused=("xml",),
        ),
    ] = "text"
    trusted_proxies: Annotated[
        int,
        Variable(
            "PROMAN_TRUSTED_PROXIES",
            "How many proxies stand before ProMan and say from where a request came. Too many, and"
            " anybody may claim any address.",
            refused=("-1",),
        ),
    ] = 0
    host: Annotated[
        str, Variable("HOST", "The address to listen on; `0.0.0.0` is every one of the machine.")
    ] = "127.0.0.1"
    port: Annotated[
        int, Variable("PORT", "The port to listen on; 0 takes a free one.", refused=("70000",))
    ] = 8000
    threads: Annotated[
        int,
        Variable("THREADS", "How many requests a process answers at once.", refused=("0",)),
    ] = 8

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.get_backend_name() == "sqlite"

    @property
    def database_file(self) -> Path | None:
        """The live SQLite file, or None on a database server."""
        return Path(self.database_url.database or "") if self.is_sqlite else None


def variables() -> dict[str, Variable]:
    """Every variable that `read_settings` reads, by the name of its setting, in order."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items()}


_SECRETS = tuple(one.name for one in variables().values() if one.is_secret)
_ADDRESSES = ("DATABASE_URL", "DATABASE_REPLICA_URL", "SMTP_URL", "PROMAN_URL")
_LEAST_KEY = 32


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment; makes the data directory and, once, the secret key.

    Raises UnusableSetting with one line that names the variable, what was wrong and an example.
    """
    env = _with_secret_files(os.environ if environ is None else environ)
    data_dir = Path(env.get("PROMAN_DATA_DIR") or "data").absolute()
    _make_directory("PROMAN_DATA_DIR", data_dir)
    database_url = parse_database_url(env.get("DATABASE_URL") or "", data_dir)
    return Settings(
        data_dir=data_dir,
        backup_dir=Path(env.get("PROMAN_BACKUP_DIR") or data_dir / "backups").absolute(),
        database_url=database_url,
        replica_url=_replica_url(env.get("DATABASE_REPLICA_URL") or "", database_url),
        secret_key=env.get("SECRET_KEY") or _own_secret_key(data_dir),
        public_url=_public_url(env.get("PROMAN_URL")),
        smtp_url=_address("SMTP_URL", env.get("SMTP_URL"), ("smtp", "smtps")),
        mail_from=_sender(env),
        backup_passphrase=_passphrase(env),
        metrics=_switch("PROMAN_METRICS", env.get("PROMAN_METRICS", "")),
        log=_one_of("PROMAN_LOG", env, ("text", "json")),
        trusted_proxies=_number("PROMAN_TRUSTED_PROXIES", env, 0, 0, 10),
        host=env.get("HOST") or "127.0.0.1",
        port=_number("PORT", env, 8000, 0, 65535),
        threads=_number("THREADS", env, 8, 1, 256),
    )


def _replica_url(text: str, primary: URL) -> URL | None:
    if not text:
        return None
    example = "postgresql://user:password@replica/proman"
    try:
        url = parse_database_url(text, Path(), of_several="standby")
    except UnusableSetting:
        raise UnusableSetting("DATABASE_REPLICA_URL", "is not an address.", example) from None
    if {url.get_backend_name(), primary.get_backend_name()} != {"postgresql"}:
        raise UnusableSetting(
            "DATABASE_REPLICA_URL", "needs PostgreSQL, there and in DATABASE_URL.", example
        )
    return url


def _passphrase(env: Mapping[str, str]) -> str | None:
    name = "PROMAN_BACKUP_PASSPHRASE"
    text = (env.get(name) or "").strip()
    from_file = env.get(f"{name}_FILE")
    example = "seven words that nobody would put together"
    if not text and not from_file:
        if env.get(name):
            raise UnusableSetting(name, "holds blanks alone.", example)
        return None
    if len(text) < LEAST_PASSPHRASE:
        where = f"in {from_file} " if from_file and not env.get(name) else ""
        problem = f"{where}has {len(text)} characters; at least {LEAST_PASSPHRASE} are needed."
        raise UnusableSetting(name, problem, example)
    if not text.isprintable():
        raise UnusableSetting(name, "is more than one line, or cannot be typed.", example)
    return text


def _with_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    env = dict(environ)
    for name in _ADDRESSES:
        if name in env:
            env[name] = env[name].strip()  # a Secret that was made of a file ends in a new line
    for name in _SECRETS:
        path = env.get(f"{name}_FILE")
        if path and not env.get(name):
            try:
                env[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise UnusableSetting(
                    f"{name}_FILE", f"cannot be read ({error}).", "/run/secrets/proman"
                ) from None
    return env


def _make_directory(name: str, path: Path) -> None:
    try:
        make_private_directory(path)
    except OSError as error:
        raise UnusableSetting(name, f"cannot be made ({error}).", "/data") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UnusableSetting(
            name, f"({path}) cannot be written by user {os.getuid()}; give it that owner.", "/data"
        )


def _own_secret_key(data_dir: Path) -> str:
    path = data_dir / "secret.key"
    try:
        key = made_once(path, secrets.token_urlsafe(48))
    except (OSError, UnicodeDecodeError) as error:
        problem = f"({data_dir}) cannot keep its secret.key ({error})."
        raise UnusableSetting("PROMAN_DATA_DIR", problem, "/data") from None
    if len(key) < _LEAST_KEY:
        problem = (
            f"is not set, and {path} holds no key. Remove that file: the next start makes another,"
            " and everyone signs in again."
        )
        raise UnusableSetting("SECRET_KEY", problem, "what-the-file-held-before")
    return key


def _address(name: str, text: str | None, schemes: tuple[str, ...]) -> str | None:
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname:
        raise UnusableSetting(
            name, f"is not a {schemes[0]} address.", f"{schemes[-1]}://example.com"
        )
    return text.rstrip("/")


def _public_url(text: str | None) -> str | None:
    address = _address("PROMAN_URL", text, ("http", "https"))
    parts = urlsplit(address or "")
    if parts.query or parts.fragment or (parts.path and not PATH.fullmatch(parts.path)):
        problem = "may have a path of letters, digits, '.', '_', '~' and '-' after the host."
        raise UnusableSetting("PROMAN_URL", problem, "https://example.com/proman")
    return address


def _sender(env: Mapping[str, str]) -> str:
    sender = env.get("MAIL_FROM", "").strip()
    if "@" not in parseaddr(sender)[1] and (sender or env.get("SMTP_URL")):
        problem = "is no e-mail address." if sender else "is missing; SMTP_URL needs it."
        raise UnusableSetting("MAIL_FROM", problem, "office@example.com")
    return sender


def _switch(name: str, text: str) -> bool:
    value = text.strip().lower()
    if value in ("", "0", "off", "false", "no"):
        return False
    if value in ("1", "on", "true", "yes"):
        return True
    raise UnusableSetting(name, f"is “{text}”, neither on nor off.", "on")


def _one_of(name: str, env: Mapping[str, str], words: tuple[str, ...]) -> str:
    """One of the words; the first where nothing is said."""
    text = env.get(name, "").strip().lower()
    if text and text not in words:
        raise UnusableSetting(name, f"is “{text}”, not {' or '.join(words)}.", words[-1])
    return text or words[0]


def _number(name: str, env: Mapping[str, str], default: int, low: int, high: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise UnusableSetting(
            name, f"is “{text}”, not a number from {low} to {high}.", str(default)
        )
    return int(text)
