"""The uploaded documents of backups: each content once in a pool beside them, and back again.

Which content a database needs, its own rows say. The pool belongs to the directory of backups: what
no manifest in it needs is removed, and only while every manifest can be read.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, inspect

from proman.base.errors import Refused
from proman.database import catalogue, contents, durable
from proman.database.contents import FOLDER, Content
from proman.database.installation import Installation, ask
from proman.database.live import require_live
from proman.database.sqlite_copy import Progress, silent

KEEP_SECONDS = 7 * 86_400
"""So long stays in the data directory what nothing needs any more."""
NAMED = 3


def pool_of(directory: Path) -> Path:
    """Where the documents of the backups of a directory lie."""
    return directory / FOLDER


def needed_in(site: Installation, connection: Connection) -> tuple[Content, ...]:
    """Every content that the rows of a database need; none of one from before there were any."""
    tables = inspect(connection).get_table_names()
    if site.checks.documents_table not in tables:
        return ()
    return tuple(Content(*row) for row in connection.execute(site.checks.documents))


def needed_by(site: Installation, path: Path) -> tuple[Content, ...]:
    """The same of a file at rest that we made ourselves."""
    return ask(path, lambda connection: needed_in(site, connection))


def gather(
    site: Installation, wanted: Sequence[Content], directory: Path, report: Progress = silent
) -> tuple[Content, ...]:
    """Puts each content into the pool, copied and read back; returns those that are nowhere whole.

    What the data directory lost and the pool still holds is put back there. Raises Refused when
    there is no space for them.
    """
    pool, store = pool_of(directory), site.files_dir
    lacking = [one for one in wanted if not contents.is_there(pool, one)]
    if lacking:
        durable.private_directory(pool)
        durable.sweep(pool)
        durable.require_space(pool, sum(one.size for one in lacking))
    missing = []
    for number, one in enumerate(lacking):
        report("copying documents", number, len(lacking))
        if not _copied(one, [store], pool):
            missing.append(one)
    for one in wanted:
        if not contents.is_there(store, one):
            _copied(one, [pool], store)
    return tuple(missing)


def missing_from(
    wanted: Sequence[Content], folders: Sequence[Path], report: Progress = silent
) -> tuple[Content, ...]:
    """Those that none of the folders holds as they were: every one is read and hashed."""
    missing = []
    for number, one in enumerate(wanted):
        report("checking documents", number, len(wanted))
        if not any(contents.is_good(folder, one) for folder in folders):
            missing.append(one)
    return tuple(missing)


def put_back(
    site: Installation,
    wanted: Sequence[Content],
    folders: Sequence[Path],
    told: int,
    report: Progress = silent,
) -> None:
    """Stores what a restore needs in the data directory; each is read and hashed on the way.

    Nothing is overwritten but what is damaged there. Raises Refused when more of them are missing
    than was `told` before.
    """
    store, missing = site.files_dir, []
    for number, one in enumerate(wanted):
        report("storing documents", number, len(wanted))
        if not contents.is_good(store, one) and not _copied(one, folders, store):
            missing.append(one)
    if len(missing) > told:
        raise Refused(
            f"Documents are gone that were there when the backup was looked into: "
            f"{in_words(missing)}. Nothing was changed."
        )


def set_damaged_aside(wanted: Iterable[Content], directory: Path) -> None:
    """Takes what is damaged in the pool out of the way: the next backup copies it anew."""
    pool = pool_of(directory)
    for one in wanted:
        if contents.is_hash(one.sha256) and not contents.is_good(pool, one):
            contents.set_aside(pool, one)


def prune(site: Installation, directory: Path) -> int:
    """Removes from the pool what no listed backup needs, and returns how many; under the lock.

    While any manifest cannot be read nothing is removed, for nobody knows what it needs.
    """
    pool = pool_of(directory)
    if not pool.is_dir() or (site.files_dir.is_dir() and pool.samefile(site.files_dir)):
        return 0
    needed = _needed_by_listed(directory)
    if needed is None:
        return 0
    durable.sweep(pool)
    return contents.remove(path for sha256, path in contents.every(pool) if sha256 not in needed)


def sweep(site: Installation) -> int:
    """Removes from the data directory what no row and no listed backup needs, a week after it came.

    Under the lock, and only while nobody is storing anything.
    """
    store = site.files_dir
    if not store.is_dir():
        return 0
    with contents.alone(store) as is_free:
        listed = _needed_by_listed(site.backup_dir)
        if not is_free or listed is None:
            return 0
        durable.sweep(store)
        rows = require_live(site).ask(lambda connection: needed_in(site, connection))
        needed = listed | {one.sha256 for one in rows}
        old = (path for sha256, path in contents.every(store) if sha256 not in needed)
        before = time.time() - KEEP_SECONDS
        return contents.remove(path for path in old if path.stat().st_mtime < before)


def in_words(some: Sequence[Content]) -> str:
    """The first of them by name and the beginning of its hash, and how many more."""
    named = ", ".join(f"{one.name or 'a document'} ({one.sha256[:12]}…)" for one in some[:NAMED])
    return f"{named} and {len(some) - NAMED} more" if len(some) > NAMED else named


def number_of(some: Collection[Content]) -> str:
    """How many documents, in words."""
    return f"{len(some)} document" if len(some) == 1 else f"{len(some)} documents"


def _copied(one: Content, folders: Sequence[Path], target: Path) -> bool:
    return contents.is_hash(one.sha256) and any(
        contents.copy(contents.path_of(folder, one.sha256), one, target) for folder in folders
    )


def _needed_by_listed(directory: Path) -> set[str] | None:
    needed: set[str] = set()
    for backup in catalogue.backups_in(directory):
        if backup.manifest is None:
            return None
        needed |= {one.sha256 for one in backup.manifest.documents}
    return needed
