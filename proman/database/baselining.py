"""`flask database baseline`: brings a database that no migration made under migrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from proman.base.errors import Refused
from proman.database import migrating
from proman.database.backup import back_up_holding
from proman.database.description import Schema, describe, engine_of
from proman.database.fingerprints import differences, fingerprint_of
from proman.database.installation import Installation
from proman.database.live import About, Live, live_database
from proman.database.lock import ops_lock
from proman.database.revisions import chain_to
from proman.database.server_copy import copy_snapshot, revision_of
from proman.database.sqlite_copy import Progress

BEFORE_BASELINE = "before-baseline"


def baseline(site: Installation, by: str, show: Callable[[str], None]) -> str:
    """Stamps the revision whose schema the database has exactly, after a verified backup.

    Returns the revision. Raises Refused, and nothing was changed, when the schema is that of none;
    `show` is given every difference to the nearest one before.
    """
    with ops_lock(site.settings, "baseline", by, migrating.WAIT_SECONDS) as held:
        with migrating.looking_connection(site.settings) as connection:
            schema, engine = _unversioned(connection), engine_of(connection)
        revision, unlike = _nearest(site.migrations, engine, schema)
        if unlike:
            for line in unlike:
                show(line)
            raise Refused(
                f"The schema is that of no known revision; the nearest is {revision}, and above "
                f"is what differs ({len(unlike)}). Nothing was changed. Put it right by hand, or "
                "write the migration that makes it, and run this again."
            )
        source = _Matched(site, live_database(site), revision)
        made = back_up_holding(site, BEFORE_BASELINE, held, source=source, in_trail=False)
        show(f"Backed up to {made.path}")

        def verify(connection: Connection) -> None:
            if describe(connection) != schema:
                raise Refused("Someone changed the schema meanwhile. Run it again.")

        migrating.run_holding(command.stamp, site.migrations, revision, verify)
    return revision


def _unversioned(connection: Connection) -> Schema:
    """The schema of a database that no migration made; raises Refused with the reason if none."""
    revision = revision_of(connection)
    if revision is not None:
        raise Refused(f"The database is under migrations already, at revision {revision}.")
    schema = describe(connection)
    if not schema:
        raise Refused("The database is empty. Make its tables with: flask db upgrade")
    if "table _prisma_migrations" in schema:
        raise Refused(migrating.EARLIER)
    return schema


def _nearest(migrations: Path, engine: str, schema: Schema) -> tuple[str, list[str]]:
    """The revision that the schema differs from least, the newest of such, and how it differs."""
    found = []
    for revision in reversed(chain_to(migrations, "head")):
        wanted = fingerprint_of(migrations, engine, revision)
        if wanted is not None:
            found.append((revision, differences(schema, wanted)))
    return min(found, key=lambda one: len(one[1]))


@dataclass(frozen=True)
class _Matched:
    """The live database as one at the revision whose schema it has, though it is not stamped."""

    site: Installation
    live: Live
    revision: str

    def about(self) -> About:
        return replace(self.live.about(), revision=self.revision)

    def copy_into(self, target: Path, report: Progress) -> None:
        """The rows, in a file made by our migrations: what is not stamped cannot be restored."""

        def copy(connection: Connection) -> None:
            if self.site.settings.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            copy_snapshot(connection, target, self.site.migrations, report, self.revision)

        self.live.ask(copy)
