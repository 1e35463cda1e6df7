"""Where documents lie by their hash: as they are, or each encrypted to the key of the backups.

Beside the backups one pool serves all plain backups, and one each key: whoever has a passphrase can
read what its backups need and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from proman.base.errors import Refused
from proman.base.private import make_private_directory
from proman.database import contents, durable, sealing
from proman.database.contents import Content
from proman.database.manifest import Manifest
from proman.database.sealing import Key, Unreadable

ENDING = ".age"


class Pool(Protocol):
    """A folder that holds contents."""

    @property
    def folder(self) -> Path:
        """The directory that it fills."""

    def holds(self, one: Content) -> bool:
        """Whether it is there, by name and size; nothing is read."""

    def is_good(self, one: Content) -> bool:
        """Whether it is there as it was: all of it is read from the disk."""

    def copy_to(self, one: Content, plain: Path) -> bool:
        """Stores it in a plain folder; False when it is not to be had whole from here."""

    def take(self, one: Content, plain: Path) -> bool:
        """Stores what a plain folder holds, read back; False when it is not whole there."""

    def set_aside(self, one: Content) -> None:
        """Takes damaged content out of the way, so that a good copy can take its place."""


@dataclass(frozen=True)
class PlainPool:
    """Contents as they are."""

    folder: Path

    def holds(self, one: Content) -> bool:
        return contents.is_there(self.folder, one)

    def is_good(self, one: Content) -> bool:
        return contents.is_good(self.folder, one)

    def copy_to(self, one: Content, plain: Path) -> bool:
        source = _path(self.folder, one)
        return source is not None and contents.copy(source, one, plain)

    def take(self, one: Content, plain: Path) -> bool:
        return PlainPool(plain).copy_to(one, self.folder)

    def set_aside(self, one: Content) -> None:
        contents.set_aside(self.folder, one)


@dataclass(frozen=True)
class SealedPool:
    """Contents encrypted to a key, each under the hash of what it holds."""

    folder: Path
    key: Key

    def holds(self, one: Content) -> bool:
        path = _sealed_path(self.folder, one)
        try:
            return path is not None and path.stat().st_size >= sealing.sealed_size(one.size)
        except OSError:
            return False

    def is_good(self, one: Content) -> bool:
        path = _sealed_path(self.folder, one)
        return path is not None and self._holds_whole(path, one)

    def copy_to(self, one: Content, plain: Path) -> bool:
        source = _sealed_path(self.folder, one)
        if source is None:
            return False
        durable.private_directory(plain)
        with durable.partial(plain) as temporary:
            is_whole = self._holds_whole(source, one, temporary)
            if not is_whole or durable.sha256_from_disk(temporary) != one.sha256:
                return False
            contents.place(temporary, one, plain)
            return True

    def take(self, one: Content, plain: Path) -> bool:
        source, final = _path(plain, one), _sealed_path(self.folder, one)
        if source is None or final is None:
            return False
        durable.private_directory(self.folder.parent)
        durable.private_directory(self.folder)
        with durable.partial(self.folder) as temporary:
            try:
                passed = sealing.encrypt(source, temporary, self.key)
            except (FileNotFoundError, Unreadable):
                return False
            if passed.plain_sha256 != one.sha256 or not self._holds_whole(temporary, one):
                return False
            if not final.parent.is_dir():
                make_private_directory(final.parent)
                durable.sync_directory(self.folder)
            temporary.replace(final)
            durable.sync_directory(final.parent)
            return True

    def set_aside(self, one: Content) -> None:
        path = _sealed_path(self.folder, one)
        if path is not None and path.exists():
            path.replace(path.with_name(path.name + contents.SET_ASIDE))
            durable.sync_directory(path.parent)

    def _holds_whole(self, path: Path, one: Content, target: Path | None = None) -> bool:
        try:
            passed = sealing.decrypt(path, target, [self.key])
        except (FileNotFoundError, Unreadable, Refused):
            return False
        return (passed.plain_sha256, passed.plain_size) == (one.sha256, one.size)


def pool_of(folder: Path, key: Key | None) -> Pool:
    """The pool in a folder of documents: the plain one, or the one of that key."""
    return PlainPool(folder) if key is None else SealedPool(folder / key.id, key)


def every(folder: Path, manifest: Manifest) -> Iterator[tuple[Content, Path]]:
    """The documents that a backup holds, and the files that they lie in, encrypted or not."""
    for one in manifest.documents:
        if one.sha256 not in manifest.missing:
            yield one, file_of(folder, manifest, one)


def file_of(folder: Path, manifest: Manifest, one: Content) -> Path:
    """Where the document of a backup lies in the folder of documents beside it."""
    if not manifest.recipient:
        return contents.path_of(folder, one.sha256)
    place = contents.path_of(folder / sealing.key_id(manifest.recipient), one.sha256)
    return place.with_name(place.name + ENDING)


def remove_all_but(folder: Path, needed: Callable[[str], set[str]]) -> int:
    """Removes what nobody needs of every pool in the folder and returns how many.

    `needed` tells the hashes of a pool by its key's id, those of the plain pool by no name.
    """
    removed = 0
    pools = [("", folder), *((one.name, one) for one in _sealed_pools(folder))]
    for name, place in pools:
        durable.sweep(place)
        wanted = needed(name)
        left = (path for sha256, path in contents.every(place) if sha256 not in wanted)
        removed += contents.remove(left)
    return removed


def _sealed_pools(folder: Path) -> list[Path]:
    return [
        one for one in sorted(folder.iterdir()) if contents.is_key_id(one.name) and one.is_dir()
    ]


def _path(folder: Path, one: Content) -> Path | None:
    return contents.path_of(folder, one.sha256) if contents.is_hash(one.sha256) else None


def _sealed_path(folder: Path, one: Content) -> Path | None:
    path = _path(folder, one)
    return path.with_name(path.name + ENDING) if path else None
