"""Owns the documents: what was uploaded for a property, unit, tenant, lease or expense.

A row says what a file is and on what it hangs; its content lies in the data directory under its
SHA-256 and is there before the row is.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from proman.db import Base, Scoped, flag, foreign_key, id_column, moment


class Document(Scoped, Base):
    """One uploaded file on exactly one record; the same content may hang on several."""

    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN property_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN unit_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN tenant_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN lease_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN expense_id IS NULL THEN 0 ELSE 1 END = 1",
            name="one_subject",
        ),
        Index("ix_documents_organization_id_id", "organization_id", "id"),
        Index("ix_documents_property_id", "property_id", "id"),
        Index("ix_documents_unit_id", "unit_id", "id"),
        Index("ix_documents_tenant_id", "tenant_id", "id"),
        Index("ix_documents_lease_id", "lease_id", "id"),
        Index("ix_documents_expense_id", "expense_id", "id"),
    )

    id: Mapped[int] = id_column()
    property_id: Mapped[int | None] = foreign_key("properties.id")
    unit_id: Mapped[int | None] = foreign_key("units.id")
    tenant_id: Mapped[int | None] = foreign_key("tenants.id")
    lease_id: Mapped[int | None] = foreign_key("leases.id")
    expense_id: Mapped[int | None] = foreign_key("expenses.id")
    name: Mapped[str] = mapped_column(String(200), nullable=False)
    media_type: Mapped[str] = mapped_column(String(100), nullable=False)
    """As its content says, not its sender."""
    size_bytes: Mapped[int] = mapped_column(BigInteger, nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    is_shown: Mapped[bool] = flag()
    """Whether the tenants of the lease see it in the portal."""
    uploaded_at: Mapped[datetime] = moment(nullable=False)
    uploaded_by: Mapped[int | None] = foreign_key("users.id")
