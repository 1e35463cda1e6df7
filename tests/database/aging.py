"""Backups of other days: real ones, whose names and manifests tell another time."""

from dataclasses import replace
from datetime import timedelta

from proman.database import catalogue
from proman.database import manifest as manifests
from proman.database.backup import back_up
from proman.database.installation import Installation
from proman.database.rules import backup_name
from proman.db import utc_now


def backup_of(
    site: Installation, hours: float, reason: str = "schedule", by: str = "the schedule"
) -> str:
    """A verified backup taken so many hours ago; make the oldest first. Its name."""
    made = back_up(site, reason, by)
    assert made.manifest is not None
    moment = utc_now() - timedelta(hours=hours)
    path = made.path.with_name(backup_name(moment))
    made.path.rename(path)
    old = catalogue.manifest_path(made.path)
    told = manifests.utc_text(moment)
    manifest = replace(made.manifest, name=path.name, created_at=told, content_at=None)
    manifests.write(catalogue.manifest_path(path), manifest)
    old.unlink()
    return path.stem
