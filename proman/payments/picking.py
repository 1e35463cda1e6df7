"""Finds the lease that a person means by its reference, a tenant's name or the unit."""

from typing import NamedTuple

from sqlalchemy import Table, bindparam, case, select

from proman.base.errors import Refused
from proman.db import db
from proman.leases.models import Lease
from proman.leases.queries import is_found, tenants_of
from proman.leases.standing import place
from proman.properties.models import Property, Unit
from proman.web.listing import contains

_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_p: Table = Property.__table__  # type: ignore[assignment]

BETWEEN = " · "
MOST = 20


class LeaseLine(NamedTuple):
    """A lease as a person knows it."""

    id: int
    reference: str
    tenants: str | None
    place: str
    status: str
    property_id: int

    @property
    def label(self) -> str:
        """What stands in a field; it begins with the reference, which is enough to find it."""
        return BETWEEN.join(part for part in (self.reference, self.tenants, self.place) if part)


_LEASES = (
    select(
        _l.c.id,
        _l.c.reference,
        tenants_of.label("tenants"),
        place().label("place"),
        _l.c.status,
        _p.c.id.label("property_id"),
    )
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_p, _p.c.id == _u.c.property_id)
    .where(_l.c.organization_id == bindparam("organization_id"))
)
_BY_REFERENCE = _LEASES.where(_l.c.reference == bindparam("reference"))
_BY_ID = _LEASES.where(_l.c.id.in_(bindparam("lease_ids", expanding=True)))
_LIKE = (
    _LEASES.where(is_found)
    .order_by(case((_l.c.status == "ended", 1), else_=0), _l.c.reference, _l.c.id)
    .limit(MOST + 1)
)


def leases_like(text: str) -> list[LeaseLine]:
    """At most 20 leases whose reference, tenant or unit holds the text; ended ones last."""
    if not text.strip():
        return []
    rows = db.session.execute(_LIKE, contains(text.strip()))
    return [LeaseLine(*row) for row in rows][:MOST]


def leases_by_id(lease_ids: list[int]) -> dict[int, LeaseLine]:
    """Leases by their ids, as far as they exist."""
    rows = db.session.execute(_BY_ID, {"lease_ids": lease_ids})
    return {row.id: LeaseLine(*row) for row in rows}


def lease_meant(text: str, field: str = "lease") -> LeaseLine:
    """The one lease that a text means: its reference, or whatever only one lease holds.

    Raises Refused when it means none or several.
    """
    if not text.strip():
        raise Refused("Say which lease: its reference, a tenant or the unit.", field)
    reference = text.partition(BETWEEN)[0].strip()
    exact = db.session.execute(_BY_REFERENCE, {"reference": reference}).one_or_none()
    if exact is not None:
        return LeaseLine(*exact)
    found = leases_like(text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused(f"No lease has “{text.strip()}” in its reference, tenants or unit.", field)
    some = "; ".join(line.label for line in found[:3])
    raise Refused(f"Several leases match. Write the reference of one of them: {some} …", field)
