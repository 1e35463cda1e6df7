"""Reads who issues and who receives: the snapshots that a document keeps of its day."""

from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Table, and_, bindparam, or_, select

from proman.base.errors import NotThere
from proman.billing.snapshots import Issuer, Recipient, issuer_snapshot, recipient_snapshot
from proman.db import db
from proman.identity.models import Organization, OrganizationLogo
from proman.leases.models import Lease, LeaseParty
from proman.ledger.queries import in_chunks
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_p: Table = Property.__table__  # type: ignore[assignment]
_t: Table = Tenant.__table__  # type: ignore[assignment]
_party: Table = LeaseParty.__table__  # type: ignore[assignment]
_logo: Table = OrganizationLogo.__table__  # type: ignore[assignment]
_HERE: BindParameter[Any] = bindparam("organization_id")

_PLACES = (
    select(
        _l.c.id,
        _l.c.reference,
        _u.c.label,
        _p.c.id.label("property_id"),
        _p.c.name,
        _p.c.is_single_unit,
        _p.c.street,
        _p.c.postal_code,
        _p.c.city,
        _p.c.country,
        _t.c.name.label("tenant"),
        _t.c.street.label("tenant_street"),
        _t.c.postal_code.label("tenant_postal_code"),
        _t.c.city.label("tenant_city"),
        _t.c.country.label("tenant_country"),
        _t.c.tax_number,
    )
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_p, _p.c.id == _u.c.property_id)
    .outerjoin(
        _party,
        and_(
            _party.c.lease_id == _l.c.id,
            or_(_party.c.left_on.is_(None), _party.c.left_on >= bindparam("on")),
            or_(_party.c.joined_on.is_(None), _party.c.joined_on <= bindparam("on")),
        ),
    )
    .outerjoin(_t, _t.c.id == _party.c.tenant_id)
    .where(_l.c.organization_id == _HERE, _l.c.id.in_(bindparam("lease_ids", expanding=True)))
    .order_by(_l.c.id, _party.c.position)
)
_LOGO = (
    select(_logo.c.id).where(_logo.c.organization_id == _HERE).order_by(_logo.c.id.desc()).limit(1)
)


class Addressee(NamedTuple):
    """Where a lease's documents go, and which property they belong to."""

    lease_id: int
    property_id: int
    recipient: Recipient


def issuer_of_today() -> tuple[Issuer, str]:
    """The organization as it is now, and its currency."""
    organization = db.session.get_one(Organization, db.session.info["organization_id"])
    logo_id = db.session.execute(_LOGO).scalar()
    return issuer_snapshot(organization, logo_id), organization.currency


def addressees(lease_ids: Collection[int], on: date) -> dict[int, Addressee]:
    """Who receives the documents of these leases: the tenants who have not left by that day."""
    found: dict[int, Addressee] = {}
    for chunk in in_chunks(lease_ids):
        rows = db.session.execute(_PLACES, {"lease_ids": chunk, "on": on})
        for lease_id, group in groupby(rows, key=attrgetter("id")):
            let = list(group)
            found[lease_id] = Addressee(lease_id, let[0].property_id, _recipient(let))
    return found


def addressee(lease_id: int, on: date) -> Addressee:
    """Who receives the documents of one lease. Raises NotThere."""
    found = addressees([lease_id], on)
    if lease_id not in found:
        raise NotThere("There is no such lease.")
    return found[lease_id]


class _Home(NamedTuple):
    street: str
    postal_code: str
    city: str
    country: str


def _recipient(rows: Sequence[Any]) -> Recipient:
    """The tenants of a lease, a row for each; one row without a tenant where there is none."""
    let = rows[0]
    lives_at = _Home(let.tenant_street, let.tenant_postal_code, let.tenant_city, let.tenant_country)
    return recipient_snapshot(
        [row.tenant for row in rows if row.tenant is not None],
        let if let.tenant is None else lives_at,
        let,
        property_name=let.name,
        unit_label="" if let.is_single_unit else let.label,
        lease_reference=let.reference,
        tax_number=let.tax_number or "",
    )
