"""`flask database deploy`: backs up, rehearses, upgrades and verifies under one lock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from alembic import command
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from proman.base.errors import Refused
from proman.database import catalogue, durable, outcomes, quarantine, scratch, sources
from proman.database.backup import back_up_holding
from proman.database.catalogue import Backup
from proman.database.fingerprints import drift_in
from proman.database.installation import Installation, ask
from proman.database.live import live_database
from proman.database.lock import Held, ops_lock
from proman.database.marks import REVISIONS
from proman.database.migrating import WAIT_SECONDS, looking_connection, run_holding
from proman.database.mysql_steps import Interrupted, interrupted_in
from proman.database.readiness import MIGRATION
from proman.database.retrying import again_if_taken_back
from proman.database.revisions import in_the_way, is_known
from proman.database.server_copy import revision_of
from proman.database.sqlite_copy import prove
from proman.database.unfinished import unfinished_in

BEFORE_UPGRADE = "before-upgrade"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Standing:
    """Where the database stands."""

    revision: str | None
    cut_off: Interrupted | None

    def is_due(self, site: Installation) -> bool:
        return self.revision != site.head or self.cut_off is not None


def deploy(site: Installation, by: str, tell: Tell) -> bool:
    """Brings the database to this version's revision; whether anything was due.

    When there are rows, a verified backup comes before the first change, and on SQLite a rehearsal
    on a copy of it. `tell` is given each step that is done. Raises Refused when a step fails: up to
    the upgrade itself nothing was changed then; on MySQL and MariaDB what it did stays.
    """
    quarantine.finish_pending(site.settings)
    if not again_if_taken_back(lambda: _standing(site)).is_due(site):
        return False
    with ops_lock(site.settings, "deployment", by, WAIT_SECONDS) as held:
        now = _standing(site)
        if not now.is_due(site):
            return False
        durable.sweep(site.data_dir)
        safety = _safety(site, now, held)
        before = [] if safety is None else _breaches(site, now.revision)
        if safety is not None:
            tell(f"Backed up to {safety.path}")
            if site.settings.is_sqlite:
                _rehearse(site, safety, before, held)
                tell("Rehearsed on a copy")
        held.turn_to(MIGRATION)
        verify = partial(_verify, site, before, safety)
        run_holding(command.upgrade, site.migrations, "head", verify)
    return True


def _standing(site: Installation) -> _Standing:
    """Read without the lock. Raises Refused for a newer version's database, or part of a copy."""
    with looking_connection(site.settings) as connection:
        found = _Standing(revision_of(connection), interrupted_in(connection))
        unfinished = unfinished_in(connection)
    if unfinished:
        raise Refused(unfinished)
    if found.revision is not None and not is_known(site.migrations, found.revision):
        raise Refused(in_the_way(site.migrations, found.revision))
    return found


def _safety(site: Installation, now: _Standing, held: Held) -> Backup | None:
    """A new backup, or the one from before an upgrade that was cut off; None of an empty database.

    What was cut off half-way is at no revision, so it cannot be backed up any more.
    """
    if now.revision is None and now.cut_off is None:
        return None
    if now.cut_off is None:
        rows = live_database(site).count_rows()
        is_empty = not any(count for name, count in rows.items() if name != REVISIONS)
        return None if is_empty else back_up_holding(site, BEFORE_UPGRADE, held, in_trail=False)
    for one in catalogue.backups_in(site.backup_dir):
        if one.is_verified and one.manifest and one.manifest.revision == now.revision:
            return one
    raise Refused(f"{now.cut_off.in_the_way()} No backup from before it is in the list.")


def _breaches(site: Installation, revision: str | None) -> list[str]:
    return live_database(site).ask(partial(_broken, site, revision=revision))


def _broken(site: Installation, connection: Connection, revision: str | None) -> list[str]:
    """What is broken already; nothing where this version's questions do not fit that schema."""
    try:
        return site.checks.breaches(connection, revision or "")
    except SQLAlchemyError:
        return []


def _rehearse(site: Installation, safety: Backup, before: list[str], held: Held) -> None:
    """The same upgrade on a copy of the backup, which is gone afterwards."""
    held.report("rehearsing on a copy")
    durable.require_space(site.data_dir, 3 * safety.size)
    with durable.partial(site.data_dir) as copy:
        try:
            with sources.readable(site, safety) as whole:
                shutil.copyfile(whole, copy)
            drift = ask(copy, partial(_drift, site))
            scratch.migrate(copy, site.migrations)
            prove(copy)
            new = [line for line in ask(copy, partial(_drift, site)) if line not in drift]
            new += ask(copy, partial(_new_breaches, site, before))
        except Refused:
            raise
        except Exception as error:  # whatever the file of a migration may raise
            new = [outcomes.reason_of(error)]
    if new:
        raise Refused(f"The rehearsal on a copy failed: {new[0]} Nothing was changed.")


def _drift(site: Installation, connection: Connection) -> list[str]:
    revision = revision_of(connection)
    return [] if revision is None else drift_in(connection, site.migrations, revision)


def _new_breaches(site: Installation, before: list[str], connection: Connection) -> list[str]:
    return [one for one in site.checks.breaches(connection, site.head) if one not in before]


def _verify(
    site: Installation, before: list[str], safety: Backup | None, connection: Connection
) -> None:
    """Raises Refused when the upgraded database has breaches that were not there before."""
    found = _new_breaches(site, before, connection)
    if not found:
        return
    end = "Nothing was changed."
    if connection.dialect.name in ("mysql", "mariadb"):
        end = "What was applied stays."
        if safety is not None:
            end += f" To go back: flask database restore {safety.name} --yes"
    raise Refused(f"The upgrade leaves a breach: {found[0]} {end}")
