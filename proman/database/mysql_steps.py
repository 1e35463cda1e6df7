"""Lets a migration that was cut off go on where it stopped, on engines that commit each statement.

MySQL and MariaDB commit every change of the schema at once. So each statement of a revision is
noted in a table of the tools' own before it runs and after; what changes rows is committed together
with its note. A next run passes over what is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from alembic.ddl.mysql import MariaDBImpl, MySQLImpl
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from proman.base.errors import Refused
from proman.database.common_ground import TABLES
from proman.database.fingerprints import drift_in
from proman.database.marks import STEPS

_DONE_ALREADY = {1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1359, 1360, 1826, 3822}
"""What the server answers to a change of the schema that is made already."""
_DUPLICATE_REFERENCE = (1005, "errno: 121")
_NO_TRIGGERS = 1419


@dataclass(frozen=True)
class Interrupted:
    """A revision that was cut off: which, in which way, and how many statements are done."""

    revision: str
    way: str
    done: int

    def __str__(self) -> str:
        return f"{self.way} of {self.revision}, {self.done} statements of which are done"

    def in_the_way(self) -> str:
        """That it has to be finished first, and how."""
        return f"Cut off: the {self}. It goes on with: flask db {self.way}"


def interrupted_in(connection: Connection) -> Interrupted | None:
    """The revision that was cut off, if there is one."""
    if not inspect(connection).has_table(STEPS):
        return None
    row = connection.execute(text(f"SELECT revision, way, done FROM {STEPS}")).first()
    return None if row is None else Interrupted(*row)


def follow(context: MigrationContext, migrations: Path) -> None:
    """Has what the context runs noted statement by statement, on the engines that need it.

    What was cut off is stamped over only when all of it is there, by the fingerprints beside the
    migrations. Raises Refused, before anything is changed, where the server would refuse a trigger
    later on.
    """
    if not isinstance(context.impl, Stepwise) or context.as_sql:
        return
    assert context.connection is not None
    progress = context.impl.progress = Progress(context.connection, migrations)
    plan: Callable[..., Iterable[MigrationStep]] = context.opts["fn"]

    def steps(heads: Any, context: MigrationContext) -> Iterator[MigrationStep]:
        planned = list(plan(heads, context))
        progress.require_triggers(planned)
        for step in planned:
            progress.begin(step)
            yield step

    context._migrations_fn = steps  # type: ignore[assignment]


class Progress:
    """How far the revision is that is being applied or taken back."""

    def __init__(self, connection: Connection, migrations: Path) -> None:
        self._connection = connection
        self._migrations = migrations
        self._revision: str | None = None
        self._way = ""
        self._number = 0
        self._done = 0
        self._digest = self._kept = ""
        self._begun = ""
        self._told: list[str] = []
        self._sql(
            f"CREATE TABLE IF NOT EXISTS {STEPS} (revision VARCHAR(32) NOT NULL PRIMARY KEY, "
            "way VARCHAR(10) NOT NULL, done INTEGER NOT NULL, digest CHAR(64) NOT NULL, "
            f"begun CHAR(64) NOT NULL) {TABLES}"
        )

    def require_triggers(self, planned: list[MigrationStep]) -> None:
        """Raises Refused when triggers are to come that the server would not let be made."""
        scripts = [step.revision.path for step in planned if isinstance(step, RevisionStep)]
        if not any("CREATE TRIGGER" in Path(script).read_text("utf-8") for script in scripts):
            return
        try:
            self._sql("DROP TRIGGER IF EXISTS proman_probe")
            self._sql(
                f"CREATE TRIGGER proman_probe BEFORE INSERT ON {STEPS} FOR EACH ROW SET @probe = 1"
            )
            self._sql("DROP TRIGGER proman_probe")
        except DBAPIError as error:
            if _code(error) != _NO_TRIGGERS:
                raise
            raise Refused(
                "The server keeps a binary log and lets only administrators make triggers (error "
                "1419). Nothing was changed. Set log_bin_trust_function_creators = 1 on it, or "
                "give this user SUPER, and run: flask db upgrade"
            ) from error

    def begin(self, step: MigrationStep) -> None:
        """Takes up a revision, where it stopped or from its first statement."""
        cut_off = interrupted_in(self._connection)
        self._revision = None
        if not isinstance(step, RevisionStep):
            if cut_off is not None:
                self._require_made(step, cut_off)
            self._sql(f"DELETE FROM {STEPS}")
            return
        self._revision = step.revision.revision
        self._way = "upgrade" if step.is_upgrade else "downgrade"
        self._number = self._done = 0
        self._digest = self._kept = self._begun = ""
        self._told = []
        if cut_off is None:
            self._sql(
                f"INSERT INTO {STEPS} VALUES (:revision, :way, 0, '', '')",
                revision=self._revision,
                way=self._way,
            )
            self._sql("COMMIT")
        elif (cut_off.revision, cut_off.way) != (self._revision, self._way):
            raise Refused(cut_off.in_the_way())
        else:
            click.echo(f"Going on with the {cut_off}.", err=True)
            kept = self._connection.execute(text(f"SELECT done, digest, begun FROM {STEPS}")).one()
            self._done, self._kept, self._begun = kept

    def _require_made(self, stamp: MigrationStep, cut_off: Interrupted) -> None:
        """Raises Refused unless the schema is that of the revision that is to be stamped."""
        revisions = stamp.to_revisions_no_deps
        drift = [line for one in revisions for line in self._drift_from(one)]
        if drift or not revisions:
            raise Refused(f"{cut_off.in_the_way()}. Nothing was changed.")

    def _drift_from(self, revision: str) -> list[str]:
        return drift_in(self._connection, self._migrations, revision)

    def run(self, statement: str, construct: object, execute: Callable[[], Any]) -> Any:
        """Runs the next statement, or passes over it when it is done; its result or None."""
        if self._revision is None:
            return execute()
        if getattr(getattr(construct, "table", None), "name", "") == "alembic_version":
            result = execute()
            self._sql(f"DELETE FROM {STEPS}")
            self._sql("COMMIT")
            return result
        self._number += 1
        self._told.append(_short(statement))
        own = hashlib.sha256(statement.encode()).hexdigest()
        self._digest = hashlib.sha256(f"{self._digest}{own}".encode()).hexdigest()
        if self._number <= self._done:
            if self._number == self._done and self._digest != self._kept:
                self._refuse_another()
            return None
        return self._run_noted(own, execute)

    def _run_noted(self, own: str, execute: Callable[[], Any]) -> Any:
        may_be_done = bool(self._begun)
        if may_be_done and self._begun != own:
            self._refuse_another()
        self._note(begun=own)
        try:
            result = execute()
        except DBAPIError as error:
            if not (may_be_done and _is_done_already(error)):
                self._stop(error)
            result = None
        self._begun = ""
        self._note(done=self._number, digest=self._digest, begun="")
        return result

    def _note(self, **values: object) -> None:
        changes = ", ".join(f"{name} = :{name}" for name in values)
        self._sql(f"UPDATE {STEPS} SET {changes}", **values)
        self._sql("COMMIT")

    def _stop(self, error: DBAPIError) -> None:
        with suppress(DBAPIError):  # where the connection is gone, nobody knows whether it is done
            self._sql("ROLLBACK")
            self._note(begun="")
        for number, statement in enumerate(self._told[:-1], start=1):
            click.echo(f"Done: {number}. {statement}", err=True)
        raise Refused(
            f"The {self._way} of {self._revision} stopped at statement {self._number} "
            f"({self._told[-1]}): {error.orig}. What is done stays. Remove the cause and run "
            f"again: flask db {self._way}"
        ) from error

    def _refuse_another(self) -> None:
        raise Refused(
            f"The file of {self._revision} was changed after its first {self._done} statements had "
            "been done by it. Put it back as it was and run again. Or drop the database, make it "
            "again, and run: flask db upgrade, then flask database restore FILE"
        )

    def _sql(self, statement: str, **values: object) -> None:
        self._connection.execute(text(statement), values)


class Stepwise:
    """What notes each statement that a migration sends through Alembic."""

    progress: Progress | None = None
    dialect: Any

    def _exec(self, construct: Any, *arguments: Any, **options: Any) -> Any:
        def execute() -> Any:
            return super(Stepwise, self)._exec(construct, *arguments, **options)  # type: ignore[misc]

        if self.progress is None:
            return execute()
        clause = text(construct) if isinstance(construct, str) else construct
        statement = str(clause.compile(dialect=self.dialect))
        return self.progress.run(statement, construct, execute)


class StepwiseMySQL(Stepwise, MySQLImpl):
    """Alembic's own for MySQL, statement by statement."""

    __dialect__ = "mysql"


class StepwiseMariaDB(Stepwise, MariaDBImpl):
    """Alembic's own for MariaDB, statement by statement."""

    __dialect__ = "mariadb"


def _code(error: DBAPIError) -> int:
    arguments = getattr(error.orig, "args", ())
    return int(arguments[0]) if arguments and isinstance(arguments[0], int) else 0


def _is_done_already(error: DBAPIError) -> bool:
    code, words = _DUPLICATE_REFERENCE
    return _code(error) in _DONE_ALREADY or (_code(error) == code and words in str(error.orig))


def _short(statement: str) -> str:
    return " ".join(statement.split())[:80]
