"""Knows the revisions of this version: read from the migration files, without a database."""

from functools import lru_cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError


def script_directory(migrations: Path) -> ScriptDirectory:
    """The migration scripts of a directory; read once, and again when one was added or removed."""
    return _read(migrations, (migrations / "versions").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(migrations: Path, changed_at: int) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    return ScriptDirectory.from_config(config)


@lru_cache(maxsize=4)
def head_revision(migrations: Path) -> str:
    """The one head revision of this version."""
    head = script_directory(migrations).get_current_head()
    if head is None:
        raise RuntimeError(f"{migrations} holds no migration")
    return head


def is_known(migrations: Path, revision: str) -> bool:
    """Whether this version has a migration of exactly that name."""
    try:
        script = script_directory(migrations).get_revision(revision)
    except CommandError:
        return False
    return script is not None and script.revision == revision


def in_the_way(migrations: Path, revision: str | None) -> str:
    """Why this version cannot work on a database at that revision and what to do; else nothing."""
    head = head_revision(migrations)
    if revision == head:
        return ""
    if revision is None:
        return f"The database is at no revision, this version needs {head}. Run: flask db upgrade"
    if is_known(migrations, revision):
        return (
            f"The database is at revision {revision}, this version needs {head}. "
            "Run: flask db upgrade"
        )
    return (
        f"The database is at revision {revision}, which this version does not know; it knows up to "
        f"{head}. A newer ProMan made it: start that one again, or restore an older backup."
    )


def chain_to(migrations: Path, revision: str) -> list[str]:
    """Every revision from the first one to this one, in order."""
    scripts = script_directory(migrations).iterate_revisions(revision, "base")
    return [script.revision for script in scripts][::-1]
