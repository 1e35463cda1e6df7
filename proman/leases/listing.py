"""Owns the list of leases: what it shows, and by what it is filtered and sorted."""

from sqlalchemy import bindparam, select

from proman.leases.models import Lease
from proman.leases.queries import LEASE_ROWS, OURS, is_found, rent_today
from proman.leases.standing import state_clauses
from proman.properties.models import Unit
from proman.web.listing import Column, Filter, Listing, contains, of_id

_leases = Lease.__table__
_units = Unit.__table__
_in_property = _leases.c.unit_id.in_(
    select(_units.c.id).where(
        _units.c.property_id == bindparam("of_property"),
        _units.c.organization_id == bindparam("organization_id"),
    )
)

LEASES = Listing(
    address="/leases/",
    rows=LEASE_ROWS,
    counted=select(_leases.c.id).where(OURS),
    id=_leases.c.id,
    sorts={
        "first_day": _leases.c.first_day,
        "reference": _leases.c.reference,
        "rent": rent_today,
    },
    default="-first_day",
    filters={
        "q": Filter(is_found, contains),
        "state": Filter(state_clauses(_leases.c)),
        "property": Filter(_in_property, of_id("of_property")),
        "unit": Filter(_leases.c.unit_id == bindparam("of_unit"), of_id("of_unit")),
    },
    columns=(
        Column("Reference", "reference"),
        Column("Tenants", "tenants"),
        Column("Unit", "place"),
        Column("State", "state"),
        Column("First day", "first_day", "day"),
        Column("Last day", "last_day", "day"),
        Column("Rent", "rent", "amount"),
        Column("Frequency", "frequency"),
    ),
)
STATES = (
    ("current", "Running"),
    ("upcoming", "Upcoming"),
    ("expiring", "Expiring in 90 days"),
    ("holding_over", "Holding over"),
    ("draft", "Draft"),
    ("ended", "Ended"),
)
