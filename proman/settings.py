"""Owns the settings: the one reader of the environment."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL

from proman.addresses import UnusableSetting, parse_database_url
from proman.base.private import make_private_directory, open_private

SECRETS = (
    "DATABASE_URL",
    "DATABASE_REPLICA_URL",
    "SECRET_KEY",
    "SMTP_URL",
    "PROMAN_BACKUP_PASSPHRASE",
)


LEAST_PASSPHRASE = 12
"""Characters: shorter ones are tried out by whoever has a copy of the backups."""


@dataclass(frozen=True)
class Settings:
    """Everything that is decided outside the code. Paths are absolute."""

    data_dir: Path
    backup_dir: Path
    database_url: URL
    secret_key: str = field(repr=False)
    replica_url: URL | None = None
    public_url: str | None = None
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = ""
    backup_passphrase: str | None = field(default=None, repr=False)
    metrics: bool = False
    log: str = "text"
    trusted_proxies: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.get_backend_name() == "sqlite"

    @property
    def database_file(self) -> Path | None:
        """The live SQLite file, or None on a database server."""
        return Path(self.database_url.database or "") if self.is_sqlite else None


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
        public_url=_address("PROMAN_URL", env.get("PROMAN_URL"), ("http", "https")),
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
    for name in SECRETS:
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
        descriptor = open_private(path, os.O_WRONLY | os.O_EXCL)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text(encoding="ascii").strip()


def _address(name: str, text: str | None, schemes: tuple[str, ...]) -> str | None:
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname:
        raise UnusableSetting(
            name, f"is not a {schemes[0]} address.", f"{schemes[-1]}://example.com"
        )
    return text.rstrip("/")


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
