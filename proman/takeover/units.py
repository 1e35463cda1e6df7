"""Plans properties and units from rows: first told counts, and each is made once."""

import re

from proman.takeover.cells import Reader
from proman.takeover.plan import PlannedProperty, PlannedUnit

SINGLE_UNIT_LABEL = "1"
_COUNTRY = re.compile(r"[A-Z]{2}")
_REGION = re.compile(r"[A-Z0-9]{1,3}(-[A-Z0-9]{1,3})?")


class Portfolio:
    """Properties and units as they are met, keyed by their spelling without case."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.properties: dict[str, PlannedProperty] = {}
        self.units: dict[tuple[str, str], PlannedUnit] = {}
        self._has_units = bool(reader.heading("unit"))

    def property_of_row(self, group: str) -> str:
        """The row's property: its column's, the heading's above it, or the one answered."""
        reader = self.reader
        name = reader.text("property") or group or reader.mapping.property
        if not name:
            reader.fault("property", "No property is named.")
            return ""
        known = reader.setting.existing.properties.get(name.casefold())
        if known:
            return known
        planned = self.properties.get(name.casefold())
        if planned is None:
            planned = self._property(name)
            self.properties[name.casefold()] = planned
        return planned.name

    def _property(self, name: str) -> PlannedProperty:
        reader = self.reader
        country = reader.text("country").upper()
        if country and not _COUNTRY.fullmatch(country):
            reader.fault("country", f"“{country}” is not a country’s two letters, such as DE.")
        region = reader.text("region").upper()
        if region and not _REGION.fullmatch(region):
            reader.note("region", f"“{region}” is not a region’s code and is left out.")
            region = ""
        return PlannedProperty(
            row=reader.row.number,
            name=name,
            street=reader.text("street"),
            postal_code=reader.text("postal_code"),
            city=reader.text("city"),
            country=country or reader.setting.country,
            region=region,
            is_single_unit=not self._has_units,
        )

    def unit_of_row(self, property_name: str) -> str:
        """The label of the row's unit, planned unless it is there already."""
        reader = self.reader
        label = reader.text("unit") if self._has_units else SINGLE_UNIT_LABEL
        if not label:
            reader.fault("unit", "No unit is named.")
            return ""
        key = (property_name.casefold(), label.casefold())
        if key in reader.setting.existing.units:
            return label
        if key not in self.units:
            self.units[key] = self._unit(property_name, label)
        return self.units[key].label

    def _unit(self, property_name: str, label: str) -> PlannedUnit:
        reader = self.reader
        bedrooms, bathrooms = reader.rooms()
        return PlannedUnit(
            row=reader.row.number,
            property_name=property_name,
            label=label,
            location=reader.text("floor"),
            bedrooms=bedrooms,
            bathrooms=bathrooms,
            area=reader.area(),
            market_rent=reader.amount("market_rent"),
        )
