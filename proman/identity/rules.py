"""Owns the pure decisions about signing in: passwords, waiting after failures, number patterns."""

import string
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from proman.base.errors import Refused

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
INVITATION_DAYS = 7
RESET_HOURS = 2
FREE_TRIES = {"email": 5, "address": 20}
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=24)
GUESSED_FIRST = frozenset(
    "password12 password123 1234567890 12345678910 qwertyuiop qwerty12345 iloveyou12 letmein123 "
    "welcome123 admin12345 changeme123 administrator propertymanager proman1234".split()
)


def refuse_weak_password(password: str, *, email: str, name: str) -> None:
    """Refuse a password that is too short, too long, one of the first guesses, or about the person.

    Length decides, not classes of characters (NIST SP 800-63B, 3.1.1.2). Raises Refused.
    """
    lowered = password.casefold()
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(f"Use at least {SHORTEST_PASSWORD} characters.", "password")
    if len(password) > LONGEST_PASSWORD:
        raise Refused(f"Use at most {LONGEST_PASSWORD} characters.", "password")
    if lowered in GUESSED_FIRST or len(set(lowered)) < 4:
        raise Refused("This is one of the first passwords anybody would try.", "password")
    if lowered in {email.casefold(), email.casefold().partition("@")[0], name.casefold()}:
        raise Refused("A password must not be your name or e-mail.", "password")


def wait_after(kind: str, failures: int) -> timedelta:
    """How long the next try has to wait after so many failures of one `email` or one `address`.

    The first few are free; then 1, 2, 4, … seconds, never more than a quarter of an hour, so that
    nobody can lock somebody else out for good.
    """
    beyond = failures - FREE_TRIES[kind]
    if beyond < 0:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(beyond, 10)), LONGEST_WAIT)


def tries_again_at(kind: str, failures: int, last_failed_at: datetime) -> datetime:
    """The first instant at which the next try is looked at."""
    return last_failed_at + wait_after(kind, failures)


def is_safe_next(target: str) -> bool:
    """Whether a page to go to after signing in lies on this server: a path, nothing else."""
    if not target.startswith("/") or target.startswith(("//", "/\\")):
        return False
    if any(ord(character) < 32 or character == "\\" for character in target):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc


def refuse_unusable_pattern(pattern: str, field: str) -> None:
    """Refuse a pattern of numbers that could give two documents one number or cannot be filled.

    `{year}` and `{sequence}` must both be in it, because sequences begin again each year;
    `{sequence:05d}` fills up with noughts. Raises Refused with the field's name.
    """
    try:
        parts = [part for part in string.Formatter().parse(pattern) if part[1] is not None]
        names = sorted(str(part[1]) for part in parts)
        sample = pattern.format(year=2026, sequence=123456)
    except (ValueError, KeyError, IndexError, AttributeError):
        raise Refused("Write it like {year}-{sequence:05d}.", field) from None
    if names != ["sequence", "year"] or any(part[3] for part in parts):
        raise Refused("It needs {year} once and {sequence} once, and no other field.", field)
    if any(not _is_plain_width(str(part[2] or "")) for part in parts):
        raise Refused("After the colon only a width is allowed, such as {sequence:05d}.", field)
    if len(sample) > 40:
        raise Refused("The numbers would be longer than 40 characters.", field)


def _is_plain_width(specification: str) -> bool:
    width = specification.removesuffix("d")
    return not specification or (width.isdecimal() and len(width) <= 2 and int(width) <= 12)
