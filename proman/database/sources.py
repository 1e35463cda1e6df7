"""Where a restore takes its rows from: the list, an upload, or a file named on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from proman.base.errors import Refused
from proman.database import archive, catalogue, contents, durable, restores, rules
from proman.database import manifest as manifests
from proman.database.installation import Installation
from proman.database.manifest import Manifest
from proman.database.restores import Findings, Restore


@dataclass(frozen=True)
class Source:
    """A database file, its manifest, and the folders in which its documents are looked for."""

    database: Path
    manifest: Manifest | None
    folders: tuple[Path, ...]


def from_list(
    site: Installation, name: str, by: str, actor_id: int | None = None, is_undo: bool = False
) -> Restore:
    """A restore of a listed backup; raises NotThere."""
    listed = catalogue.backup_named(site.backup_dir, name)
    return restores.create(site.data_dir, listed.name, listed.name, by, actor_id, is_undo)


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
    manifest = manifests.read(catalogue.manifest_path(file))
    if manifest is not None:
        place = restores.directory_of(site.data_dir, one.id)
        manifests.write(place / restores.MANIFEST, manifest)
    return one


def is_listed(site: Installation, file: Path) -> bool:
    """Whether what somebody typed means a backup of the list: by its name alone, or by its path."""
    if rules.moment_of(f"{file.name.removesuffix('.sqlite')}.sqlite") is None:
        return False
    if file.parent == Path():
        return not file.exists()
    return file.absolute().parent == site.backup_dir.absolute()


@contextmanager
def database_in(site: Installation, file: Path) -> Iterator[Source]:
    """The database file, its manifest and documents, for the block; an archive is unpacked for it.

    Raises Refused when there is no such file, or the archive is none of ProMan's.
    """
    _require_file(file)
    if not archive.is_archive(file):
        manifest = manifests.read(catalogue.manifest_path(file))
        yield Source(file, manifest, (file.parent / contents.FOLDER,))
        return
    with durable.scratch_directory(site.data_dir) as directory:
        database = directory / restores.SOURCE
        manifest = archive.unpack(file, database)
        yield Source(database, manifest, (directory / contents.FOLDER,))


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise Refused(f"There is no file {file}.")


def source_of(site: Installation, one: Restore) -> Source:
    """The database file of a restore, its manifest and documents, an archive being unpacked first.

    What it does not bring along may lie in the data directory.
    """
    folders = folders_of(site, one)
    if one.file is not None:
        listed = catalogue.backup_named(site.backup_dir, one.file)
        return Source(listed.path, listed.manifest, folders)
    upload = restores.directory_of(site.data_dir, one.id) / restores.UPLOAD
    if not archive.is_archive(upload):
        manifest = manifests.read(upload.with_name(restores.MANIFEST))
        return Source(upload, manifest, folders)
    database = upload.with_name(restores.SOURCE)
    return Source(database, archive.unpack(upload, database), folders)


def folders_of(site: Installation, one: Restore) -> tuple[Path, ...]:
    """Where the documents of a restore are looked for, the data directory last."""
    if one.file is not None:
        return site.backup_dir / contents.FOLDER, site.files_dir
    own = restores.directory_of(site.data_dir, one.id) / contents.FOLDER
    beside = (Path(one.pool),) if one.pool else ()
    return own, *beside, site.files_dir


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
