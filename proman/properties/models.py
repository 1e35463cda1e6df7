"""Owns properties and their units."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, LongText, Minor, Scoped, flag, foreign_key, id_column, moment

PROPERTY_TYPES = ("apartments", "house", "commercial", "mixed", "parking", "other")


class Property(Scoped, Base):
    """A building or estate. One with a single unit never shows that unit to the manager."""

    __tablename__ = "properties"
    __table_args__ = (
        CheckConstraint(
            "type IN ('apartments', 'house', 'commercial', 'mixed', 'parking', 'other')",
            name="type",
        ),
        UniqueConstraint("organization_id", "name"),
        Index("ix_properties_organization_id_city", "organization_id", "city", "id"),
    )

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(String(200), nullable=False)
    type: Mapped[str] = mapped_column(String(20), nullable=False)
    is_single_unit: Mapped[bool] = flag()
    street: Mapped[str] = mapped_column(String(200), nullable=False, default="", server_default="")
    postal_code: Mapped[str] = mapped_column(
        String(20), nullable=False, default="", server_default=""
    )
    city: Mapped[str] = mapped_column(String(100), nullable=False, default="", server_default="")
    country: Mapped[str] = mapped_column(String(2), nullable=False)
    region: Mapped[str] = mapped_column(String(10), nullable=False, default="", server_default="")
    """State or province whose holidays count; empty: the organization's."""
    notes: Mapped[str] = mapped_column(LongText, nullable=False, default="")
    created_at: Mapped[datetime] = moment(nullable=False)
    archived_at: Mapped[datetime | None] = moment()

    units: Mapped[list["Unit"]] = relationship(
        back_populates="property", lazy="raise_on_sql", order_by="Unit.label"
    )


class Unit(Scoped, Base):
    """What can be let: a flat, a shop, a parking space. Whether it is occupied is derived."""

    __tablename__ = "units"
    __table_args__ = (
        UniqueConstraint("property_id", "label"),
        Index("ix_units_organization_id_property_id", "organization_id", "property_id", "label"),
        Index("ix_units_archived_at", "organization_id", "archived_at", "property_id"),
    )

    id: Mapped[int] = id_column()
    property_id: Mapped[int] = foreign_key("properties.id", nullable=False)
    label: Mapped[str] = mapped_column(String(60), nullable=False)
    location: Mapped[str] = mapped_column(
        String(100), nullable=False, default="", server_default=""
    )
    """Where in the building: floor, side."""
    bedrooms: Mapped[int | None] = mapped_column(nullable=True)
    bathrooms: Mapped[int | None] = mapped_column(nullable=True)
    """Tenths: 1.5 bathrooms is 15."""
    area: Mapped[int | None] = mapped_column(nullable=True)
    """Hundredths of the organization's unit of area."""
    market_rent: Mapped[int | None] = mapped_column(Minor, nullable=True)
    notes: Mapped[str] = mapped_column(LongText, nullable=False, default="")
    created_at: Mapped[datetime] = moment(nullable=False)
    archived_at: Mapped[datetime | None] = moment()

    property: Mapped[Property] = relationship(back_populates="units", lazy="raise_on_sql")

    is_let: ClassVar[ColumnElement[bool]]
    """In SQL: whether somebody rents the unit on the day bound as `today`.

    Declared by the leases, which know; so is `is_bound`.
    """
    is_bound: ClassVar[ColumnElement[bool]]
    """In SQL: whether a lease holds the unit or is to hold it, as of `today`."""
