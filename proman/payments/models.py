"""Owns receipts of money and their reversal."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, Minor, Scoped, foreign_key, id_column, moment
from proman.leases.models import Lease
from proman.payments.rules import METHODS

__all__ = ["METHODS", "Payment", "PaymentReversal"]


class Payment(Scoped, Base):
    """Money received for one lease; a payment split over leases is one row each, one group."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        # The list is counted, summed and searched in this index alone.
        Index(
            "ix_payments_organization_id_received_on",
            *("organization_id", "received_on", "id", "amount", "lease_id", "reference", "payer"),
        ),
        Index("ix_payments_amount", "organization_id", "amount", "id"),
        Index("ix_payments_lease_id", "lease_id", "received_on", "id"),
        Index("ix_payments_payment_group", "organization_id", "payment_group"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    payment_group: Mapped[str] = mapped_column(String(36), nullable=False)
    received_on: Mapped[date] = mapped_column(nullable=False)
    method: Mapped[str] = mapped_column(String(20), nullable=False)
    reference: Mapped[str] = mapped_column(
        String(140), nullable=False, default="", server_default=""
    )
    payer: Mapped[str] = mapped_column(String(200), nullable=False, default="", server_default="")
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    lease: Mapped[Lease] = relationship(lazy="raise_on_sql")
    reversal: Mapped["PaymentReversal | None"] = relationship(
        back_populates="payment", lazy="raise_on_sql", uselist=False
    )


class PaymentReversal(Scoped, Base):
    """That a payment bounced or was recorded by mistake: when, why, by whom."""

    __tablename__ = "payment_reversals"

    id: Mapped[int] = id_column()
    payment_id: Mapped[int] = foreign_key("payments.id", nullable=False, unique=True)
    reversed_on: Mapped[date] = mapped_column(nullable=False)
    reason: Mapped[str] = mapped_column(String(500), nullable=False)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    payment: Mapped[Payment] = relationship(back_populates="reversal", lazy="raise_on_sql")
