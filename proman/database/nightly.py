"""What is done for the backups every night and every week, by the schedule or by command."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from proman.base.errors import Refused
from proman.database import (
    catalogue,
    documents,
    durable,
    journal_events,
    outcomes,
    quarantine,
    restore,
)
from proman.database.backup import back_up
from proman.database.installation import Installation
from proman.database.lock import UnderWay, ops_lock
from proman.database.verifying import drill, verify_new
from proman.db import utc_now

BY = journal_events.SCHEDULE
WAIT_SECONDS = 900.0


def by_schedule(site: Installation) -> str:
    """What is due at each hour of the plan: a backup, or a look at those that others made."""
    return nightly_backup(site) if site.plan.on else look_after_others(site)


def nightly_backup(site: Installation) -> str:
    """A verified backup, then those without a manifest verified, then retention; says what it did.

    Retention only runs after the backup was proven: when backups fail, nothing is deleted.
    """
    made = back_up(site, "schedule", BY, wait=WAIT_SECONDS)
    lacking = f", without {documents.in_words(made.lacking)}" if made.lacking else ""
    return f"{made.name}{lacking}{_removed(site)}"


def look_after_others(site: Installation) -> str:
    """Verifies what another tool put there; when one of them is good, retention follows."""
    with ops_lock(site.settings, "verification", BY, wait=WAIT_SECONDS) as held:
        good = [one.path for one in verify_new(site, held) if one.is_verified]
    return f"{len(good)} verified{_removed(site, good) if good else ''}"


def _removed(site: Installation, new: Collection[Path] = ()) -> str:
    """What retention did, in words. A failure of it is no reason to make another backup."""
    if site.plan.fault:
        return f", none removed. {site.plan.fault}"
    try:
        with outcomes.noted(site.data_dir, outcomes.RETENTION, BY, but=UnderWay):
            removed = prune(site, BY, utc_now(), new)
    except (Refused, OSError) as error:
        return f", none removed: {outcomes.reason_of(error)}"
    return f", {len(removed)} older removed" if removed else ""


def prune(site: Installation, by: str, now: datetime, new: Collection[Path] = ()) -> list[str]:
    """Verifies files that came without a manifest, then removes what retention no longer keeps.

    What was verified just now, or is `new`, stays until the next time: nobody could have seen
    before what the rules would do to it. Raises Refused when there is no verified backup, and when
    nobody knows which rules were chosen.
    """
    with ops_lock(site.settings, "retention", by, wait=10) as held:
        spared = {*new, *(one.path for one in verify_new(site, held))}
        if catalogue.newest_verified(catalogue.backups_in(site.backup_dir)) is None:
            raise Refused("There is no verified backup, so nothing is removed.")
        plan = site.plan
        if plan.fault:
            raise Refused(plan.fault)
        removed = catalogue.prune(site.backup_dir, plan.retention, now, spared)
        for name in removed:
            journal_events.note(site, "retention", name, by)
        documents.prune(site, site.backup_dir)
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
            swept += documents.sweep(site)
    except UnderWay:
        return "restores only, because something was under way"
    return f"{swept} files of broken-off work removed"
