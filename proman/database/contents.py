"""Keeps files by their SHA-256, each once: what was uploaded, and beside backups what those need.

A file lies under its hash (`ab/cdef…`) and never changes, so nothing of another content is ever
overwritten, and whoever has the name can prove the content.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from proman.base.errors import Refused
from proman.base.private import make_private_directory, open_private
from proman.database import durable

FOLDER = "files"
SET_ASIDE = ".damaged"
_HASH = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"[0-9a-f]{2}")
_REST = re.compile(r"([0-9a-f]{62})(\.age)?(\.damaged)?")
_KEY_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, order=True)
class Content:
    """What is kept: SHA-256 (hex), size in bytes, and what people call it."""

    sha256: str
    size: int
    name: str = ""


def is_hash(text: object) -> bool:
    """Whether the text is a SHA-256 as it is written here, and so is safe as a name."""
    return isinstance(text, str) and _HASH.fullmatch(text) is not None


def is_key_id(text: str) -> bool:
    """Whether a folder of that name holds contents that are encrypted to a key."""
    return _KEY_ID.fullmatch(text) is not None


def path_of(folder: Path, sha256: str) -> Path:
    """Where the content of that hash lies in the folder; raises ValueError for no hash."""
    if not is_hash(sha256):
        raise ValueError(f"{sha256!r} is no SHA-256")
    return folder / sha256[:2] / sha256[2:]


def keep(folder: Path, content: IO[bytes], most: int, name: str = "") -> Content:
    """Stores what is read, at most `most` bytes; it is on the disk when this returns.

    Content that is there already is read and compared; where it is damaged it is replaced. Raises
    Refused for what is empty or too large, and when it cannot be written; then nothing is left.
    """
    durable.private_directory(folder)
    try:
        with durable.partial(folder) as temporary:
            kept = _written(temporary, _measured(content, most, folder), name)
            if kept.size == 0:
                raise Refused("The file is empty.")
            place(temporary, kept, folder)
            return kept
    except OSError as error:
        raise Refused(f"The file could not be stored: {error.strerror}.") from error


def copy(source: Path, wanted: Content, folder: Path) -> bool:
    """Copies the content into another folder and reads it back from the disk.

    False when the source is not there, cannot be read or is not what its hash says; then nothing is
    left. Raises OSError when it cannot be written.
    """
    durable.private_directory(folder)
    with durable.partial(folder) as temporary:
        try:
            with source.open("rb") as file:
                found = _written(temporary, _chunks(_Readable(file)), wanted.name)
        except (FileNotFoundError, _Unreadable):
            return False
        is_same = (found.sha256, found.size) == (wanted.sha256, wanted.size)
        if not is_same or durable.sha256_from_disk(temporary) != wanted.sha256:
            return False
        place(temporary, wanted, folder)
        return True


def is_there(folder: Path, wanted: Content) -> bool:
    """Whether the folder holds it, by name and size; nothing is read."""
    try:
        return is_hash(wanted.sha256) and path_of(folder, wanted.sha256).stat().st_size == (
            wanted.size
        )
    except OSError:
        return False


def is_good(folder: Path, wanted: Content) -> bool:
    """Whether the folder holds it as it was: all of it is read from the disk."""
    try:
        return is_there(folder, wanted) and (
            durable.sha256_from_disk(path_of(folder, wanted.sha256)) == wanted.sha256
        )
    except OSError:
        return False


def set_aside(folder: Path, wanted: Content) -> None:
    """Takes damaged content out of the way, so that a good copy can take its place."""
    path = path_of(folder, wanted.sha256)
    if path.exists():
        path.replace(path.with_name(path.name + SET_ASIDE))
        durable.sync_directory(path.parent)


def every(folder: Path) -> Iterator[tuple[str, Path]]:
    """All that the folder holds, what was set aside too: the hash and where it lies."""
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        for path in sorted(part.iterdir()) if _PART.fullmatch(part.name) else ():
            found = _REST.fullmatch(path.name)
            if found:
                yield part.name + found[1], path


def remove(paths: Iterable[Path]) -> int:
    """Removes these files and returns how many there were."""
    removed = 0
    for path in paths:
        path.unlink(missing_ok=True)
        removed += 1
    return removed


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Keeps those who remove out until the rows that need what is stored meanwhile are committed.

    Waits while something is being removed.
    """
    durable.private_directory(folder)
    descriptor = _lock_of(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """For those who remove: whether nobody is storing anything, and nobody begins inside."""
    descriptor = _lock_of(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _lock_of(folder: Path) -> int:
    return open_private(folder / ".lock", os.O_RDWR)


def place(temporary: Path, wanted: Content, folder: Path) -> None:
    """Gives a whole, synced file the name of its hash; one that is there and good stays."""
    final = path_of(folder, wanted.sha256)
    if is_good(folder, wanted):
        os.utime(final)  # needed anew: whoever removes by age must not take it now
        return
    if not final.parent.is_dir():
        make_private_directory(final.parent)
        durable.sync_directory(folder)
    temporary.replace(final)
    durable.sync_directory(final.parent)


def _written(path: Path, chunks: Iterable[bytes], name: str) -> Content:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Content(digest.hexdigest(), size, name)


def _chunks(content: IO[bytes] | _Readable) -> Iterator[bytes]:
    while chunk := content.read(durable.CHUNK):
        yield chunk


def _measured(content: IO[bytes], most: int, folder: Path) -> Iterator[bytes]:
    size = 0
    for chunk in _chunks(content):
        size += len(chunk)
        if size > most:
            raise Refused(f"The file is larger than {most >> 20} MB, the most that is taken.")
        durable.require_space(folder, len(chunk))
        yield chunk


class _Unreadable(Exception):
    """The disk did not give what lies on it."""


class _Readable:
    """Tells a disk that cannot be read from one that cannot be written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise _Unreadable from error
