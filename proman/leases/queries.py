"""Reads leases: the list, one with all its terms, what holds a unit, what a form needs."""

from collections.abc import Collection, Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from proman.base.errors import NotThere
from proman.db import db
from proman.leases.index_models import IndexClause, RentIndexation
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.leases.standing import TODAY, days_of, place, state
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant
from proman.web.listing import contains

_leases = Lease.__table__
_units = Unit.__table__
_properties = Property.__table__
_parties = LeaseParty.__table__
_tenants = Tenant.__table__
_rents = Rent.__table__
OURS = _leases.c.organization_id == bindparam("organization_id")

tenants_of = (
    select(func.aggregate_strings(_tenants.c.name, ", "))
    .select_from(_parties)
    .join(_tenants, _tenants.c.id == _parties.c.tenant_id)
    .where(
        _parties.c.lease_id == _leases.c.id,
        _parties.c.organization_id == _leases.c.organization_id,
        _parties.c.left_on.is_(None),
    )
    .correlate(_leases)
    .scalar_subquery()
)
"""In SQL: the names of all who are on the lease."""

_from_day = case((_leases.c.first_day > TODAY, _leases.c.first_day), else_=TODAY)
rent_today = (
    select(_rents.c.amount)
    .where(
        _rents.c.lease_id == _leases.c.id,
        _rents.c.organization_id == _leases.c.organization_id,
        _rents.c.effective_from <= _from_day,
    )
    .order_by(_rents.c.effective_from.desc(), _rents.c.id.desc())
    .limit(1)
    .correlate(_leases)
    .scalar_subquery()
)
"""In SQL: the rent of one period as of `today`, or of the first day of a lease to come."""


def _is_found() -> Any:
    """In SQL: whether a tenant, the unit, the property or the reference holds the text `q`."""
    here: Any = bindparam("organization_id")
    q: Any = bindparam("q")

    def like(column: Any) -> Any:
        return func.lower(column).like(q, escape="\\")

    of_tenants = (
        select(_parties.c.lease_id)
        .join(_tenants, _tenants.c.id == _parties.c.tenant_id)
        .where(_tenants.c.organization_id == here, like(_tenants.c.name))
    )
    in_places = (
        select(_units.c.id)
        .join(_properties, _properties.c.id == _units.c.property_id)
        .where(_units.c.organization_id == here, like(place()))
    )
    return or_(
        like(_leases.c.reference),
        _leases.c.id.in_(of_tenants),
        _leases.c.unit_id.in_(in_places),
    )


is_found = _is_found()

_in_order = (
    select(
        _leases.c.id,
        _leases.c.reference,
        _leases.c.unit_id,
        place().label("place"),
        tenants_of.label("tenants"),
        state(_leases.c).label("state"),
        _leases.c.first_day,
        func.coalesce(_leases.c.ended_on, _leases.c.last_day).label("last_day"),
        rent_today.label("rent"),
        _leases.c.frequency,
    )
    .join(_units, _units.c.id == _leases.c.unit_id)
    .join(_properties, _properties.c.id == _units.c.property_id)
    .where(OURS)
)
LEASE_ROWS: Select[*tuple[Any, ...]] = _in_order
"""One row for each lease as lists show it; takes `today` and `soon`."""

_newest_first = _in_order.add_columns(_leases.c.first_day.label("sort_value")).order_by(
    _leases.c.first_day.desc(), _leases.c.id.desc()
)
OF_TENANT = _newest_first.join(_parties, _parties.c.lease_id == _leases.c.id).where(
    _parties.c.tenant_id == bindparam("tenant_id")
)
OF_UNIT = _newest_first.where(_leases.c.unit_id == bindparam("of_unit"))


def leases_of_tenant(tenant_id: int, today: date) -> Sequence[Row[Any]]:
    """Every lease the tenant is or was on, the newest first."""
    return db.session.execute(OF_TENANT, {"tenant_id": tenant_id, **days_of(today)}).all()


def leases_of_unit(unit_id: int, today: date) -> Sequence[Row[Any]]:
    """Every lease of the unit, the newest first."""
    return db.session.execute(OF_UNIT, {"of_unit": unit_id, **days_of(today)}).all()


def the_lease(lease_id: int) -> Lease:
    """The lease with its unit, property, tenants, index clause, rents and charges.

    Raises NotThere.
    """
    statement = (
        select(Lease)
        .where(Lease.id == lease_id)
        .options(
            joinedload(Lease.unit).joinedload(Unit.property),
            joinedload(Lease.parties).joinedload(LeaseParty.tenant),
            joinedload(Lease.index_clause).joinedload(IndexClause.series),
            selectinload(Lease.rents)
            .joinedload(Rent.indexation)
            .options(joinedload(RentIndexation.base_value), joinedload(RentIndexation.new_value)),
            selectinload(Lease.charges),
        )
    )
    found = db.session.scalars(statement).unique().one_or_none()
    if found is None:
        raise NotThere("This lease does not exist.")
    return found


def leases_to_change(lease_ids: Collection[int]) -> Sequence[Lease]:
    """These leases with their rents and index clauses; those of others are left out."""
    statement = (
        select(Lease)
        .where(Lease.id.in_(lease_ids))
        .options(selectinload(Lease.rents), joinedload(Lease.index_clause))
    )
    return db.session.scalars(statement).all()


def the_charge(lease_id: int, charge_id: int) -> Charge:
    """A charge of the lease. Raises NotThere."""
    statement = select(Charge).where(Charge.id == charge_id, Charge.lease_id == lease_id)
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotThere("This charge does not exist.")
    return found


def next_lease_first_day(lease: Lease) -> date | None:
    """When the unit's next lease begins, after this one's agreed last day."""
    if lease.last_day is None:
        return None
    statement = select(func.min(Lease.first_day)).where(
        Lease.unit_id == lease.unit_id,
        Lease.status != "draft",
        Lease.first_day > lease.last_day,
    )
    return db.session.scalar(statement)


def lease_in_the_way(
    unit_id: int, first_day: date, last_day: date | None, other_than: int | None
) -> Lease | None:
    """A lease that holds the unit on any day from the first to the last (None: for ever)."""
    theirs = func.coalesce(Lease.ended_on, Lease.last_day)
    overlaps = [or_(theirs.is_(None), theirs >= first_day)]
    if last_day is not None:
        overlaps.append(Lease.first_day <= last_day)
    statement = (
        select(Lease)
        .where(Lease.unit_id == unit_id, Lease.status != "draft", and_(*overlaps))
        .options(selectinload(Lease.parties).joinedload(LeaseParty.tenant))
        .order_by(Lease.first_day)
        .limit(1)
    )
    if other_than is not None:
        statement = statement.where(Lease.id != other_than)
    return db.session.scalars(statement).first()


def reference_is_taken(reference: str, other_than: int | None) -> bool:
    """Whether another lease has this reference."""
    statement = select(Lease.id).where(Lease.reference == reference)
    return any(found != other_than for found in db.session.scalars(statement))


def count_of_leases() -> int:
    """How many leases there are, drafts and ended ones too."""
    return db.session.scalar(select(func.count()).select_from(Lease)) or 0


@cache
def _units_to_let(*, vacant: bool) -> Select[Any]:
    """Units by name: the vacant ones, or all that are like `q` with the vacant ones first."""
    statement = (
        select(
            _units.c.id,
            place().label("place"),
            _properties.c.city,
            _units.c.market_rent,
            Unit.is_let.label("is_let"),
        )
        .join(_properties, _properties.c.id == _units.c.property_id)
        .where(
            _units.c.organization_id == bindparam("organization_id"),
            _units.c.archived_at.is_(None),
            _properties.c.archived_at.is_(None),
        )
        .limit(8)
    )
    by_name = (_properties.c.name, _units.c.label, _units.c.id)
    if vacant:
        return statement.where(~Unit.is_let).order_by(*by_name)
    named = func.lower(place() + " " + _properties.c.street + " " + _properties.c.city)
    is_like = named.like(bindparam("q"), escape="\\")
    return statement.where(is_like).order_by(Unit.is_let, *by_name)


def units_to_let(typed: str, today: date) -> Sequence[Row[Any]]:
    """At most eight units whose name or address holds the text, the vacant ones first.

    Nothing typed: vacant units, or any where none is vacant.
    """
    values = {**contains(typed), "today": today}
    vacant = [] if typed else db.session.execute(_units_to_let(vacant=True), values).all()
    return vacant or db.session.execute(_units_to_let(vacant=False), values).all()


def is_archived(unit_id: int) -> bool:
    """Whether the unit, or its property, is among the archived ones."""
    statement = (
        select(_units.c.id)
        .join(_properties, _properties.c.id == _units.c.property_id)
        .where(
            _units.c.id == unit_id,
            _units.c.organization_id == bindparam("organization_id"),
            or_(_units.c.archived_at.is_not(None), _properties.c.archived_at.is_not(None)),
        )
    )
    return db.session.execute(statement).first() is not None


def unit_in_words(unit_id: int) -> Row[Any] | None:
    """Name, market rent, country and region of a unit; None where there is no such unit."""
    statement = (
        select(
            _units.c.id,
            place().label("place"),
            _units.c.market_rent,
            _properties.c.country,
            _properties.c.region,
        )
        .join(_properties, _properties.c.id == _units.c.property_id)
        .where(
            _units.c.id == unit_id,
            _units.c.organization_id == bindparam("organization_id"),
        )
    )
    return db.session.execute(statement).first()
