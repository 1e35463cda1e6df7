"""The marks of what is unfinished: tables of the tools, and a file beside a SQLite database."""

from pathlib import Path

REVISIONS = "alembic_version"
"""Alembic's own table: one row, the revision."""
STEPS = "proman_migration"
"""On MySQL and MariaDB: how far the migration is that is under way; no row when none is."""
COPY = "proman_copy"
"""There from before the first row of a copy until after the last proof."""
QUARANTINE = "quarantine"
"""The folder, beside a SQLite database, of damaged files and of what is to replace them."""
PENDING = "pending.json"
"""In that folder while a damaged file is being replaced."""


def is_pending(live: Path) -> bool:
    """Whether a replacement of this SQLite file was begun and not ended."""
    return (live.parent / QUARANTINE / PENDING).exists()
