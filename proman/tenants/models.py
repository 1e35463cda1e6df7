"""Owns the people and companies who rent."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from proman.db import Base, LongText, Scoped, id_column, moment


class Tenant(Scoped, Base):
    """A person or a company. Archived, not deleted, once a lease names it."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'company')", name="kind"),
        UniqueConstraint("organization_id", "email"),
        Index("ix_tenants_organization_id_name", "organization_id", "name", "id"),
        Index("ix_tenants_archived_at", "organization_id", "archived_at", "name", "id"),
    )

    id: Mapped[int] = id_column()
    kind: Mapped[str] = mapped_column(
        String(10), nullable=False, default="person", server_default="person"
    )
    name: Mapped[str] = mapped_column(String(200), nullable=False)
    email: Mapped[str | None] = mapped_column(String(254))
    """Lower case; the only thing that identifies a person; unique in the organization."""
    phone: Mapped[str] = mapped_column(String(50), nullable=False, default="", server_default="")
    street: Mapped[str] = mapped_column(String(200), nullable=False, default="", server_default="")
    postal_code: Mapped[str] = mapped_column(
        String(20), nullable=False, default="", server_default=""
    )
    city: Mapped[str] = mapped_column(String(100), nullable=False, default="", server_default="")
    country: Mapped[str] = mapped_column(String(2), nullable=False, default="", server_default="")
    tax_number: Mapped[str] = mapped_column(
        String(50), nullable=False, default="", server_default=""
    )
    notes: Mapped[str] = mapped_column(LongText, nullable=False, default="")
    created_at: Mapped[datetime] = moment(nullable=False)
    archived_at: Mapped[datetime | None] = moment()

    home: ClassVar[ColumnElement[str | None]]
    """In SQL: what they rent or are about to rent on the day bound as `today`, or NULL.

    Declared by the leases, which know; so is `is_renting`.
    """
    is_renting: ClassVar[ColumnElement[bool]]
    """In SQL: whether they are on a lease that is not over on the day bound as `today`."""
