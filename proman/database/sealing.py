"""Encrypts and decrypts files with age, whose files any other tool that knows age can open.

Files are encrypted to the public half of a key. Its secret half is sealed with a passphrase: that
takes a second and much memory each time, on purpose, so it is done once and not for each file.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import pyrage

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import confined, durable
from proman.database.sqlite_copy import Progress, silent

MAGIC = b"age-encryption.org/v1\n"
ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----"
MOST_SEALED = 8192
"""Characters of a sealed key: ours have about 540."""
LIMITS = confined.Limits(memory=2 << 30, cpu=180, wall=300)
"""Of a process that a passphrase keeps busy."""
TAG = 16
CHUNK = 64 << 10
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")


class Locked(Refused):
    """It is encrypted, and what was given does not open it; that says nothing against the file."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "passphrase")


class Unreadable(OSError):
    """The disk did not give what was to be encrypted or decrypted."""


@dataclass(frozen=True)
class Key:
    """A pair of keys: the recipient encrypts, the secret decrypts; `sealed` is that as it is kept.

    `sealed` is an armored age file, which the passphrase opens, of an identity file of age's.
    """

    recipient: str
    sealed: str
    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """What tells it from other keys in the names of files."""
        return key_id(self.recipient)


@dataclass(frozen=True)
class Passed:
    """What went through: SHA-256 (hex) and size in bytes of the plain and of the encrypted file."""

    plain_sha256: str
    plain_size: int
    sealed_sha256: str
    sealed_size: int


def key_id(recipient: str) -> str:
    """Sixteen hexadecimal digits of a public key's hash."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:16]


def is_recipient(text: object) -> bool:
    """Whether it is written like a public key of age."""
    return isinstance(text, str) and _RECIPIENT.fullmatch(text) is not None


def make_key(passphrase: str, made: str) -> Key:
    """A new key, proven by opening what was sealed; `made` says when, for who reads the file."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    text = f"# ProMan backups, made {made}\n# public key: {recipient}\n{identity}\n"
    found = _with_passphrase(passphrase, text=text)
    return unseal(found["sealed"], passphrase)


@lru_cache(maxsize=8)
def unseal(sealed: str, passphrase: str) -> Key:
    """The key that the passphrase opens; raises Locked when it does not open it.

    In a process of its own: it takes a second in which nothing else would run here, and what was
    uploaded may ask for more memory than there is.
    """
    found = _with_passphrase(passphrase, sealed=sealed)
    if not found["secret"]:
        raise Locked("The passphrase does not open it.")
    return Key(found["recipient"], sealed, found["secret"])


def _with_passphrase(passphrase: str, **request: str) -> dict[str, Any]:
    module = "proman.database.passphrase_process"
    return confined.run(module, {"passphrase": passphrase, **request}, LIMITS)


def is_sealed(path: Path) -> bool:
    """Whether the file is encrypted by age, by its content."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def sealed_size(plain: int) -> int:
    """The least that so many bytes take when they are encrypted; headers differ in length."""
    chunks = max(1, -(-plain // CHUNK))
    return len(MAGIC) + TAG + plain + chunks * TAG


def encrypt(source: Path, target: Path, key: Key, report: Progress = silent) -> Passed:
    """Writes `source`, encrypted, to `target`; it is on the disk when this returns.

    Raises Unreadable when the source cannot be read, OSError when the target cannot be written.
    """
    recipient = pyrage.x25519.Recipient.from_str(key.recipient)
    with source.open("rb") as plain, _writing(target) as sealed:
        size = os.fstat(plain.fileno()).st_size
        reader, writer = _Stream(plain, "encrypting", size, report), _Stream(sealed)
        try:
            pyrage.encrypt_io(reader, writer, [recipient])
        except (OSError, pyrage.EncryptError):
            _raise_for_disk(reader, writer)
            raise
        _sync(sealed)
    return Passed(reader.sha256, reader.size, writer.sha256, writer.size)


def decrypt(
    source: Path, target: Path | None, keys: Sequence[Key], report: Progress = silent
) -> Passed:
    """Reads `source` from the disk and writes what it holds to `target`, or nowhere for None.

    Raises Locked when none of the keys is its, Refused when it is damaged or cut short, Unreadable
    when it cannot be read and OSError when the target cannot be written.
    """
    identities = [pyrage.x25519.Identity.from_str(key.secret) for key in keys]
    with source.open("rb", buffering=durable.CHUNK) as sealed:
        with suppress(OSError, AttributeError):
            os.posix_fadvise(sealed.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(sealed.fileno()).st_size
        reader = _Stream(sealed, "decrypting", size, report)
        if target is None:
            writer = _Stream(None)
            _decrypt(reader, writer, identities)
        else:
            with _writing(target) as plain:
                writer = _Stream(plain)
                _decrypt(reader, writer, identities)
                _sync(plain)
    return Passed(writer.sha256, writer.size, reader.sha256, reader.size)


def _decrypt(reader: _Stream, writer: _Stream, identities: list[Any]) -> None:
    try:
        pyrage.decrypt_io(reader, writer, identities)
    except (OSError, pyrage.DecryptError) as error:
        _raise_for_disk(reader, writer)
        if "No matching keys" in str(error):
            raise Locked("It was encrypted with another key.") from None
        raise Refused("The encrypted file is damaged or was cut short.") from error


def _raise_for_disk(reader: _Stream, writer: _Stream) -> None:
    """The library tells of a failing disk in many ways; the streams know better."""
    if reader.fault is not None:
        raise Unreadable(reader.fault.errno, reader.fault.strerror) from reader.fault
    if writer.fault is not None:
        raise writer.fault


def _writing(path: Path) -> IO[bytes]:
    return os.fdopen(open_private(path, os.O_WRONLY | os.O_TRUNC), "wb", durable.CHUNK)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


class _Stream:
    """Hashes and counts what passes, and remembers what the disk said."""

    def __init__(
        self, file: IO[bytes] | None, phase: str = "", total: int = 0, report: Progress = silent
    ) -> None:
        self._file, self._phase, self._total, self._report = file, phase, total, report
        self._digest = hashlib.sha256()
        self.size = 0
        self.fault: OSError | None = None

    @property
    def sha256(self) -> str:
        """Of all that passed, hexadecimal."""
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        assert self._file is not None
        try:
            content = self._file.read(size)
        except OSError as error:
            self.fault = error
            raise
        before = self.size
        self._took(content)
        if before == 0 or before // durable.CHUNK < self.size // durable.CHUNK:
            self._report(self._phase, self.size, self._total)
        return content

    def write(self, content: bytes) -> int:
        try:
            if self._file is not None:
                self._file.write(content)
        except OSError as error:
            self.fault = error
            raise
        self._took(content)
        return len(content)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def _took(self, content: bytes) -> None:
        self._digest.update(content)
        self.size += len(content)
