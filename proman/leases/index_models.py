"""Owns published index values, the index clauses of leases, and the rents that were indexed."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, Minor, Scoped, flag, foreign_key, id_column, moment


class IndexSeries(Scoped, Base):
    """An index that somebody publishes, such as “Consumer price index, 2020 = 100”."""

    __tablename__ = "index_series"
    __table_args__ = (UniqueConstraint("organization_id", "name", name="uq_index_series_name"),)

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(String(120), nullable=False)


class IndexValue(Scoped, Base):
    """The index of a month as it was published on a day; a correction is another publication.

    Once a rent was reckoned from it, it never changes.
    """

    __tablename__ = "index_values"
    __table_args__ = (
        CheckConstraint("value > 0", name="value"),
        UniqueConstraint("series_id", "month", "published_on", name="uq_index_values_once"),
        Index("ix_index_values_organization_id", "organization_id", "series_id", "month"),
    )

    id: Mapped[int] = id_column()
    series_id: Mapped[int] = foreign_key("index_series.id", nullable=False)
    month: Mapped[date] = mapped_column(nullable=False)
    """The first day of the month; of a quarter, of its first month."""
    value: Mapped[int] = mapped_column(nullable=False)
    """In thousandths: 117.4 is 117400."""
    published_on: Mapped[date] = mapped_column(nullable=False)


class IndexClause(Scoped, Base):
    """By which index a lease's rent goes; the time line of the lease tells of its changes."""

    __tablename__ = "index_clauses"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint(
            "notice_months >= 0 AND notice_months <= 24 AND hold_months >= 0"
            " AND hold_months <= 120 AND threshold >= 0 AND threshold <= 100000",
            name="bounds",
        ),
        CheckConstraint("takes_effect IN ('month', 'anniversary')", name="takes_effect"),
        UniqueConstraint("lease_id", name="uq_index_clauses_lease_id"),
        Index("ix_index_clauses_organization_id", "organization_id", "lease_id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    series_id: Mapped[int] = foreign_key("index_series.id", nullable=False)
    base_month: Mapped[date] = mapped_column(nullable=False)
    base_value_id: Mapped[int | None] = foreign_key("index_values.id", nullable=True)
    """What the last indexation ended with; None: as it is published of the base month."""
    notice_months: Mapped[int] = mapped_column(nullable=False)
    hold_months: Mapped[int] = mapped_column(nullable=False)
    takes_effect: Mapped[str] = mapped_column(String(12), nullable=False)
    threshold: Mapped[int] = mapped_column(nullable=False)
    """In thousandths of a per cent; nil: every change counts."""
    up_only: Mapped[bool] = flag()
    same_month: Mapped[bool] = flag()
    """Whether only values of the base's own month of the year count."""
    unchanged_since: Mapped[date | None] = mapped_column(nullable=True)
    """When the rent was last changed, where that was before it was recorded here."""
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    series: Mapped[IndexSeries] = relationship(lazy="raise_on_sql")
    base_value: Mapped[IndexValue | None] = relationship(lazy="raise_on_sql")


class RentIndexation(Scoped, Base):
    """A rent that was indexed, and both values that it was reckoned from. Never changed."""

    __tablename__ = "rent_indexations"
    __table_args__ = (
        CheckConstraint("old_rent > 0 AND new_rent >= 0", name="rents"),
        CheckConstraint("effective_from > notice_day", name="notice"),
        UniqueConstraint("rent_id", name="uq_rent_indexations_rent_id"),
        Index("ix_rent_indexations_lease_id", "lease_id", "id"),
        Index("ix_rent_indexations_organization_id", "organization_id", "id"),
        Index("ix_rent_indexations_base_value_id", "base_value_id"),
        Index("ix_rent_indexations_new_value_id", "new_value_id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    rent_id: Mapped[int] = foreign_key("rents.id", nullable=False)
    base_value_id: Mapped[int] = foreign_key("index_values.id", nullable=False)
    new_value_id: Mapped[int] = foreign_key("index_values.id", nullable=False)
    old_rent: Mapped[int] = mapped_column(Minor, nullable=False)
    new_rent: Mapped[int] = mapped_column(Minor, nullable=False)
    notice_day: Mapped[date] = mapped_column(nullable=False)
    effective_from: Mapped[date] = mapped_column(nullable=False)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")

    base_value: Mapped[IndexValue] = relationship(foreign_keys=[base_value_id], lazy="raise_on_sql")
    new_value: Mapped[IndexValue] = relationship(foreign_keys=[new_value_id], lazy="raise_on_sql")
