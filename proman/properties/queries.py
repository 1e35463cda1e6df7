"""Reads properties and units: their lists, one of them, and what a lease may be written for."""

from collections.abc import Sequence
from datetime import date
from functools import cache

from sqlalchemy import ColumnElement, bindparam, case, func, select, true
from sqlalchemy.orm import joinedload

from proman.base.errors import NotThere
from proman.database.kept import rows_while_unchanged
from proman.db import db
from proman.properties.models import PROPERTY_TYPES, Property, Unit
from proman.web.listing import Column, Filter, Listing, contains, matches, of_id

_properties = Property.__table__
_units = Unit.__table__
PICKED = 200
"""More properties than these are found by searching, not by picking."""
_ours = _properties.c.organization_id == bindparam("organization_id")
_our_units = _units.c.organization_id == bindparam("organization_id")


def _counted_units(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """In SQL: how many current units of a property fulfil the conditions."""
    return (
        select(func.count())
        .where(
            _units.c.property_id == _properties.c.id,
            _units.c.organization_id == _properties.c.organization_id,
            _units.c.archived_at.is_(None),
            *conditions,
        )
        .correlate(_properties)
        .scalar_subquery()
    )


_CHOICES = (
    select(_properties.c.id, _properties.c.name)
    .where(_ours, _properties.c.archived_at.is_(None))
    .order_by(_properties.c.name)
    .limit(PICKED + 1)
)


@cache
def properties_listing() -> Listing:
    """The list of properties; its statements take the day as `today`."""
    units, let = _counted_units(), _counted_units(Unit.is_let)
    is_away = _properties.c.archived_at.is_not(None)
    address = (_properties.c.street, _properties.c.postal_code, _properties.c.city)
    return Listing(
        address="/properties/",
        rows=select(
            _properties.c.id,
            _properties.c.name,
            _properties.c.type,
            *address,
            _properties.c.is_single_unit,
            _properties.c.archived_at,
            units.label("units"),
            let.label("let_units"),
        ).where(_ours),
        counted=select(_properties.c.id).where(_ours),
        id=_properties.c.id,
        sorts={"name": _properties.c.name, "city": _properties.c.city, "units": units},
        default="name",
        filters={
            "q": Filter(matches(_properties.c.name, *address), contains),
            "type": Filter({kind: _properties.c.type == kind for kind in PROPERTY_TYPES}),
            "let": Filter({"vacant": units > let, "full": units == let}),
            "archived": Filter({"no": ~is_away, "yes": is_away, "all": true()}),
        },
        usual={"archived": "no"},
        totals={"units": units},
        columns=(
            Column("Name", "name"),
            Column("Type", "type"),
            Column("Street", "street"),
            Column("Postal code", "postal_code"),
            Column("City", "city"),
            Column("Units", "units", "number"),
            Column("Units let", "let_units", "number"),
        ),
    )


@cache
def units_listing() -> Listing:
    """The list of units of all properties, or of one; its statements take the day as `today`."""
    is_away = _units.c.archived_at.is_not(None)
    keys = ("id", "property_id", "label", "location", "bedrooms", "bathrooms", "area")
    return Listing(
        address="/properties/units",
        rows=select(
            *(_units.c[key] for key in keys),
            _units.c.market_rent,
            _units.c.archived_at,
            _properties.c.name.label("property_name"),
            _properties.c.is_single_unit,
            Unit.is_let.label("is_let"),
            case((Unit.is_let, "occupied"), else_="vacant").label("state"),
        )
        .join(_properties, _properties.c.id == _units.c.property_id)
        .where(_our_units),
        counted=select(_units.c.id)
        .join(_properties, _properties.c.id == _units.c.property_id)
        .where(_our_units),
        id=_units.c.id,
        sorts={
            "property": _properties.c.name,
            "label": _units.c.label,
            "rent": func.coalesce(_units.c.market_rent, 0),
            "area": func.coalesce(_units.c.area, 0),
        },
        default="label",
        filters={
            "q": Filter(matches(_units.c.label, _units.c.location, _properties.c.name), contains),
            "property": Filter(
                _units.c.property_id == bindparam("of_property"), of_id("of_property")
            ),
            "state": Filter({"vacant": ~Unit.is_let, "occupied": Unit.is_let}),
            "archived": Filter({"no": ~is_away, "yes": is_away, "all": true()}),
        },
        usual={"archived": "no"},
        columns=(
            Column("Property", "property_name"),
            Column("Unit", "label"),
            Column("Where", "location"),
            Column("State", "state"),
            Column("Market rent", "market_rent", "amount"),
        ),
    )


def the_property(property_id: int) -> Property:
    """The property. Raises NotThere."""
    found = db.session.scalars(select(Property).where(Property.id == property_id)).one_or_none()
    if found is None:
        raise NotThere("This property does not exist.")
    return found


def the_unit(unit_id: int) -> Unit:
    """The unit with its property. Raises NotThere."""
    statement = select(Unit).where(Unit.id == unit_id).options(joinedload(Unit.property))
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotThere("This unit does not exist.")
    return found


def only_unit(building: Property) -> Unit | None:
    """The unit of a single-unit property; None for any other."""
    if not building.is_single_unit:
        return None
    statement = select(Unit).where(Unit.property_id == building.id).order_by(Unit.id).limit(1)
    return db.session.scalars(statement).first()


def property_choices() -> Sequence[tuple[int, str]]:
    """Id and name of the current properties, by name, for a filter; none where there are
    more than can be picked from.
    """
    found = rows_while_unchanged(_CHOICES, {})
    return [(row.id, row.name) for row in found] if len(found) <= PICKED else []


def counts_of(property_id: int, today: date) -> tuple[int, int, int]:
    """How many current units a property has, how many are let, and the sum of market rents."""
    statement = select(
        func.count(),
        func.sum(case((Unit.is_let, 1), else_=0)),
        func.sum(_units.c.market_rent),
    ).where(_our_units, _units.c.property_id == property_id, _units.c.archived_at.is_(None))
    count, let, rent = db.session.execute(statement, {"today": today}).one()
    return count, int(let or 0), int(rent or 0)


def is_let(unit_id: int, today: date) -> bool:
    """Whether somebody rents the unit on that day."""
    statement = select(Unit.is_let).select_from(_units).where(_our_units, _units.c.id == unit_id)
    return bool(db.session.execute(statement, {"today": today}).scalar())


def bound_unit(today: date, *, property_id: int = 0, unit_id: int = 0) -> str | None:
    """The label of a unit (of the property, or this one) that a lease holds or is to hold."""
    where = _units.c.property_id == property_id if property_id else _units.c.id == unit_id
    statement = select(_units.c.label).where(_our_units, where, Unit.is_bound).limit(1)
    return db.session.execute(statement, {"today": today}).scalar()
