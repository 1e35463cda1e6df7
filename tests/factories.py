"""Plain functions that make what a test needs, with sensible defaults, and commit it for real.

They need an application context; those of one organization's rows need `acting_for` (or the `home`
fixture). Each returns the id of what it made.
"""

import io
from datetime import date
from functools import lru_cache
from itertools import count
from typing import Any

from proman.database import contents
from proman.database.installation import installation
from proman.db import begin_write, db
from proman.expenses.actions import NewExpense, record_expense
from proman.files.models import Document
from proman.identity.actor import system_actor
from proman.identity.models import Organization, User
from proman.identity.passwords import hash_password
from proman.identity.session import acting_for
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

PASSWORD = "correct horse battery"
_numbers = count(1)


@lru_cache(maxsize=1)
def _password_hash() -> str:
    return hash_password(PASSWORD)


def make_organization(**changes: Any) -> int:
    """An organization in euro, Berlin time, unless told otherwise."""
    values: dict[str, Any] = {
        "name": "Harbour Homes",
        "country": "DE",
        "region": "BE",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
    }
    begin_write()
    organization = Organization(**(values | changes))
    db.session.add(organization)
    db.session.commit()
    return organization.id


def make_user(organization_id: int, email: str, role: str, *, operator: bool = False) -> int:
    """A person who signs in with PASSWORD."""
    with acting_for(organization_id):
        begin_write()
        name = email.partition("@")[0].capitalize()
        user = User(email=email, name=name, role=role, is_operator=operator)
        user.password_hash = _password_hash()
        db.session.add(user)
        db.session.commit()
        return user.id


def make_property(**changes: Any) -> int:
    """A building of flats without units."""
    values: dict[str, Any] = {
        "name": f"Lindenhof {next(_numbers)}",
        "type": "apartments",
        "street": "Lindenhof 3",
        "postal_code": "10115",
        "city": "Berlin",
        "country": "DE",
    }
    return _add(Property(**(values | changes)))


def make_unit(property_id: int | None = None, **changes: Any) -> int:
    """A flat, in a new property unless one is given."""
    values: dict[str, Any] = {"label": f"WE {next(_numbers):02d}", "area": 6822}
    owner = make_property() if property_id is None else property_id
    return _add(Unit(property_id=owner, **(values | changes)))


def make_tenant(**changes: Any) -> int:
    """A person with an e-mail of their own."""
    number = next(_numbers)
    name, email = f"Hanna Vargas {number}", f"tenant{number}@example.com"
    values: dict[str, Any] = {"name": name, "email": email}
    return _add(Tenant(**(values | changes)))


def make_lease(
    unit_id: int | None = None,
    tenant_ids: list[int] | None = None,
    *,
    rent: int = 100_000,
    charges: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> int:
    """An active open-ended lease from 1 January 2026, 1,000.00 monthly by calendar, due day 1.

    `rent` and the charges' amounts are minor units.
    """
    values: dict[str, Any] = {
        "unit_id": make_unit() if unit_id is None else unit_id,
        "reference": f"L-{next(_numbers):05d}",
        "status": "active",
        "first_day": date(2026, 1, 1),
        "frequency": "monthly",
        "periods": "calendar",
        "timing": "advance",
        "due_rule": "day:1",
        "lead_days": 5,
        "proration": "actual",
        "holding_over": "continue",
    }
    tenants = tenant_ids if tenant_ids is not None else [make_tenant()]
    lease = Lease(**(values | changes))
    lease.parties = [LeaseParty(tenant_id=one, position=place) for place, one in enumerate(tenants)]
    lease.rents = [Rent(effective_from=lease.first_day, amount=rent)]
    extra = {"kind": "parking", "description": "Parking space", "first_day": lease.first_day}
    lease.charges = [Charge(**(extra | charge)) for charge in charges or []]
    return _add(lease)


def make_document(
    lease_id: int, name: str = "Lease.txt", content: bytes = b"signed", **changes: Any
) -> int:
    """A document of a lease, with its content stored."""
    folder = installation().files_dir
    kept = contents.keep(folder, io.BytesIO(content), len(content), name)
    values: dict[str, Any] = {"lease_id": lease_id, "name": name, "media_type": "text/plain"}
    own = {"size_bytes": kept.size, "sha256": kept.sha256}
    return _add(Document(**(values | own | changes)))


def make_expense(property_id: int | None = None, **changes: Any) -> int:
    """240.00 for a repair, paid on 2 March 2026."""
    values: dict[str, Any] = {
        "paid_on": date(2026, 3, 2),
        "category": "repairs",
        "supplier": "Drain Doctors",
        "amount": 24_000,
        "property_id": property_id,
    }
    actor = system_actor(db.session.info["organization_id"])
    new = NewExpense(**(values | changes))
    begin_write()
    expense = record_expense(new, today=new.paid_on, actor=actor, confirmed=True)
    db.session.commit()
    return expense.id


def _add(entity: Any) -> int:
    begin_write()
    db.session.add(entity)
    db.session.commit()
    made: int = entity.id
    return made
