"""Changes of tenants: adding, correcting, archiving."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.exc import IntegrityError

from proman.base.errors import Refused
from proman.db import db, utc_now
from proman.tenants.models import Tenant
from proman.tenants.queries import home_of, tenant_with_email


def save_tenant(tenant: Tenant, values: Mapping[str, Any]) -> Tenant:
    """Take over what was typed of a new or known tenant.

    Raises Refused (field `email`) when another tenant has the e-mail: it identifies one person.
    """
    email = values.get("email")
    if email:
        other = tenant_with_email(email)
        if other is not None and other is not tenant:
            raise Refused(f"This is the e-mail of {other.name} already.", "email")
    for key, value in values.items():
        setattr(tenant, key, value)
    db.session.add(tenant)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Refused("Another tenant has this e-mail already.", "email") from error
    return tenant


def archive(tenant: Tenant, today: date) -> None:
    """Put the tenant away: kept with all that refers to them, offered no more.

    Raises Refused while they rent something.
    """
    home = home_of(tenant.id, today)
    if home:
        raise Refused(f"{tenant.name} is on a lease that has not ended ({home}). End it first.")
    tenant.archived_at = tenant.archived_at or utc_now()


def bring_back(tenant: Tenant) -> None:
    """Take the tenant out of the archive."""
    tenant.archived_at = None
