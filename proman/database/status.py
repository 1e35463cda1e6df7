"""Tells how the database and its backups stand: for the page, the command and those who watch."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime

from proman.database import alarm, catalogue, documents, journal_events, keys, quarantine
from proman.database.catalogue import Backup
from proman.database.driver import library_faults, sqlite3
from proman.database.fingerprints import drift_in
from proman.database.installation import Installation
from proman.database.live import About, require_live
from proman.database.replica import GREATEST_LAG, replica
from proman.database.revisions import chain_to, is_known

SLOW_SECONDS = 1800
"""A backup that takes longer is not the one to rely upon alone."""


@dataclass(frozen=True)
class Status:
    """Engine, revision, sizes in bytes, times naive UTC, and sentences that ask for attention.

    `pending` are the revisions that an upgrade would apply, `drift` is what differs from the schema
    of the one it is at. `replica_lag` is in seconds, None when the replica cannot tell.
    """

    engine: str
    server_version: str
    revision: str | None
    head: str
    pending: list[str]
    drift: list[str]
    size: int
    free: int
    backups: list[Backup]
    newest: Backup | None
    last_proven: datetime | None
    has_replica: bool
    replica_lag: float | None
    sqlite_version: str
    sqlite_faults: list[str]
    warnings: list[str]


def status(site: Installation, now: datetime) -> Status:
    """How things stand at `now` (naive UTC)."""
    about = require_live(site).about()
    listed = catalogue.backups_in(site.backup_dir)
    place = site.backup_dir if site.backup_dir.is_dir() else site.data_dir
    free = shutil.disk_usage(place).free
    own = replica()
    lag = own.lag() if own else None
    differing = drift(site)
    return Status(
        engine=about.engine,
        server_version=about.server_version,
        revision=about.revision,
        head=site.head,
        pending=pending(site, about.revision),
        drift=differing,
        size=about.size,
        free=free,
        backups=listed,
        newest=catalogue.newest_verified(listed),
        last_proven=catalogue.last_proven(listed),
        has_replica=own is not None,
        replica_lag=lag,
        sqlite_version=sqlite3.sqlite_version,
        sqlite_faults=library_faults(),
        warnings=[
            *_warnings(site, listed, about, free, now),
            *_drifted(differing),
            *([] if own is None else _lagging(lag)),
        ],
    )


def pending(site: Installation, revision: str | None) -> list[str]:
    """The revisions that an upgrade would apply, in order; none where a newer version was at it."""
    if revision is not None and not is_known(site.migrations, revision):
        return []
    done = [] if revision is None else chain_to(site.migrations, revision)
    return [one for one in chain_to(site.migrations, site.head) if one not in done]


def drift(site: Installation) -> list[str]:
    """How the live database's schema differs from what its revision makes, in words."""
    live = require_live(site)
    revision = live.about().revision
    if revision is None:
        return ["no revision"]
    return live.ask(lambda connection: drift_in(connection, site.migrations, revision))


def _warnings(
    site: Installation, listed: list[Backup], about: About, free: int, now: datetime
) -> list[str]:
    fault = site.plan.fault
    found = [fault] if fault else []
    newest = catalogue.newest_verified(listed)
    late = alarm.overdue(site, listed, now) if newest else alarm.NONE_YET
    found += [late] if late else []
    found += alarm.failures(site)
    found += alarm.unreadable(listed)
    if newest is not None and newest.lacking:
        found.append(
            f"The newest backup lacks {documents.number_of(newest.lacking)} that nowhere could be "
            f"found whole: {documents.in_words(newest.lacking)}."
        )
    broken = [one.name for one in listed if one.manifest and one.manifest.fault]
    if broken:
        found.append(f"No longer good: {', '.join(broken)}.")
    if newest is not None and newest.manifest and newest.manifest.seconds > SLOW_SECONDS:
        minutes = newest.manifest.seconds // 60
        found.append(
            f"The newest backup took {minutes} minutes. Let the server's own tools make the main "
            "ones from here on."
        )
    found += keys.warnings(site, listed)
    missing = journal_events.unwritten(site)
    found += [missing] if missing else []
    if free < 3 * about.size + (64 << 20):
        found.append(f"Only {free >> 20} MiB are free where backups are kept.")
    if about.engine == "sqlite":
        found += library_faults()
        folders = ", ".join(map(str, quarantine.kept(site.live)))
        if folders:
            found.append(f"Damaged database files are kept until you delete them: {folders}.")
    return found


def _drifted(differing: list[str]) -> list[str]:
    if not differing:
        return []
    more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
    return [f"The schema is not what its revision makes: {differing[0]}{more}. See: flask doctor"]


def _lagging(lag: float | None) -> list[str]:
    if lag is None:
        return ["The read replica does not follow; reports are read from the database itself."]
    if lag > GREATEST_LAG:
        return [f"The read replica is {lag:.0f} seconds behind; reports do without it."]
    return []
