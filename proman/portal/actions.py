"""Owns the tenant's way into the portal: invitation, a fresh link, the end of access."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from proman.base.errors import Refused
from proman.db import db
from proman.identity.actions import Link, deactivate, invite, reactivate, renew_link
from proman.identity.actor import Actor
from proman.identity.queries import the_user
from proman.portal.models import PortalAccess


def invite_tenant(access: Row[Any], *, actor: Actor, now: datetime) -> Link:
    """A link with which a tenant chooses a password; one invited before gets a fresh one.

    `access` is what `queries.access_of` read after `begin_write`. Raises Refused for a tenant
    without an e-mail, in the archive, or whose e-mail has a login already.
    """
    if access.user_id is not None:
        user = the_user(access.user_id)
        if user.deactivated_at is not None:
            reactivate(user)
        return renew_link(user, now=now)
    if access.archived_at is not None:
        raise Refused(f"{access.name} is in the archive; bring them back first.")
    if not access.email:
        raise Refused(f"{access.name} has no e-mail address. Add one, then invite them.")
    link = invite(access.email, access.name, "tenant", now=now)
    db.session.add(
        PortalAccess(user_id=link.user.id, tenant_id=access.id, invited_at=now, invited_by=actor.id)
    )
    return link


def end_access(access: Row[Any], *, actor: Actor, now: datetime) -> None:
    """The tenant is signed out at once and cannot come back in. Raises Refused for no login."""
    if access.user_id is None:
        raise Refused(f"{access.name} has no login to end.")
    deactivate(the_user(access.user_id), actor=actor, now=now)
