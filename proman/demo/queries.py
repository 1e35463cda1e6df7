"""Reads whether a database may take the demonstration."""

from sqlalchemy import select

from proman.db import db
from proman.identity.models import Organization


def organization_names(*, is_demonstration: bool) -> list[str]:
    """The organizations that the demonstration made, or those that it did not, by name."""
    statement = (
        select(Organization.name)
        .where(Organization.is_demonstration.is_(is_demonstration))
        .order_by(Organization.name)
    )
    return list(db.session.scalars(statement))
