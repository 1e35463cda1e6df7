"""Owns the journal, whose entries are written once and only ever reversed, and its locks."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, Minor, Scoped, foreign_key, id_column, moment
from proman.ledger.rules import Account

ACCOUNTS = tuple(account.value for account in Account)


class Entry(Scoped, Base):
    """One money event: its effective day, and the moment it was recorded."""

    __tablename__ = "entries"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        Index("ix_entries_organization_id_effective_on", "organization_id", "effective_on", "id"),
    )

    id: Mapped[int] = id_column()
    event: Mapped[str] = mapped_column(String(30), nullable=False)
    effective_on: Mapped[date] = mapped_column(nullable=False)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")
    reverses_id: Mapped[int | None] = foreign_key("entries.id", unique=True)
    explanation: Mapped[str] = mapped_column(
        String(300), nullable=False, default="", server_default=""
    )

    postings: Mapped[list["Posting"]] = relationship(back_populates="entry", lazy="raise_on_sql")


class Posting(Scoped, Base):
    """One side of an entry. The debits of an entry equal its credits."""

    __tablename__ = "postings"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint(
            "(debit > 0 AND credit = 0) OR (debit = 0 AND credit > 0)", name="one_side"
        ),
        Index("ix_postings_entry_id", "entry_id"),
        Index("ix_postings_lease_id_account", "lease_id", "account", "payment_id", "entry_id"),
        Index(
            "ix_postings_organization_id_account",
            "organization_id",
            "account",
            "lease_id",
            "debit",
            "credit",
        ),
        Index("ix_postings_invoice_id", "invoice_id", "account", "debit", "credit"),
        Index("ix_postings_payment_id", "payment_id", "account"),
    )

    id: Mapped[int] = id_column()
    entry_id: Mapped[int] = foreign_key("entries.id", nullable=False)
    account: Mapped[str] = mapped_column(String(20), nullable=False)
    lease_id: Mapped[int | None] = foreign_key("leases.id")
    property_id: Mapped[int | None] = foreign_key("properties.id")
    invoice_id: Mapped[int | None] = foreign_key("invoices.id")
    """On every posting to receivable: whose open amount it moves."""
    payment_id: Mapped[int | None] = foreign_key("payments.id")
    """The payment that the money came with; empty for credit from elsewhere."""
    debit: Mapped[int] = mapped_column(Minor, nullable=False)
    credit: Mapped[int] = mapped_column(Minor, nullable=False)

    entry: Mapped[Entry] = relationship(back_populates="postings", lazy="raise_on_sql")


class PeriodLock(Scoped, Base):
    """A decision up to which day the books are locked; the newest one is in force."""

    __tablename__ = "period_locks"
    __table_args__ = (Index("ix_period_locks_organization_id", "organization_id", "id"),)

    id: Mapped[int] = id_column()
    locked_through: Mapped[date | None] = mapped_column()
    """The last locked day, inclusive; empty when all books were opened."""
    reason: Mapped[str] = mapped_column(String(500), nullable=False, default="", server_default="")
    newest_entry_id: Mapped[int] = mapped_column(BigInteger, nullable=False)
    """The newest entry when it was decided; nought when there was none. What came later has a
    greater id."""
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")
