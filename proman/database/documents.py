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
from proman.database import catalogue, contents, durable, pools, sealing
from proman.database.contents import FOLDER, Content
from proman.database.installation import Installation, ask
from proman.database.live import require_live
from proman.database.pools import PlainPool, Pool, SealedPool
from proman.database.sqlite_copy import Progress, silent

KEEP_SECONDS = 7 * 86_400
"""So long stays in the data directory what nothing needs any more."""
NAMED = 3


def folder_of(directory: Path) -> Path:
    """Where the documents of the backups of a directory lie, in one pool or several."""
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
    site: Installation, wanted: Sequence[Content], pool: Pool, report: Progress = silent
) -> tuple[Content, ...]:
    """Puts each content into the pool, read back; returns those that are nowhere whole.

    What the data directory lost and the pool still holds is put back there. Raises Refused when
    there is no space for them.
    """
    store = site.files_dir
    lacking = [one for one in wanted if not pool.holds(one)]
    if lacking:
        durable.private_directory(pool.folder.parent)
        durable.private_directory(pool.folder)
        durable.sweep(pool.folder)
        durable.require_space(pool.folder, sum(one.size for one in lacking))
    missing = []
    for number, one in enumerate(lacking):
        report("copying documents", number, len(lacking))
        if not pool.take(one, store):
            missing.append(one)
    for one in wanted:
        if not contents.is_there(store, one):
            pool.copy_to(one, store)
    return tuple(missing)


def missing_from(
    wanted: Sequence[Content], folders: Sequence[Pool], report: Progress = silent
) -> tuple[Content, ...]:
    """Those that none of the folders holds as they were: every one is read and hashed."""
    missing = []
    for number, one in enumerate(wanted):
        report("checking documents", number, len(wanted))
        if not any(folder.is_good(one) for folder in folders):
            missing.append(one)
    return tuple(missing)


def unlock(
    wanted: Sequence[Content], folders: Sequence[Pool], target: Path, report: Progress = silent
) -> tuple[Content, ...]:
    """Stores in the folder what lies encrypted and nowhere else; returns those that are nowhere.

    Later, when they are needed, nobody is there any more to give the passphrase.
    """
    missing = []
    plain = [one for one in folders if isinstance(one, PlainPool)]
    sealed = [one for one in folders if isinstance(one, SealedPool)]
    for number, one in enumerate(wanted):
        report("decrypting documents", number, len(wanted))
        if any(pool.is_good(one) for pool in plain):
            continue
        durable.require_space(target.parent, one.size)
        if not any(pool.copy_to(one, target) for pool in sealed):
            missing.append(one)
    return tuple(missing)


def put_back(
    site: Installation,
    wanted: Sequence[Content],
    folders: Sequence[Pool],
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
        if contents.is_good(store, one):
            continue
        if not any(folder.copy_to(one, store) for folder in folders):
            missing.append(one)
    if len(missing) > told:
        raise Refused(
            f"Documents are gone that were there when the backup was looked into: "
            f"{in_words(missing)}. Nothing was changed."
        )


def set_damaged_aside(wanted: Iterable[Content], pool: Pool) -> None:
    """Takes what is damaged in the pool out of the way: the next backup copies it anew."""
    for one in wanted:
        if contents.is_hash(one.sha256) and not pool.is_good(one):
            pool.set_aside(one)


def prune(site: Installation, directory: Path) -> int:
    """Removes from the pools what no listed backup needs, and returns how many; under the lock.

    While any manifest cannot be read nothing is removed, for nobody knows what it needs.
    """
    folder = folder_of(directory)
    if not folder.is_dir() or (site.files_dir.is_dir() and folder.samefile(site.files_dir)):
        return 0
    needed = _needed_by_listed(directory)
    if needed is None:
        return 0
    return pools.remove_all_but(folder, lambda pool: needed.get(pool, set()))


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
        needed = {one.sha256 for one in rows}.union(*listed.values())
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


def _needed_by_listed(directory: Path) -> dict[str, set[str]] | None:
    """The hashes that backups need of each pool: by the id of its key, of the plain one by none."""
    needed: dict[str, set[str]] = {}
    for backup in catalogue.backups_in(directory):
        if backup.manifest is None:
            return None
        recipient = backup.manifest.recipient
        pool = needed.setdefault(sealing.key_id(recipient) if recipient else "", set())
        pool |= {one.sha256 for one in backup.manifest.documents}
    return needed
