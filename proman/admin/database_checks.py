"""Lends the database tools what only the domain knows: the books, administrators, audit trail."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from proman.base.checks import Breach
from proman.database.installation import Checks, Event
from proman.db import utc_now
from proman.files.models import Document
from proman.files.queries import IN_USE
from proman.identity.models import AccessToken, AuditEntry, Organization, User
from proman.identity.session import renew_installation_epoch
from proman.ledger.models import Posting

_users = User.__table__
_audit = AuditEntry.__table__
_postings = Posting.__table__
# A backup, a download, a restore changes nothing that a backup would save.
_of_the_business = _audit.c.subject_type != "database"
_administrators = select(func.count()).where(
    _users.c.role == "administrator",
    _users.c.deactivated_at.is_(None),
    _users.c.password_hash.is_not(None),
)
_operators = select(func.count()).where(
    _users.c.is_operator,
    _users.c.deactivated_at.is_(None),
    _users.c.password_hash.is_not(None),
)


def ledger_balance(connection: Connection) -> int:
    """Debits less credits over all postings, in minor units; nil in sound books."""
    difference = func.sum(_postings.c.debit) - func.sum(_postings.c.credit)
    return int(connection.execute(select(difference)).scalar() or 0)


def newest_change(connection: Connection) -> datetime | None:
    """When the audit trail last told of a change that a backup saves, naive UTC."""
    found: datetime | None = connection.execute(
        select(func.max(_audit.c.at)).where(_of_the_business)
    ).scalar()
    return found


def changes_since(connection: Connection, moment: datetime) -> int:
    """How many changes that a backup saves were recorded after a naive UTC moment."""
    statement = select(func.count()).where(_audit.c.at > moment, _of_the_business)
    return int(connection.execute(statement).scalar_one())


def void_access(connection: Connection) -> None:
    """Every link that would set a password counts as used, and no cookie fits any more.

    The epoch outside the database does the same on this machine alone.
    """
    unused = update(AccessToken).where(AccessToken.used_at.is_(None))
    connection.execute(unused.values(used_at=utc_now()))
    connection.execute(update(User).values(session_epoch=secrets.randbelow(2**30)))


def record(connection: Connection, event: Event) -> None:
    """One line in the trail of every organization, for it touches all of them.

    The person is linked only where the database still knows them under this id and name.
    """
    organizations = Organization.__table__
    known = select(_users.c.id, _users.c.organization_id).where(
        _users.c.id == event.actor_id, _users.c.name == event.actor_name
    )
    person = connection.execute(known).first()
    rows = [
        {
            "organization_id": own,
            "at": utc_now(),
            "actor_id": person.id if person and person.organization_id == own else None,
            "actor_name": event.actor_name,
            "action": event.action,
            "subject_type": "database",
            "subject_label": event.label,
            "after": dict(event.after),
        }
        for own in connection.execute(select(organizations.c.id)).scalars()
    ]
    if rows:
        connection.execute(insert(AuditEntry), rows)


def lent(examine: Callable[[Connection, str], Sequence[Breach]]) -> Checks:
    """All checks; `examine` is the doctor's, which knows every domain."""

    def breaches(connection: Connection, head: str) -> list[str]:
        found = examine(connection, head)
        return [f"{one.where}: {one.invariant}: {one.what}" for one in found]

    return Checks(
        ledger_balance=ledger_balance,
        breaches=breaches,
        administrators=_administrators,
        operators=_operators,
        newest_change=newest_change,
        changes_since=changes_since,
        void_access=void_access,
        record=record,
        void_cookies=renew_installation_epoch,
        documents=IN_USE,
        documents_table=Document.__tablename__,
    )
