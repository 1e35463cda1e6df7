"""Owns what was spent and its reversal."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, Minor, Scoped, foreign_key, id_column, moment


class Expense(Scoped, Base):
    """Money spent on a property, or on all of them together; written once, only ever reversed."""

    __tablename__ = "expenses"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        # The list is counted, summed and filtered in this index alone.
        Index(
            "ix_expenses_organization_id_paid_on",
            *("organization_id", "paid_on", "id", "amount", "property_id", "category"),
        ),
        Index("ix_expenses_amount", "organization_id", "amount", "id"),
        Index("ix_expenses_property_id", "property_id", "paid_on", "id"),
    )

    id: Mapped[int] = id_column()
    property_id: Mapped[int | None] = foreign_key("properties.id")
    """Empty: it was for no single property."""
    category: Mapped[str] = mapped_column(String(20), nullable=False)
    paid_on: Mapped[date] = mapped_column(nullable=False)
    supplier: Mapped[str] = mapped_column(String(200), nullable=False)
    reference: Mapped[str] = mapped_column(
        String(140), nullable=False, default="", server_default=""
    )
    """The number of the supplier's bill."""
    description: Mapped[str] = mapped_column(
        String(500), nullable=False, default="", server_default=""
    )
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    """What left the bank, tax included."""
    entry_id: Mapped[int] = foreign_key("entries.id", nullable=False, unique=True)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    reversal: Mapped["ExpenseReversal | None"] = relationship(
        back_populates="expense", lazy="raise_on_sql", uselist=False
    )


class ExpenseReversal(Scoped, Base):
    """That an expense came back, or was recorded by mistake: when, why, by whom."""

    __tablename__ = "expense_reversals"

    id: Mapped[int] = id_column()
    expense_id: Mapped[int] = foreign_key("expenses.id", nullable=False, unique=True)
    reversed_on: Mapped[date] = mapped_column(nullable=False)
    reason: Mapped[str] = mapped_column(String(500), nullable=False)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    expense: Mapped[Expense] = relationship(back_populates="reversal", lazy="raise_on_sql")
