"""Owns when each scheduled job is due next and how it went last."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from proman.db import Base, LongText, moment


class ScheduledJob(Base):
    """One job of the schedule; a replica claims the row, so that it runs once."""

    __tablename__ = "scheduled_jobs"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    next_due_at: Mapped[datetime] = moment(nullable=False)
    claimed_at: Mapped[datetime | None] = moment()
    claimed_by: Mapped[str] = mapped_column(
        String(100), nullable=False, default="", server_default=""
    )
    last_run_at: Mapped[datetime | None] = moment()
    last_result: Mapped[str] = mapped_column(LongText, nullable=False, default="")
