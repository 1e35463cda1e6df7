"""What a database or a disk refuses, told in one line that says what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError

from proman.base.errors import Refused
from proman.database.driver import sqlite3

_OR_RESTORE = ", or put a backup in its place: flask database restore FILE"
_ADVICE = (
    (
        r"invalid .* value|certificate",
        "Correct the options (after the ?) in DATABASE_URL.",
    ),
    (
        r"session is read-only",
        "No server there takes changes: wait until one does, or correct the hosts in DATABASE_URL.",
    ),
    (
        r"refused|timed? ?out|timeout|resolve|Name or service|unreachable|Can't connect",
        "Start the server, or correct host and port in DATABASE_URL.",
    ),
    (
        r"password|pg_hba|role .* does not exist|Access denied for user [^ ]*$",
        "Correct user and password in DATABASE_URL.",
    ),
    (
        r"Unknown database|database .* does not exist",
        "Make an empty database of that name, or correct DATABASE_URL.",
    ),
    (
        r"permission denied|must be owner|denied to user|denied for user",
        "Give ProMan's user every privilege on its database (on PostgreSQL: make it the owner).",
    ),
    (r"disk is full|No space left|is full", "Free some space and try again."),
    (
        r"readonly|read.only|Read-only",
        "ProMan has to write there: give its user the file and its directory, or name the primary.",
    ),
    (
        r"unable to open database file",
        "The directory has to be there and ProMan's user has to write in it.",
    ),
    (
        r"not a database|malformed",
        f"Correct DATABASE_URL{_OR_RESTORE}",
    ),
    (
        r"disk I/O error|Input/output error",
        "The disk is full or broken: free some space, or look for its errors in the system's log.",
    ),
    (r"is locked", "Another program holds it: end that one, or try again."),
)
"""What the drivers say in which case, and what a person can do then; the first that fits holds."""
_SQLITE_ERROR = 1
_NO_SUCH_COLUMN = 1054
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@contextmanager
def refused_plainly() -> Iterator[None]:
    """What a database or a disk refuses inside becomes Refused, with what can be done."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise Refused(f"The database cannot be used: {told(error)}") from error
    except OSError as error:
        if error.errno not in _DISK:
            raise
        where = f" ({error.filename})" if error.filename else ""
        raise Refused(f"The disk cannot be used{where}: {_advised(str(error.strerror))}") from error


def is_our_fault(error: DBAPIError) -> bool:
    """Whether a driver calls a mistake in a statement what it also calls a server that is away.

    SQLite's does for every mistake, that of MySQL for a column that is not there.
    """
    said = error.orig
    number = said.args[0] if said is not None and said.args else None
    return getattr(said, "sqlite_errorcode", None) == _SQLITE_ERROR or number == _NO_SUCH_COLUMN


def told(error: Exception, option: str = "DATABASE_URL") -> str:
    """What the driver says in its first line, and what to do about what `option` names."""
    said = error.orig if isinstance(error, DBAPIError) else error
    arguments: tuple[Any, ...] = getattr(said, "args", ())
    is_numbered = len(arguments) > 1 and isinstance(arguments[0], int)
    line = str(arguments[1] if is_numbered else said).partition("\n")[0]
    # MySQL quotes the value that is there already.
    line = re.sub(r"Duplicate entry '.*' for", "Duplicate entry for", line)
    return _advised(re.sub(r"\s+", " ", line).strip(), option)


def _advised(line: str, option: str = "DATABASE_URL") -> str:
    advice = next((advice for words, advice in _ADVICE if re.search(words, line)), "")
    if option != "DATABASE_URL":  # a restore would replace another one than that
        advice = advice.replace(_OR_RESTORE, ".").replace("DATABASE_URL", option)
    return f"{line.rstrip('.')}. {advice}".rstrip()
