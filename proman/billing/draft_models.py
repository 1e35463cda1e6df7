"""Owns invoices that are being prepared: they have no number and are in no books."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, Minor, Scoped, flag, foreign_key, id_column, moment


class InvoiceDraft(Scoped, Base):
    """What is to be charged to a lease beside its terms, until it is issued or discarded."""

    __tablename__ = "invoice_drafts"
    __table_args__ = (Index("ix_invoice_drafts_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    due_on: Mapped[date] = mapped_column(nullable=False)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    lines: Mapped[list["InvoiceDraftLine"]] = relationship(
        lazy="raise_on_sql",
        order_by="InvoiceDraftLine.position",
        cascade="all, delete-orphan",
    )


class InvoiceDraftLine(Scoped, Base):
    """One line of it: what for, how much, and its tax."""

    __tablename__ = "invoice_draft_lines"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        UniqueConstraint("draft_id", "position", name="uq_invoice_draft_lines_position"),
    )

    id: Mapped[int] = id_column()
    draft_id: Mapped[int] = foreign_key("invoice_drafts.id", nullable=False)
    position: Mapped[int] = mapped_column(nullable=False)
    kind: Mapped[str] = mapped_column(String(20), nullable=False)
    description: Mapped[str] = mapped_column(String(200), nullable=False)
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    tax_rate: Mapped[int] = mapped_column(nullable=False, default=0, server_default="0")
    """Thousandths of a per cent."""
    gross: Mapped[bool] = flag()
