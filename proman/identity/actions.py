"""Owns what changes people: invitations, links, passwords, roles, deactivation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update

from proman.base.errors import NotThere, Refused
from proman.db import db
from proman.identity.actor import Actor
from proman.identity.models import AccessToken, User
from proman.identity.passwords import hash_token, new_token
from proman.identity.queries import (
    LinkHolder,
    account_of,
    holder_of_link,
    other_administrators,
    other_operators,
    the_user,
)
from proman.identity.rules import INVITATION_DAYS, RESET_HOURS
from proman.identity.session import installation_epoch

STAFF_ROLES = ("administrator", "manager", "viewer")


@dataclass(frozen=True, slots=True)
class Link:
    """A link just made; its secret is known only now."""

    user: User
    token: str
    purpose: str

    @property
    def path(self) -> str:
        """The link's address on this server."""
        return f"/password/{self.token}"


def stored_form(token: str) -> str:
    """What is stored of a link's secret; tied to the installation, so a restore voids it."""
    return hash_token(f"{installation_epoch()}.{token}")


def invite(email: str, name: str, role: str, *, now: datetime, is_operator: bool = False) -> Link:
    """Make a login without a password and the link that lets its person choose one, seven days.

    Raises Refused when the e-mail has a login already, in whichever organization.
    """
    email = email.strip().lower()
    if account_of(email) is not None:
        raise Refused("This e-mail already has a login.", "email")
    user = User(
        email=email,
        name=name,
        role=role,
        is_operator=is_operator,
        invited_at=now,
        created_at=now,
    )
    db.session.add(user)
    db.session.flush()
    return make_link(user, "invitation", now=now)


def make_link(user: User, purpose: str, *, now: datetime) -> Link:
    """Make a link to choose a password; links made before for the person are void.

    An invitation is good for seven days, a reset for two hours. Raises Refused for a deactivated
    person.
    """
    if user.deactivated_at is not None:
        raise Refused("This login is deactivated; reactivate it first.")
    _void_links(user.id, now)
    token, _ = new_token()
    lifetime = {
        "invitation": timedelta(days=INVITATION_DAYS),
        "reset": timedelta(hours=RESET_HOURS),
    }
    db.session.add(
        AccessToken(
            user_id=user.id,
            purpose=purpose,
            token_hash=stored_form(token),
            created_at=now,
            expires_at=now + lifetime[purpose],
        )
    )
    db.session.flush()
    return Link(user, token, purpose)


def renew_link(user: User, *, now: datetime) -> Link:
    """A fresh link: the invitation again for one who has no password yet, else a reset."""
    return make_link(user, "reset" if user.password_hash else "invitation", now=now)


def _void_links(user_id: int, now: datetime) -> None:
    statement = update(AccessToken).where(
        AccessToken.user_id == user_id, AccessToken.used_at.is_(None)
    )
    db.session.execute(statement.values(used_at=now))


def read_link(token: str, now: datetime) -> LinkHolder:
    """Whose link it is. Raises NotThere for one that is unknown, used or too old."""
    holder = holder_of_link(stored_form(token), now)
    if holder is None:
        raise NotThere("This link was used already, or is too old. Ask for a new one.")
    return holder


def use_link(token: str, password_hash: str, *, now: datetime) -> User:
    """Set the password of the link's holder; the link and every older login of theirs are void.

    Raises NotThere when the link is not good (any more). The session must work for the holder's
    organization.
    """
    holder = read_link(token, now)
    user = the_user(holder.user_id)
    set_password(user, password_hash, now=now)
    return user


def set_password(user: User, password_hash: str, *, now: datetime) -> None:
    """Store a new password; every older login and link of the person is void."""
    user.password_hash = password_hash
    user.session_epoch += 1
    _void_links(user.id, now)


def change_role(user: User, role: str, is_operator: bool, *, by_operator: bool) -> None:
    """Give a colleague another role or the operator's right.

    Raises Refused for a tenant's login, for the last administrator or operator, and when one who
    is not an operator would make one: an operator reaches the whole installation.
    """
    if user.role == "tenant" or role not in STAFF_ROLES:
        raise Refused("A tenant's login stays a tenant's; invite the person with another e-mail.")
    if user.role == "administrator" and role != "administrator":
        _require_other_administrator(user)
    if is_operator != user.is_operator:
        if not by_operator:
            raise Refused("Only an operator can say who is one.", "is_operator")
        if not is_operator and not other_operators(user.id):
            raise Refused("This is the last operator; make another one first.", "is_operator")
    user.role, user.is_operator = role, is_operator


def deactivate(user: User, *, actor: Actor, now: datetime) -> None:
    """End a person's access at once; what they did stays theirs.

    Raises Refused for oneself, and for the last administrator or operator.
    """
    if user.deactivated_at is not None:
        raise Refused("This login is deactivated already.")
    if user.id == actor.id:
        raise Refused("You cannot deactivate yourself.")
    if user.role == "administrator":
        _require_other_administrator(user)
    if user.is_operator and not other_operators(user.id):
        raise Refused("This is the last operator; make another one first.")
    user.deactivated_at = now
    user.session_epoch += 1
    _void_links(user.id, now)


def reactivate(user: User) -> None:
    """Let a deactivated person sign in again, with the password they had."""
    if user.deactivated_at is None:
        raise Refused("This login is active.")
    user.deactivated_at = None


def _require_other_administrator(user: User) -> None:
    if not other_administrators(user.id):
        raise Refused("This is the last administrator; make another one first.", "role")
