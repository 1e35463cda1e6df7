"""Where a restore takes its rows from: the list, an upload, or a file named on the command line.

What is encrypted is decrypted into the data directory for as long as somebody looks into it, and
never lies there under a name of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from proman.base.errors import Refused
from proman.database import archive, catalogue, contents, durable, keys, restores, rules, sealing
from proman.database import manifest as manifests
from proman.database.catalogue import Backup
from proman.database.installation import Installation
from proman.database.manifest import Manifest, Unreadable
from proman.database.pools import PlainPool, Pool, SealedPool
from proman.database.restores import Findings, Restore
from proman.database.sealing import Key, Locked, Passed
from proman.database.sqlite_copy import Progress, silent


@dataclass(frozen=True)
class Source:
    """A readable database file, its manifest, and the pools in which its documents are looked for.

    Of an encrypted one `database` is what was in it, `manifest` says what that is, and `sealed` and
    `key` are how it was encrypted.
    """

    database: Path
    manifest: Manifest | None
    folders: tuple[Pool, ...]
    sealed: Passed | None = None
    key: Key | None = None

    @property
    def pool(self) -> Pool:
        """The pool of its own, beside it."""
        return self.folders[0]


def from_list(
    site: Installation,
    name: str,
    by: str,
    actor_id: int | None = None,
    is_undo: bool = False,
    undoes: str = "",
) -> Restore:
    """A restore of a listed backup; raises NotThere."""
    listed = catalogue.backup_named(site.backup_dir, name)
    file = listed.path.name
    return restores.create(site.data_dir, listed.name, file, by, actor_id, is_undo, undoes)


def from_upload(
    site: Installation, content: IO[bytes], name: str, by: str, actor_id: int | None = None
) -> Restore:
    """A restore of what is uploaded, written to the data volume in pieces.

    Raises Refused when the disk is too small; then nothing is left behind.
    """
    one = restores.create(site.data_dir, _plain_name(name), None, by, actor_id)
    path = restores.directory_of(site.data_dir, one.id) / restores.UPLOAD
    try:
        with restores.running(site.data_dir, one.id), path.open("xb") as file:
            while chunk := content.read(durable.CHUNK):
                durable.require_space(path.parent, len(chunk))
                file.write(chunk)
    except (OSError, Refused) as error:
        restores.forget(site.data_dir, one.id)
        if isinstance(error, Refused):
            raise
        raise Refused(f"The upload could not be stored: {error.strerror}.") from error
    # The clock of a thread that has yet to begin starts now, not when the upload did.
    restores.save(site.data_dir, one)
    return one


def from_file(site: Installation, file: Path, by: str) -> Restore:
    """A restore of a listed backup when the name is one, else of a copy of the file.

    The manifest beside the file counts as that of a listed backup does.
    """
    if is_listed(site, file):
        return from_list(site, file.name, by)
    _require_file(file)
    with file.open("rb") as content:
        one = from_upload(site, content, file.name, by)
    one = replace(one, pool=str(file.absolute().parent / contents.FOLDER))
    restores.save(site.data_dir, one)
    manifest = None
    # What the file holds can be restored without it, as that of the list can.
    with contextlib.suppress(Unreadable):
        manifest = manifests.read(catalogue.manifest_path(file))
    if manifest is not None:
        place = restores.directory_of(site.data_dir, one.id)
        manifests.write(place / restores.MANIFEST, manifest)
    return one


def is_listed(site: Installation, file: Path) -> bool:
    """Whether what somebody typed means a backup of the list: by its name alone, or by its path."""
    if rules.moment_of(f"{rules.stem_of(file.name)}.sqlite") is None:
        return False
    if file.parent == Path():
        return not file.exists()
    return file.absolute().parent == site.backup_dir.absolute()


@contextmanager
def database_in(
    site: Installation, file: Path, passphrase: str | None = None, report: Progress = silent
) -> Iterator[Source]:
    """The database file, its manifest and documents, for the block; an archive is unpacked for it.

    Raises Refused when there is no such file, its manifest cannot be read or the archive is none of
    ProMan's, and Locked when neither the passphrase that was given nor the installation's own opens
    it.
    """
    _require_file(file)
    if not archive.is_archive(file):
        manifest = manifests.read(catalogue.manifest_path(file))
        found = _File(file, manifest, file.parent, file.parent)
        with _opened(site, found, passphrase, report) as source:
            yield source
        return
    with durable.scratch_directory(site.data_dir) as directory:
        database = directory / restores.SOURCE
        found = _File(database, archive.unpack(file, database), directory, file.parent)
        with _opened(site, found, passphrase, report) as source:
            yield source


@contextmanager
def listed(site: Installation, one: Backup, report: Progress = silent) -> Iterator[Source]:
    """The same of a backup of the list, with the installation's own passphrase."""
    found = _File(one.path, one.manifest, one.path.parent, one.path.parent)
    with _opened(site, found, None, report) as source:
        yield source


@contextmanager
def readable(site: Installation, one: Backup) -> Iterator[Path]:
    """The database of a backup of the list, decrypted if it has to be."""
    with listed(site, one) as source:
        yield source.database


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise Refused(f"There is no file {file}.")


@contextmanager
def source_of(
    site: Installation, one: Restore, passphrase: str | None, report: Progress
) -> Iterator[Source]:
    """The database file of a restore, its manifest and documents, an archive being unpacked first.

    What it does not bring along may lie in the data directory.
    """
    with _opened(site, _file_of(site, one), passphrase, report) as source:
        yield source


def _file_of(site: Installation, one: Restore) -> _File:
    if one.file is not None:
        named = catalogue.backup_named(site.backup_dir, one.file)
        home = site.backup_dir
        return _File(named.path, named.manifest, home, home, (site.files_dir,))
    place = restores.directory_of(site.data_dir, one.id)
    upload, manifest = place / restores.UPLOAD, manifests.read(place / restores.MANIFEST)
    if archive.is_archive(upload):
        database = place / restores.SOURCE
        upload, manifest = database, archive.unpack(upload, database)
    if one.pool is None:
        return _File(upload, manifest, place, site.backup_dir, (site.files_dir,))
    beside = Path(one.pool)
    return _File(upload, manifest, place, beside.parent, (beside, site.files_dir))


def require_opened(site: Installation, one: Restore, passphrase: str | None) -> None:
    """Raises Locked when the restore's file is encrypted and nothing that is known opens it."""
    if one.file is not None:
        named = catalogue.backup_named(site.backup_dir, one.file)
        file, manifest = named.path, named.manifest
    else:
        place = restores.directory_of(site.data_dir, one.id)
        file, manifest = place / restores.UPLOAD, manifests.read(place / restores.MANIFEST)
    if archive.is_archive(file):
        manifest = archive.manifest_of(file)
        is_locked = manifest is not None and bool(manifest.recipient)
    else:
        is_locked = sealing.is_sealed(file)
    if is_locked:
        beside = Path(one.pool).parent if one.pool else site.backup_dir
        keys.opening(site, manifest, passphrase, beside)


@dataclass(frozen=True)
class _File:
    """A file as it was found: the folder in which its documents lie and the one with its keys.

    Of plain documents there may be `more` folders.
    """

    path: Path
    manifest: Manifest | None
    home: Path
    keys: Path
    more: tuple[Path, ...] = ()


@contextmanager
def _opened(
    site: Installation, file: _File, passphrase: str | None, report: Progress
) -> Iterator[Source]:
    """The file as it can be read.

    What its manifest calls plain stays as it is, whatever it holds: its hash tells.
    """
    manifest, own = file.manifest, file.home / contents.FOLDER
    plain = tuple(PlainPool(folder) for folder in (own, *file.more))
    is_open = manifest is not None and not manifest.recipient
    if is_open or not sealing.is_sealed(file.path):
        yield Source(file.path, manifest, plain)
        return
    found = keys.opening(site, manifest, passphrase, file.keys)
    with durable.scratch_directory(site.data_dir) as directory:
        durable.require_space(directory, file.path.stat().st_size)
        database = directory / "decrypted.sqlite"
        passed, key = _decrypted(file.path, database, found, report)
        if manifest is not None and passed.sealed_sha256 != manifest.sha256:
            raise Refused("The file is not the one its manifest describes: the SHA-256 differs.")
        sealed = tuple(SealedPool(folder / key.id, key) for folder in (own, *file.more))
        known = manifest.as_plain() if manifest else None
        yield Source(database, known, (*sealed, *plain), passed, key)


def _decrypted(
    file: Path, target: Path, found: Sequence[Key], report: Progress
) -> tuple[Passed, Key]:
    """Which of several keys it is only shows when one of them opens the file."""
    for key in found[:-1]:
        with contextlib.suppress(Locked):
            return sealing.decrypt(file, target, [key], report), key
    return sealing.decrypt(file, target, [found[-1]], report), found[-1]


def folders_of(site: Installation, one: Restore) -> tuple[Pool, ...]:
    """Where the documents of a judged restore lie, the data directory last.

    Those that were encrypted lie in its own folder by now.
    """
    own = restores.directory_of(site.data_dir, one.id) / contents.FOLDER
    if one.file is not None:
        beside: tuple[Path, ...] = (site.backup_dir / contents.FOLDER,)
    else:
        beside = (Path(one.pool),) if one.pool else ()
    return tuple(PlainPool(folder) for folder in (own, *beside, site.files_dir))


def in_words(one: Restore) -> str:
    """What a restore found, in lines for a terminal."""
    found = one.findings
    if found is None:
        return one.source
    lines = [
        f"{one.source}: taken {found.taken_at or 'at an unknown time'}, revision {found.revision}.",
        _lost(found),
        *(f"Note: {warning}" for warning in found.warnings),
    ]
    for name, now, then in found.differences:
        lines.append(f"{name}: {now} rows now, {then} afterwards.")
    return "\n".join(lines)


def _lost(found: Findings) -> str:
    if found.damage:
        return (
            f"The live database is damaged: {found.damage} No safety backup can be made of it; "
            "its files are kept in quarantine instead. What it held since is lost."
        )
    return f"{found.changes_since} recorded changes since then would be lost."


def _plain_name(name: str) -> str:
    """The last part of a name that a browser sent, in characters that can be shown."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable())[:120] or "upload"
