"""The journal of backups: a file beside them that a restore cannot rewrite, one line an event.

Each line carries its number and the SHA-256 of the line before, so that no line can be changed or
taken out without the next one showing it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proman.base.private import open_private
from proman.database import durable
from proman.database.manifest import utc_text
from proman.db import utc_now

FILE = "journal.jsonl"
NOTHING = "0" * 64
"""Stands in the first line for the hash of the one before."""
CUT_OFF = "line cut off"
LONGEST = 500
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Line:
    """One event: when (ISO 8601, UTC), what, which backup, by whom, from where.

    `about` holds what the event is about besides: the hash of a line that was cut off, the keys of
    breaks that were accepted and their signature. `previous` is the SHA-256 of the line before.
    """

    line: int
    at: str
    what: str
    name: str
    who: str
    where: str
    detail: str
    previous: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """A line as it lies in the file: its bytes' SHA-256, and its content unless nobody can tell."""

    sha256: str
    line: Line | None
    is_closed: bool = True


@dataclass(frozen=True)
class Anchor:
    """How far a journal was: the number of its last line, 0 for none, and that line's SHA-256."""

    line: int = 0
    sha256: str = NOTHING


def append(
    directory: Path,
    what: str,
    name: str,
    who: str,
    where: str,
    detail: str = "",
    about: tuple[str, ...] = (),
) -> Line:
    """Adds one line; it is on the disk when this returns. Raises OSError or Refused, adding none.

    A last line that a power cut left unfinished is closed first, and a line says so.
    """
    durable.private_directory(directory)
    with _alone(directory / FILE) as file:
        end = _end(file)
        if end.fragment:
            end = _close(file, end)
        line = _line(end, what, name, who, where, detail, about)
        _write(file, as_bytes(line))
        return line


def as_bytes(line: Line) -> bytes:
    """The line as the file holds it, with its end."""
    values = asdict(line)
    if not line.about:
        del values["about"]
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def read(directory: Path) -> list[Read] | None:
    """Every line, oldest first; None where there is no journal yet. Raises OSError."""
    try:
        with (directory / FILE).open("rb") as file:
            # Whoever writes is done in a moment, and a line that is half written is none.
            fcntl.flock(file, fcntl.LOCK_SH)
            content = file.read()
    except FileNotFoundError:
        return None
    return [_parsed(one) for one in _split(content)]


def anchor(directory: Path) -> Anchor:
    """How far the journal is; nothing where it cannot be read."""
    with contextlib.suppress(OSError), (directory / FILE).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        end = _end(file.fileno())
        return Anchor(end.line, end.sha256)
    return Anchor()


@dataclass(frozen=True)
class _End:
    line: int
    sha256: str
    fragment: bytes = b""


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[int]:
    is_new = not path.exists()
    file = open_private(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            durable.sync_directory(path.parent)
        yield file
    finally:
        os.close(file)


def _end(file: int) -> _End:
    """The last whole line, and what stands behind it."""
    size = os.fstat(file).st_size
    if size == 0:
        return _End(0, NOTHING)
    length = min(size, _BLOCK)
    tail = os.pread(file, length, size - length)
    lines = _split(tail)
    whole = [one for one in lines if one.endswith(b"\n")]
    # The first one of the block may have begun before it.
    if len(whole) < 2 or (last := _parsed(whole[-1])).line is None:
        lines = _split(os.pread(file, size, 0))
        whole = [one for one in lines if one.endswith(b"\n")]
        if not whole:
            return _End(0, NOTHING, lines[-1])
        last = _parsed(whole[-1])
    number = last.line.line if last.line else len(whole)
    return _End(number, last.sha256, b"" if lines[-1].endswith(b"\n") else lines[-1])


def _close(file: int, end: _End) -> _End:
    """Ends the unfinished line. One that lacks only its end is whole; of another a line tells."""
    found = _parsed(end.fragment)
    if found.line is not None and found.line.previous == end.sha256:
        _write(file, b"\n")
        return _End(found.line.line, found.sha256)
    line = _line(
        end, CUT_OFF, "", "ProMan", "", "The last line was not written in full.", (found.sha256,)
    )
    _write(file, b"\n" + as_bytes(line))
    return _End(line.line, _parsed(as_bytes(line)).sha256)


def _line(
    end: _End, what: str, name: str, who: str, where: str, detail: str, about: tuple[str, ...]
) -> Line:
    return Line(
        line=end.line + 1,
        at=utc_text(utc_now()),
        what=what,
        name=name[:LONGEST],
        who=who[:LONGEST],
        where=where[:LONGEST],
        detail=detail[:LONGEST],
        previous=end.sha256,
        about=about,
    )


def _write(file: int, content: bytes) -> None:
    """All of it, on the disk, or nothing of it: a full disk leaves no half line."""
    size = os.fstat(file).st_size
    try:
        left = content
        while left:
            written = os.write(file, left)
            if written == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            left = left[written:]
        os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise


def _split(content: bytes) -> list[bytes]:
    """The lines with their ends; only a line feed ends one."""
    return [one for one in re.split(rb"(?<=\n)", content) if one]


def _parsed(raw: bytes) -> Read:
    text = raw.removesuffix(b"\n")
    return Read(hashlib.sha256(text).hexdigest(), _content(text), raw.endswith(b"\n"))


def _content(text: bytes) -> Line | None:
    try:
        values: dict[str, Any] = json.loads(text)
        line = Line(**{**values, "about": tuple(values.get("about", ()))})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    texts = (line.at, line.what, line.name, line.who, line.where, line.detail, line.previous)
    is_ours = isinstance(line.line, int) and all(isinstance(one, str) for one in texts)
    return line if is_ours and all(isinstance(one, str) for one in line.about) else None
