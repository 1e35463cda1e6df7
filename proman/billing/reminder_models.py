"""Owns when and how tenants are reminded, and the reminders that were made. Those never change."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from proman.db import Base, JsonText, LongText, Minor, Scoped, foreign_key, id_column, moment


class ReminderLevel(Scoped, Base):
    """A step of an organization's reminders as it holds now; what was made by it keeps its text."""

    __tablename__ = "reminder_levels"
    __table_args__ = (
        CheckConstraint("level >= 1 AND level <= 3", name="level"),
        CheckConstraint("days >= 1 AND pay_within >= 1 AND minimum >= 0", name="bounds"),
        UniqueConstraint("organization_id", "level", name="uq_reminder_levels_level"),
    )

    id: Mapped[int] = id_column()
    level: Mapped[int] = mapped_column(nullable=False)
    days: Mapped[int] = mapped_column(nullable=False)
    """How many days after the due date."""
    pay_within: Mapped[int] = mapped_column(nullable=False)
    """How many days the letter gives to pay."""
    minimum: Mapped[int] = mapped_column(Minor, nullable=False)
    title: Mapped[str] = mapped_column(String(100), nullable=False)
    text: Mapped[str] = mapped_column(LongText, nullable=False)


class Reminder(Scoped, Base):
    """A letter that reminds a lease's tenants of what was overdue, in the words of its day."""

    __tablename__ = "reminders"
    __table_args__ = (
        CheckConstraint("total > 0 AND pay_by >= made_on", name="reminder"),
        # Two who make the reminders of a day at once make each letter once.
        UniqueConstraint("lease_id", "made_on", name="uq_reminders_once"),
        Index("ix_reminders_organization_id_id", "organization_id", "id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    level: Mapped[int] = mapped_column(nullable=False)
    made_on: Mapped[date] = mapped_column(nullable=False)
    pay_by: Mapped[date] = mapped_column(nullable=False)
    """Inclusive."""
    total: Mapped[int] = mapped_column(Minor, nullable=False)
    currency: Mapped[str] = mapped_column(String(3), nullable=False)
    title: Mapped[str] = mapped_column(String(100), nullable=False)
    text: Mapped[str] = mapped_column(LongText, nullable=False)
    """As it was sent: every place is filled in."""
    issuer: Mapped[Any] = mapped_column(JsonText, nullable=False)
    recipient: Mapped[Any] = mapped_column(JsonText, nullable=False)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")


class ReminderItem(Scoped, Base):
    """A document in a reminder: what of it was open then, and the level that it has by it."""

    __tablename__ = "reminder_items"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("open > 0 AND level >= 0 AND level <= 3", name="item"),
        UniqueConstraint("reminder_id", "invoice_id", name="uq_reminder_items_once"),
        Index("ix_reminder_items_invoice_id", "invoice_id", "reminder_id", "level"),
    )

    id: Mapped[int] = id_column()
    reminder_id: Mapped[int] = foreign_key("reminders.id", nullable=False)
    invoice_id: Mapped[int] = foreign_key("invoices.id", nullable=False)
    level: Mapped[int] = mapped_column(nullable=False)
    open: Mapped[int] = mapped_column(Minor, nullable=False)
