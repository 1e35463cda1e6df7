"""Owns the reads about people: who may sign in, who is there, whose link this is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select

from proman.base.errors import NotThere
from proman.db import db
from proman.identity.actor import Actor
from proman.identity.models import AccessToken, Organization, User

_users = User.__table__
_tokens = AccessToken.__table__

_BY_EMAIL = (
    select(
        _users.c.id,
        _users.c.name,
        _users.c.email,
        _users.c.role,
        _users.c.password_hash,
        _users.c.session_epoch,
        _users.c.organization_id,
        _users.c.deactivated_at,
    )
    .where(_users.c.email == bindparam("email"))
    .execution_options(everywhere=True)
)
_LINK = (
    select(
        _tokens.c.id,
        _tokens.c.user_id,
        _tokens.c.purpose,
        _users.c.name,
        _users.c.email,
        _users.c.role,
        _users.c.organization_id,
    )
    .join(_users, _users.c.id == _tokens.c.user_id)
    .where(
        _tokens.c.token_hash == bindparam("token_hash"),
        _tokens.c.used_at.is_(None),
        _tokens.c.expires_at > bindparam("now"),
        _users.c.deactivated_at.is_(None),
    )
    .execution_options(everywhere=True)
)
_ANYBODY = select(_users.c.id).limit(1).execution_options(everywhere=True)


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know of a login."""

    id: int
    name: str
    email: str
    role: str
    password_hash: str | None
    session_epoch: int
    organization_id: int
    deactivated_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """Whose link it is, and what it is for (`invitation` or `reset`)."""

    token_id: int
    user_id: int
    purpose: str
    name: str
    email: str
    role: str
    organization_id: int

    @property
    def actor(self) -> Actor:
        """The holder as the one who acts."""
        return Actor(self.user_id, self.organization_id, self.role, self.name)


def is_set_up() -> bool:
    """Whether this installation has anybody who could sign in."""
    return db.session.execute(_ANYBODY).first() is not None


def account_of(email: str) -> Account | None:
    """The login of an e-mail in the whole installation, deactivated ones included, or None."""
    row = db.session.execute(_BY_EMAIL, {"email": email.strip().lower()}).first()
    return Account(*row) if row is not None else None


def holder_of_link(token_hash: str, now: datetime) -> LinkHolder | None:
    """Whose link has this hash, as long as it is unused, in time and its person active."""
    row = db.session.execute(_LINK, {"token_hash": token_hash, "now": now}).first()
    return LinkHolder(*row) if row is not None else None


def the_user(user_id: int) -> User:
    """A user of this organization. Raises NotThere."""
    user = db.session.scalar(select(User).where(User.id == user_id))
    if user is None:
        raise NotThere("There is no such person.")
    return user


def the_organization(organization_id: int) -> Organization:
    """The organization as an entity. Raises NotThere."""
    organization = db.session.get(Organization, organization_id)
    if organization is None:
        raise NotThere("There is no such organization.")
    return organization


def other_administrators(user_id: int) -> int:
    """How many other active administrators with a password this organization has."""
    statement = select(func.count(User.id)).where(
        User.role == "administrator",
        User.deactivated_at.is_(None),
        User.password_hash.is_not(None),
        User.id != user_id,
    )
    return db.session.scalar(statement) or 0


def other_operators(user_id: int) -> int:
    """How many other active operators with a password the installation has."""
    statement = select(func.count(_users.c.id)).where(
        _users.c.is_operator.is_(True),
        _users.c.deactivated_at.is_(None),
        _users.c.password_hash.is_not(None),
        _users.c.id != user_id,
    )
    return db.session.scalar(statement.execution_options(everywhere=True)) or 0


def organizations() -> list[Organization]:
    """Every organization of the installation, by name; for commands."""
    return list(db.session.scalars(select(Organization).order_by(Organization.name)))
