"""Locks the books up to a day, and opens them again with a reason; nobody writes behind the lock.

Whoever decides holds the write of the organization, as does everybody who posts an entry: no entry
can slip in while the lock is set. A decision keeps which entry was the newest then, so that the
doctor can tell what came later without trusting a clock.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import Table, bindparam, func, select

from proman.base.errors import Refused
from proman.db import db
from proman.identity.actor import Actor
from proman.identity.models import User
from proman.ledger.models import Entry, PeriodLock

_locks: Table = PeriodLock.__table__  # type: ignore[assignment]
_IN_FORCE = (
    select(_locks.c.locked_through)
    .where(_locks.c.organization_id == bindparam("organization_id"))
    .order_by(_locks.c.id.desc())
    .limit(1)
)
_ONE_DAY = timedelta(days=1)


class BooksLocked(Refused):
    """A day lies in a period whose books are locked."""

    def __init__(self, through: date, field: str | None = None) -> None:
        super().__init__(
            f"The books are locked up to {through:%-d %B %Y}. Choose a later day, or let an "
            "administrator open them again.",
            field,
        )


def locked_through() -> date | None:
    """The last day (inclusive) whose books are locked; None when all are open."""
    return db.session.scalar(_IN_FORCE)


def first_open(day: date) -> date:
    """The day, or the first one after it whose books are open."""
    through = locked_through()
    return day if through is None or day > through else through + _ONE_DAY


def require_open(day: date, field: str | None = None) -> None:
    """Raises BooksLocked, beside `field`, for a day whose books are locked."""
    through = locked_through()
    if through is not None and day <= through:
        raise BooksLocked(through, field)


def lock_books(through: date, reason: str, *, today: date, actor: Actor) -> PeriodLock:
    """Lock the books up to a day (inclusive), or open them again up to an earlier lock.

    Must be inside a write. Raises Refused for a day that is not past yet (what is issued by itself
    is dated today), for one that changes nothing, and without a reason where days are opened.
    """
    before = locked_through()
    if through >= today:
        raise Refused("Lock days that are past: today's books are still being written.", "through")
    if before is not None and through == before:
        raise Refused("The books are locked up to this day already.", "through")
    if before is not None and through < before:
        _require_reason(reason)
    return _decide(through, reason, actor)


def open_books(reason: str, *, actor: Actor) -> PeriodLock:
    """Open all books again. Must be inside a write. Raises Refused without a reason or a lock."""
    if locked_through() is None:
        raise Refused("The books are open already.")
    _require_reason(reason)
    return _decide(None, reason, actor)


def decisions() -> Sequence[tuple[PeriodLock, str]]:
    """Every decision so far with the name of who took it, the newest first."""
    statement = (
        select(PeriodLock, func.coalesce(User.name, "ProMan"))
        .outerjoin(User, User.id == PeriodLock.recorded_by)
        .order_by(PeriodLock.id.desc())
        .limit(100)
    )
    return [(lock, name) for lock, name in db.session.execute(statement)]


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("Say why these days are opened again.", "reason")


def _decide(through: date | None, reason: str, actor: Actor) -> PeriodLock:
    newest = db.session.scalar(select(func.max(Entry.id))) or 0
    lock = PeriodLock(
        locked_through=through,
        reason=reason.strip(),
        newest_entry_id=newest,
        recorded_by=actor.id,
    )
    db.session.add(lock)
    db.session.flush()
    return lock
