"""Reads tenants: the list, one of them, and those whom a few typed letters may mean."""

from collections.abc import Collection, Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, case, func, select, true

from proman.base.errors import NotThere
from proman.db import db
from proman.tenants.models import Tenant
from proman.web.listing import Column, Filter, Listing, contains, matches

_tenants = Tenant.__table__
_ours = _tenants.c.organization_id == bindparam("organization_id")


@cache
def tenants_listing() -> Listing:
    """The list of tenants; its statements take the day as `today`."""
    is_away = _tenants.c.archived_at.is_not(None)
    columns = (_tenants.c[key] for key in ("id", "name", "kind", "email", "phone", "city"))
    return Listing(
        address="/tenants/",
        rows=select(*columns, _tenants.c.archived_at, Tenant.home.label("home")).where(_ours),
        counted=select(_tenants.c.id).where(_ours),
        id=_tenants.c.id,
        sorts={"name": _tenants.c.name, "added": _tenants.c.created_at},
        default="name",
        filters={
            "q": Filter(matches(_tenants.c.name, _tenants.c.email, _tenants.c.phone), contains),
            "kind": Filter({kind: _tenants.c.kind == kind for kind in ("person", "company")}),
            "rents": Filter({"yes": Tenant.is_renting, "no": ~Tenant.is_renting}),
            "archived": Filter({"no": ~is_away, "yes": is_away, "all": true()}),
        },
        usual={"archived": "no"},
        columns=(
            Column("Name", "name"),
            Column("Kind", "kind"),
            Column("E-mail", "email"),
            Column("Phone", "phone"),
            Column("City", "city"),
            Column("Rents", "home"),
        ),
    )


@cache
def _suggested() -> Select[Any]:
    begins = func.lower(_tenants.c.name).like(bindparam("start"), escape="\\")
    return (
        select(_tenants.c.id, _tenants.c.name, _tenants.c.email, Tenant.home.label("home"))
        .where(_ours, _tenants.c.archived_at.is_(None), matches(_tenants.c.name, _tenants.c.email))
        .order_by(case((begins, 0), else_=1), _tenants.c.name, _tenants.c.id)
        .limit(6)
    )


def suggested_tenants(text: str, today: date) -> Sequence[Row[Any]]:
    """At most six tenants whose name or e-mail holds the text, beginnings first."""
    typed = text.strip()
    if not typed:
        return []
    bound = contains(typed)
    values = {**bound, "start": bound["q"].removeprefix("%"), "today": today}
    return db.session.execute(_suggested(), values).all()


def the_tenant(tenant_id: int) -> Tenant:
    """The tenant. Raises NotThere."""
    found = db.session.scalars(select(Tenant).where(Tenant.id == tenant_id)).one_or_none()
    if found is None:
        raise NotThere("This tenant does not exist.")
    return found


def home_of(tenant_id: int, today: date) -> str | None:
    """What the tenant rents or is about to rent, in words; None for nothing."""
    statement = select(Tenant.home).select_from(_tenants).where(_ours, _tenants.c.id == tenant_id)
    return db.session.execute(statement, {"today": today}).scalar()


def tenant_with_email(email: str) -> Tenant | None:
    """The tenant whom this e-mail (lower case) identifies."""
    return db.session.scalars(select(Tenant).where(Tenant.email == email)).one_or_none()


def tenants_by_id(ids: Collection[int]) -> dict[int, Tenant]:
    """Those of the tenants that exist here."""
    found = db.session.scalars(select(Tenant).where(Tenant.id.in_(ids)))
    return {tenant.id: tenant for tenant in found}
