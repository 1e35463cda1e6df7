"""Writes the demonstration's organization, logins and portfolio; the money comes after."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Table, insert

from proman.database.ids import insert_numbered
from proman.db import Base, db
from proman.demo.rows import PortfolioRows
from proman.demo.values import Portfolio
from proman.identity.installation import NewOrganization, create_organization
from proman.identity.models import Organization, TaxRate, User
from proman.leases.models import Charge, Lease, LeaseEnding, LeaseParty, Rent
from proman.portal.models import PortalAccess
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

BUSINESS = NewOrganization(
    name="Meadowbank Property Management",
    country="IE",
    currency="EUR",
    time_zone="Europe/Dublin",
)
LETTERHEAD = {
    "legal_name": "Meadowbank Property Management Limited",
    "street": "12 Clarendon Place",
    "postal_code": "D08 K5X2",
    "city": "Dublin",
    "email": "office@example.com",
    "phone": "+353 20 915 0100",
    "website": "www.example.com",
    "tax_number": "IE 0000000XX",
    "footer": "A demonstration: the business, its tenants and its money are invented.",
    "bank_name": "Bank of Examples",
    "bank_account_holder": "Meadowbank Property Management Limited",
    # The check digits of an example IBAN are right; the bank does not exist.
    "bank_account": "IE29AIBK93115212345678",
    "bank_code": "AIBKIE2D",
}
TAX_RATES = (("Standard rate", 23_000), ("Reduced rate", 13_500), ("Exempt", 0))
LOGINS = (
    ("admin@example.com", "Aisling Reilly", "administrator"),
    ("manager@example.com", "Marek Nowak", "manager"),
    ("viewer@example.com", "Vera Lindgren", "viewer"),
    ("tenant@example.com", "Niamh Gallagher", "tenant"),
)
_CHUNK = 5_000


def place_organization(now: datetime) -> Organization:
    """The business of the demonstration, with letterhead and bank."""
    organization = create_organization(BUSINESS, now=now)
    for column, value in LETTERHEAD.items():
        setattr(organization, column, value)
    organization.is_demonstration = True
    db.session.flush()
    return organization


def place_logins(password_hash: str, now: datetime) -> dict[str, User]:
    """One login of each role, all with the same password; the tax rates as well."""
    users = {
        role: User(
            email=email,
            name=name,
            role=role,
            is_operator=role == "administrator",
            password_hash=password_hash,
            created_at=now,
        )
        for email, name, role in LOGINS
    }
    db.session.add_all(users.values())
    db.session.add_all(TaxRate(name=name, rate=rate) for name, rate in TAX_RATES)
    db.session.flush()
    return users


def place_portfolio(portfolio: Portfolio, now: datetime) -> PortfolioRows:
    """Properties, units, tenants and leases with their rents and charges, in bulk."""
    rows = PortfolioRows(portfolio, country=BUSINESS.country, region="", now=now)
    rows.property_ids = _numbered(Property, rows.properties())
    rows.unit_ids = dict(zip(rows.places, _numbered(Unit, rows.units()), strict=True))
    rows.tenant_ids = _numbered(Tenant, rows.tenants())
    rows.lease_ids = _numbered(Lease, rows.leases())
    insert_rows(LeaseParty, rows.parties())
    insert_rows(Rent, rows.rents())
    insert_rows(Charge, rows.charges())
    insert_rows(LeaseEnding, rows.endings())
    return rows


def place_portal_access(user: User, tenant_id: int, now: datetime) -> None:
    """The tenant's login opens the portal of the first tenant."""
    db.session.add(PortalAccess(user_id=user.id, tenant_id=tenant_id, invited_at=now))
    db.session.flush()


def insert_rows(model: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows of one shape, some thousands a statement."""
    for batch in _batches(rows):
        db.session.execute(insert(_table(model)), batch)


def _numbered(model: type[Base], rows: Iterable[dict[str, Any]]) -> list[int]:
    """The same, and their ids."""
    ids: list[int] = []
    for batch in _batches(rows):
        ids += insert_numbered(db.session(), insert(_table(model)), batch)
    return ids


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _CHUNK)):
        yield batch


def _table(model: type[Base]) -> Table:
    table: Table = model.__table__  # type: ignore[assignment]
    return table
