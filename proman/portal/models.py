"""Owns which login belongs to which tenant."""

from datetime import datetime

from sqlalchemy.orm import Mapped

from proman.db import Base, Scoped, foreign_key, id_column, moment


class PortalAccess(Scoped, Base):
    """The one login of a tenant."""

    __tablename__ = "portal_accesses"

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = foreign_key("users.id", nullable=False, unique=True)
    tenant_id: Mapped[int] = foreign_key("tenants.id", nullable=False, unique=True)
    invited_at: Mapped[datetime] = moment(nullable=False)
    invited_by: Mapped[int | None] = foreign_key("users.id")
