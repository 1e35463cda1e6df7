"""What is done for the backups every night and every week, by the schedule or by command."""

from __future__ import annotations

from datetime import datetime

from proman.base.errors import Refused
from proman.database import catalogue, durable, journal_events, quarantine, restore
from proman.database.backup import back_up
from proman.database.installation import Installation
from proman.database.lock import UnderWay, ops_lock
from proman.database.verifying import drill, verify_new
from proman.db import utc_now

BY = journal_events.SCHEDULE
WAIT_SECONDS = 900.0


def nightly_backup(site: Installation) -> str:
    """A verified backup, then those without a manifest verified, then retention; says what it did.

    Retention only runs after the backup was proven: when backups fail, nothing is deleted.
    """
    made = back_up(site, "schedule", BY, wait=WAIT_SECONDS)
    removed = prune(site, BY, utc_now())
    return f"{made.name}, {len(removed)} older removed" if removed else made.name


def prune(site: Installation, by: str, now: datetime) -> list[str]:
    """Verifies files that came without a manifest, then removes what retention no longer keeps."""
    with ops_lock(site.settings, "retention", by, wait=10) as held:
        verify_new(site, held)
        if catalogue.newest_verified(catalogue.backups_in(site.backup_dir)) is None:
            raise Refused("There is no verified backup, so nothing is removed.")
        removed = catalogue.prune(site.backup_dir, site.retention, now)
        for name in removed:
            journal_events.note(site, "retention", name, by)
        return removed


def weekly_drill(site: Installation) -> str:
    """Proves the newest backup by restoring it into a scratch database; says what it found."""
    found = drill(site, None, BY)
    return f"{found.name}: {found.rows} rows restored"


def tidy(site: Installation) -> str:
    """Settles restores that were cut off, and removes what they and killed backups left."""
    restore.finish_interrupted(site)
    try:
        with ops_lock(site.settings, "tidying up", BY):
            if site.settings.is_sqlite:
                quarantine.sweep(site.live)
            swept = durable.sweep(site.backup_dir) + durable.sweep(site.data_dir)
    except UnderWay:
        return "restores only, because something was under way"
    return f"{swept} files of broken-off work removed"
