"""Owns the terms of leases: who rents what, from when, for how much, and what else is charged."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, LongText, Minor, Scoped, flag, foreign_key, id_column, moment
from proman.leases.index_models import IndexClause, RentIndexation
from proman.properties.models import Unit
from proman.tenants.models import Tenant


class Lease(Scoped, Base):
    """The agreement for one unit. First and last day are inclusive; no last day: open-ended.

    Two leases of one unit never overlap in [first_day, ended_on or last_day]; the database
    refuses it (drafts apart).
    """

    __tablename__ = "leases"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'active', 'ended')", name="status"),
        CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days"),
        CheckConstraint(
            "(status = 'ended' AND ended_on IS NOT NULL AND ended_on >= first_day)"
            " OR (status <> 'ended' AND ended_on IS NULL)",
            name="ended_on",
        ),
        UniqueConstraint("organization_id", "reference"),
        Index("ix_leases_organization_id_status", "organization_id", "status", "last_day", "id"),
        Index("ix_leases_unit_id_first_day", "unit_id", "first_day"),
        Index("ix_leases_organization_id_first_day", "organization_id", "first_day", "id"),
        # Which units are let on a day is told from this index alone.
        Index(
            "ix_leases_occupancy",
            "organization_id",
            "status",
            "first_day",
            "ended_on",
            "last_day",
            "unit_id",
        ),
    )

    id: Mapped[int] = id_column()
    unit_id: Mapped[int] = foreign_key("units.id", nullable=False)
    reference: Mapped[str] = mapped_column(String(40), nullable=False)
    """What the tenant writes on a payment."""
    status: Mapped[str] = mapped_column(String(10), nullable=False)
    first_day: Mapped[date] = mapped_column(nullable=False)
    last_day: Mapped[date | None] = mapped_column(nullable=True)
    """The agreed last day, inclusive."""
    ended_on: Mapped[date | None] = mapped_column(nullable=True)
    """The day it really ended, inclusive; who ended it and when stands in `lease_endings`."""
    cut_over: Mapped[date | None] = mapped_column(nullable=True)
    """Periods begun by this day were billed by the system taken over from."""
    frequency: Mapped[str] = mapped_column(String(15), nullable=False)
    periods: Mapped[str] = mapped_column(String(15), nullable=False)
    timing: Mapped[str] = mapped_column(String(10), nullable=False)
    due_rule: Mapped[str] = mapped_column(String(20), nullable=False)
    lead_days: Mapped[int] = mapped_column(nullable=False)
    proration: Mapped[str] = mapped_column(String(10), nullable=False)
    holding_over: Mapped[str] = mapped_column(String(10), nullable=False)
    deposit: Mapped[int] = mapped_column(Minor, nullable=False, default=0, server_default="0")
    """The deposit agreed, minor units."""
    notes: Mapped[str] = mapped_column(LongText, nullable=False, default="")
    created_at: Mapped[datetime] = moment(nullable=False)

    unit: Mapped[Unit] = relationship(lazy="raise_on_sql")
    parties: Mapped[list["LeaseParty"]] = relationship(
        back_populates="lease", lazy="raise_on_sql", order_by="LeaseParty.position"
    )
    rents: Mapped[list["Rent"]] = relationship(
        back_populates="lease", lazy="raise_on_sql", order_by="Rent.effective_from, Rent.id"
    )
    charges: Mapped[list["Charge"]] = relationship(
        back_populates="lease", lazy="raise_on_sql", order_by="Charge.id"
    )
    index_clause: Mapped[IndexClause | None] = relationship(lazy="raise_on_sql", viewonly=True)


class LeaseParty(Scoped, Base):
    """A tenant who signed a lease; all of a lease's tenants bear one joint balance."""

    __tablename__ = "lease_parties"
    __table_args__ = (
        UniqueConstraint("lease_id", "tenant_id"),
        Index("ix_lease_parties_tenant_id", "tenant_id", "lease_id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    tenant_id: Mapped[int] = foreign_key("tenants.id", nullable=False)
    position: Mapped[int] = mapped_column(nullable=False)
    joined_on: Mapped[date | None] = mapped_column(nullable=True)
    """The first day of a tenant who joined later, inclusive; None: from the lease's first day."""
    left_on: Mapped[date | None] = mapped_column(nullable=True)
    """The last day this tenant was a party, inclusive."""

    lease: Mapped[Lease] = relationship(back_populates="parties", lazy="raise_on_sql")
    tenant: Mapped[Tenant] = relationship(lazy="raise_on_sql")

    def is_on(self, day: date) -> bool:
        """Whether the tenant is on the lease on a day, as far as joining and leaving say."""
        has_joined = self.joined_on is None or self.joined_on <= day
        return has_joined and (self.left_on is None or self.left_on >= day)


class LeaseEnding(Scoped, Base):
    """Who ended a lease, when it was recorded, and why."""

    __tablename__ = "lease_endings"

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False, unique=True)
    ended_on: Mapped[date] = mapped_column(nullable=False)
    reason: Mapped[str] = mapped_column(String(500), nullable=False, default="", server_default="")
    deposit_return_due: Mapped[date | None] = mapped_column(nullable=True)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")


class Rent(Scoped, Base):
    """A dated amount of rent for one period of the lease's frequency; nil is rent-free."""

    __tablename__ = "rents"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        Index("ix_rents_lease_id", "lease_id", "effective_from", "id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    effective_from: Mapped[date] = mapped_column(nullable=False)
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    change: Mapped[str] = mapped_column(
        String(10), nullable=False, default="split", server_default="split"
    )
    """In mid-period: split the line, or defer to the next period."""
    tax_rate: Mapped[int] = mapped_column(nullable=False, default=0, server_default="0")
    gross: Mapped[bool] = flag()
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    lease: Mapped[Lease] = relationship(back_populates="rents", lazy="raise_on_sql")
    indexation: Mapped[RentIndexation | None] = relationship(lazy="raise_on_sql", viewonly=True)
    """What it was reckoned from, where the rent was indexed."""


class Charge(Scoped, Base):
    """What is charged beside the rent: each period, or once."""

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("recurrence IN ('period', 'once', 'at_once')", name="recurrence"),
        CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days"),
        Index("ix_charges_lease_id", "lease_id", "id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    kind: Mapped[str] = mapped_column(String(20), nullable=False)
    """parking, utilities, heating, service, fee, other."""
    description: Mapped[str] = mapped_column(String(200), nullable=False)
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    first_day: Mapped[date] = mapped_column(nullable=False)
    last_day: Mapped[date | None] = mapped_column(nullable=True)
    tax_rate: Mapped[int] = mapped_column(nullable=False, default=0, server_default="0")
    gross: Mapped[bool] = flag()
    recurrence: Mapped[str] = mapped_column(
        String(10), nullable=False, default="period", server_default="period"
    )
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    lease: Mapped[Lease] = relationship(back_populates="charges", lazy="raise_on_sql")
