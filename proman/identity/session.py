"""Owns who is signed in, and which organization the database session works for."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_login import LoginManager, current_user
from sqlalchemy import Row, bindparam, select

from proman.base.private import made_once, whole_file
from proman.db import db
from proman.identity.actor import Actor, system_actor
from proman.identity.models import Organization, User

_users = User.__table__
_organizations = Organization.__table__

SIGNED_IN = (
    select(
        _users.c.id,
        _users.c.name,
        _users.c.email,
        _users.c.role,
        _users.c.is_operator,
        _users.c.session_epoch,
        _users.c.organization_id,
        _organizations.c.name.label("organization_name"),
        _organizations.c.currency,
        _organizations.c.time_zone,
        _organizations.c.locale,
        _organizations.c.country,
        _organizations.c.region,
        _organizations.c.area_unit,
        _organizations.c.is_demonstration,
    )
    .join(_organizations, _organizations.c.id == _users.c.organization_id)
    .where(_users.c.id == bindparam("user_id"), _users.c.deactivated_at.is_(None))
    .execution_options(everywhere=True)
)


@dataclass(frozen=True, slots=True)
class CurrentOrganization:
    """What every page needs of the organization."""

    id: int
    name: str
    currency: str
    time_zone: str
    locale: str
    country: str
    region: str
    area_unit: str
    is_demonstration: bool = False

    def today(self) -> date:
        """The business date: today in the organization's own time zone."""
        return today_in(self.time_zone)


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The person signed in, for Flask-Login, views and templates."""

    id: int
    name: str
    email: str
    role: str
    is_operator: bool
    session_epoch: int
    organization: CurrentOrganization

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the cookie holds: void after a new password, a deactivation or a restore."""
        return cookie_identity(self.id, self.session_epoch)

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.organization.id, self.role, self.name)


def cookie_identity(user_id: int, session_epoch: int) -> str:
    """A login's identity: the user, their own epoch, and the installation's."""
    return f"{user_id}.{session_epoch}.{installation_epoch()}"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def today_in(time_zone: str) -> date:
    """Today in a time zone."""
    return datetime.now(UTC).astimezone(_zone(time_zone)).date()


def install(login: LoginManager) -> None:
    """Tell Flask-Login how a cookie becomes a user."""
    login.user_loader(load_user)


def load_user(identity: str) -> CurrentUser | None:
    """The user of a cookie, or None when it is void; the session works for their organization."""
    user_id, _, rest = identity.partition(".")
    epoch, _, installation = rest.partition(".")
    if not (user_id.isdecimal() and epoch.isdecimal()) or installation != installation_epoch():
        return None
    row = db.session.execute(SIGNED_IN, {"user_id": int(user_id)}).first()
    if row is None or row.session_epoch != int(epoch):
        return None
    user = _current_user(row)
    db.session.info.update(organization_id=row.organization_id, actor=user.actor)
    return user


def _current_user(row: Row[*tuple[Any, ...]]) -> CurrentUser:
    organization = CurrentOrganization(
        id=row.organization_id,
        name=row.organization_name,
        currency=row.currency,
        time_zone=row.time_zone,
        locale=row.locale,
        country=row.country,
        region=row.region,
        area_unit=row.area_unit,
        is_demonstration=row.is_demonstration,
    )
    return CurrentUser(
        id=row.id,
        name=row.name,
        email=row.email,
        role=row.role,
        is_operator=row.is_operator,
        session_epoch=row.session_epoch,
        organization=organization,
    )


def current_actor() -> Actor:
    """The actor of this request."""
    actor: Actor = current_user.actor
    return actor


def current_organization() -> CurrentOrganization:
    """The organization of this request."""
    organization: CurrentOrganization = current_user.organization
    return organization


def business_today() -> date:
    """Today in the time zone of this request's organization."""
    return current_organization().today()


@contextmanager
def acting_for(organization_id: int, actor: Actor | None = None) -> Iterator[Actor]:
    """Let the session work for one organization (commands, jobs, tests), then for none or the last.

    What was not committed inside is rolled back at the end.
    """
    actor = actor or system_actor(organization_id)
    info = db.session.info
    before = {key: info.get(key) for key in ("organization_id", "actor")}
    db.session.rollback()
    db.session.expunge_all()
    info.update(organization_id=organization_id, actor=actor)
    try:
        yield actor
    finally:
        db.session.rollback()
        db.session.expunge_all()
        info.update(before)


def installation_epoch() -> str:
    """The epoch outside the database; a restore renews it and every older cookie is void.

    Those who need the first one at the same moment all get the same.
    """
    return made_once(_epoch_file(), secrets.token_hex(8))


def renew_installation_epoch() -> None:
    """Make every cookie and link given out so far void."""
    path = _epoch_file()
    with whole_file(path, secrets.token_hex(8)) as partial:
        partial.replace(path)


def _epoch_file() -> Path:
    settings = current_app.extensions["proman_settings"]
    path: Path = settings.data_dir / "session.epoch"
    return path
