"""Owns the door: a try is counted before it is looked at, and waits once too many have failed."""

import hashlib
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.models import LoginFailure
from proman.identity.passwords import is_password
from proman.identity.queries import Account, account_of
from proman.identity.rules import FORGOTTEN_AFTER, tries_again_at, wait_after

WRONG = "This e-mail and password do not belong together."


class TooManyTries(Refused):
    """The try was not looked at; `seconds` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"There were too many tries. Wait {_span(seconds)}, then try again.")
        self.seconds = seconds


def check_password(email: str, password: str, address: str, now: datetime) -> Account:
    """The account that this e-mail and password open.

    Each try is committed as a failure before it is looked at, so that many at once cannot slip
    through; `forget_failures` takes it back. The answer and the time it takes are the same for an
    e-mail that nobody has. Raises Refused, and TooManyTries after repeated failures of the e-mail
    or the address.
    """
    _count({"email": key_of("email", email), "address": key_of("address", address)}, now)
    account = account_of(email)
    is_active = account is not None and account.deactivated_at is None
    fits = is_password(account.password_hash if account and is_active else None, password)
    if account is None or not fits:
        raise Refused(WRONG)
    return account


def forget_failures(email: str, address: str, now: datetime) -> None:
    """After a success: the e-mail begins anew, the address gets its last try back.

    Only the last one, or somebody with one login could try those of others without end.
    """
    # Read first: a deletion by time would wait for every row that others are counting in.
    old = select(LoginFailure.key).where(LoginFailure.last_failed_at < now - FORGOTTEN_AFTER)
    gone = [key_of("email", email), *db.session.scalars(old)]
    db.session.execute(delete(LoginFailure).where(LoginFailure.key.in_(gone)))
    row = db.session.get(LoginFailure, key_of("address", address), populate_existing=True)
    if row is not None:
        row.failures = max(0, row.failures - 1)


def count_code_try(address: str, now: datetime) -> None:
    """Count a try at the first visit's code. Raises TooManyTries after repeated ones."""
    _count({"address": key_of("code", address)}, now)


def key_of(kind: str, value: str) -> str:
    """The row of an `email` or an `address`; only a hash is kept."""
    return hashlib.sha256(f"{kind}:{value.strip().lower()}".encode()).hexdigest()


def _count(keys: dict[str, str], now: datetime) -> None:
    begin_write()
    statement = select(LoginFailure).where(LoginFailure.key.in_(keys.values())).with_for_update()
    rows = {row.key: row for row in db.session.scalars(statement)}
    for kind, key in keys.items():
        row = rows.get(key)
        if row is not None and row.last_failed_at > now - FORGOTTEN_AFTER:
            _refuse_too_early(kind, row, now)
    for key in keys.values():
        _add_failure(rows.get(key), key, now)
    try:
        db.session.commit()
    except IntegrityError:  # another first failure of the same key was faster; that one counts
        db.session.rollback()


def _refuse_too_early(kind: str, row: LoginFailure, now: datetime) -> None:
    # Tries at the same time wait for one another here, so the last one may be later than `now`.
    if not wait_after(kind, row.failures):
        return
    seconds = (tries_again_at(kind, row.failures, row.last_failed_at) - now).total_seconds()
    if seconds > 0:
        db.session.rollback()
        raise TooManyTries(int(seconds) + 1)


def _add_failure(row: LoginFailure | None, key: str, now: datetime) -> None:
    if row is None:
        db.session.add(LoginFailure(key=key, failures=1, last_failed_at=now))
    else:
        is_old = row.last_failed_at <= now - FORGOTTEN_AFTER
        row.failures = 1 if is_old else row.failures + 1
        row.last_failed_at = now


def _span(seconds: int) -> str:
    if seconds < 90:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
