"""Changes of properties and units: adding, correcting, archiving."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.exc import IntegrityError

from proman.base.errors import Refused
from proman.db import db, utc_now
from proman.properties.models import Property, Unit
from proman.properties.queries import bound_unit, only_unit

UNIT_VALUES = ("bedrooms", "bathrooms", "area", "market_rent")
"""What of a single-unit property belongs to its unit."""


def add_property(values: Mapping[str, Any], unit_values: Mapping[str, Any]) -> Property:
    """Make a property; one that is let as a whole gets its only unit by itself.

    Raises Refused (field `name`) when there is a property of this name.
    """
    building = Property(**values)
    db.session.add(building)
    _flush(f"There is a property named {building.name} already.", "name")
    if building.is_single_unit:
        db.session.add(Unit(property_id=building.id, label=building.name[:60], **unit_values))
        db.session.flush()
    return building


def correct_property(
    building: Property, values: Mapping[str, Any], unit_values: Mapping[str, Any]
) -> None:
    """Take over what was typed; the only unit of a single-unit property follows. Raises Refused."""
    for key, value in values.items():
        setattr(building, key, value)
    unit = only_unit(building)
    if unit is not None:
        unit.label = building.name[:60]
        for key, value in unit_values.items():
            setattr(unit, key, value)
    _flush(f"There is a property named {building.name} already.", "name")


def add_unit(building: Property, values: Mapping[str, Any]) -> Unit:
    """Add a unit; a property let as a whole so far has several from now on.

    Raises Refused (field `label`) when the property has a unit of this label.
    """
    building.is_single_unit = False
    unit = Unit(property_id=building.id, **values)
    db.session.add(unit)
    _flush(f"{building.name} has a unit {unit.label} already.", "label")
    return unit


def correct_unit(unit: Unit, values: Mapping[str, Any]) -> None:
    """Take over what was typed of a unit. Raises Refused (field `label`) for a label in use."""
    for key, value in values.items():
        setattr(unit, key, value)
    _flush(f"The property has a unit {unit.label} already.", "label")


def archive_property(building: Property, today: date) -> None:
    """Put a property away with its units. Raises Refused while a lease holds one of them."""
    label = bound_unit(today, property_id=building.id)
    if label is not None:
        what = building.name if building.is_single_unit else f"Unit {label} of {building.name}"
        raise Refused(f"{what} is on a lease that has not ended. End it first.")
    building.archived_at = building.archived_at or utc_now()


def archive_unit(unit: Unit, today: date) -> None:
    """Put a unit away. Raises Refused while a lease holds it."""
    if bound_unit(today, unit_id=unit.id) is not None:
        raise Refused(f"Unit {unit.label} is on a lease that has not ended. End it first.")
    unit.archived_at = unit.archived_at or utc_now()


def bring_back(one: Property | Unit) -> None:
    """Take a property or unit out of the archive."""
    one.archived_at = None


def _flush(message: str, field: str) -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Refused(message, field) from error
