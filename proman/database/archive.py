"""The archive of one backup: database, manifest and uploaded files in a tar that can be resumed."""

from __future__ import annotations

import bisect
import hashlib
import io
import itertools
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import contents, durable, keys, pools, sealing
from proman.database import manifest as manifests
from proman.database.catalogue import Backup, manifest_path
from proman.database.manifest import Manifest

BLOCK = tarfile.BLOCKSIZE
MOST_MANIFEST = 4 << 20
_DAMAGED = (tarfile.TarError, EOFError, OSError, ValueError)
_EPOCH = datetime(1970, 1, 1)
_MEMBER = re.compile(r"[A-Za-z0-9._-]{1,200}\.(sqlite|json|sqlite\.age)")
_DOCUMENT = re.compile(rf"{contents.FOLDER}/([0-9a-f]{{2}})/([0-9a-f]{{62}})")
_SEALED = re.compile(
    rf"{contents.FOLDER}/([0-9a-f]{{16}})/([0-9a-f]{{2}})/([0-9a-f]{{62}}){re.escape(pools.ENDING)}"
)
_REST = re.compile(r"[0-9a-f]{62}")


class Pieces(io.RawIOBase):
    """Reads bytes and files one after the other, from any place, as if they were one file."""

    def __init__(self, pieces: list[bytes | Path]) -> None:
        super().__init__()
        self._pieces = pieces
        sizes = [p.stat().st_size if isinstance(p, Path) else len(p) for p in pieces]
        self._ends = list(itertools.accumulate(sizes))
        self.size = sum(sizes)
        self._at = 0
        self._open: tuple[Path, IO[bytes]] | None = None

    @property
    def etag(self) -> str:
        """Changes when any of the content does."""
        digest = hashlib.sha256()
        for piece in self._pieces:
            if isinstance(piece, bytes):
                digest.update(piece)
            elif _REST.fullmatch(piece.name):
                digest.update(piece.name.encode())  # its name is its content
            else:
                about = piece.stat()
                digest.update(f"{piece.name} {about.st_size} {about.st_mtime_ns}".encode())
        return digest.hexdigest()[:32]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        wanted = self.size - self._at if size is None or size < 0 else size
        number = bisect.bisect_right(self._ends, self._at)
        if number == len(self._pieces):
            return b""
        start = self._ends[number - 1] if number else 0
        left = self._ends[number] - self._at
        part = self._part(self._pieces[number], self._at - start, min(wanted, left))
        self._at += len(part)
        return part

    def read_all(self) -> bytes:
        """Everything from here to the end."""
        parts = []
        while part := self.read():
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None
        super().close()

    def _part(self, piece: bytes | Path, offset: int, size: int) -> bytes:
        if isinstance(piece, bytes):
            return piece[offset : offset + size]
        if self._open is None or self._open[0] != piece:
            if self._open is not None:
                self._open[1].close()
            self._open = (piece, piece.open("rb"))
        self._open[1].seek(offset)
        return self._open[1].read(size)


def archive_of(backup: Backup) -> Pieces:
    """The tar of a verified backup; the same bytes each time, so that a download can go on.

    Raises Refused when a document is gone from the pool that its manifest says is there.
    """
    if backup.manifest is None:
        raise Refused("Only a verified backup has a manifest to go with it. Verify it first.")
    pieces: list[bytes | Path] = []
    manifest = backup.manifest
    # The manifest can change while a download runs (a pin), so its bytes are taken now.
    first = manifest_path(backup.path)
    pieces += _member(backup, first.name, first.read_bytes())
    if manifest.recipient:
        name = keys.file_of(backup.path.parent, manifest.recipient).name
        pieces += _member(backup, name, manifest.sealed_key.encode())
    pieces += _member(backup, backup.path.name, backup.path)
    return Pieces([*pieces, *_documents_of(backup, manifest), bytes(2 * BLOCK)])


def _member(backup: Backup, name: str, content: bytes | Path) -> Iterator[bytes | Path]:
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    about = tarfile.TarInfo(name)
    about.size, about.mode = size, 0o600
    about.mtime = int((backup.created_at - _EPOCH).total_seconds())
    yield about.tobuf(tarfile.GNU_FORMAT)
    yield content
    yield bytes(-size % BLOCK)


def _documents_of(backup: Backup, manifest: Manifest) -> Iterator[bytes | Path]:
    folder = backup.path.parent / contents.FOLDER
    for one, path in pools.every(folder, manifest):
        # A plain one is as long as it was; an encrypted one that was cut short fails to open.
        if not path.is_file() or (not manifest.recipient and path.stat().st_size != one.size):
            raise Refused(f"{one.name or 'A document'} is gone from {folder}. Verify this backup.")
        yield from _member(backup, f"{contents.FOLDER}/{path.relative_to(folder)}", path)


def is_archive(path: Path) -> bool:
    """Whether the file is a tar by its content."""
    with path.open("rb") as file:
        return file.read(262)[257:] == b"ustar"


def manifest_of(archive: Path) -> Manifest | None:
    """The manifest in the archive, which as ours has it stands first; nothing is unpacked.

    None where there is none that can be read. A member may be said to be longer than any file can
    be: to go past its end is then an OSError or a ValueError.
    """
    with suppress(*_DAMAGED), tarfile.open(archive, mode="r:") as members:
        for member in members:
            members.members = []  # type: ignore[attr-defined]
            if member.isreg() and not member.issparse() and member.name.endswith(".json"):
                content = members.extractfile(member)
                assert content is not None
                return _manifest_in(content, member.size)
    return None


def unpack(archive: Path, database: Path) -> Manifest | None:
    """Writes the archive's one database to `database` and returns its manifest.

    Its documents go to the folder `files` beside that, each under the hash of what was read; those
    that are encrypted under the hash that they are said to have. Names inside never become paths
    here; anything but one database, plain or encrypted, its key, one manifest and the documents
    that this names is refused.
    """
    manifest: Manifest | None = None
    found = False
    unpacked: set[tuple[str, str]] = set()
    try:
        with tarfile.open(archive, mode="r:") as members:
            for member in members:
                # Of a million of them none has to be remembered.
                members.members = []  # type: ignore[attr-defined]
                content = _content_of(members, member)
                if _is_document(member.name):
                    _unpack_document(content, member, database.parent, unpacked)
                elif member.name.endswith(".json"):
                    manifest = _manifest_in(content, member.size)
                elif keys.NAME.fullmatch(member.name):
                    _require_small(member)  # not read: the manifest has it too
                elif found:
                    raise Refused("The archive holds more than one database.")
                else:
                    found = True
                    _write(content, database, member.size)
    except (tarfile.TarError, EOFError) as error:
        raise Refused(f"The archive is damaged: {error}.") from error
    if not found:
        raise Refused("The archive holds no database.")
    if not unpacked <= _named_in(manifest):
        raise Refused("The archive holds a document that its manifest does not name.")
    return manifest


def _require_small(member: tarfile.TarInfo) -> None:
    if not 0 < member.size <= MOST_MANIFEST:
        raise Refused("The archive is damaged: its key is no key.")


def _is_document(name: str) -> bool:
    return (_DOCUMENT.fullmatch(name) or _SEALED.fullmatch(name)) is not None


def _content_of(members: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    name = member.name
    is_ours = _is_document(name) or _MEMBER.fullmatch(name) or keys.NAME.fullmatch(name)
    if not member.isreg() or member.issparse() or not is_ours:
        raise Refused("The archive holds something that is not part of a backup.")
    content = members.extractfile(member)
    assert content is not None
    return content


def _named_in(manifest: Manifest | None) -> set[tuple[str, str]]:
    """The documents of a manifest, as pairs of their pool and their hash."""
    if manifest is None:
        return set()
    pool = sealing.key_id(manifest.recipient) if manifest.recipient else ""
    return {(pool, one.sha256) for one in manifest.documents}


def _unpack_document(
    content: IO[bytes], member: tarfile.TarInfo, home: Path, unpacked: set[tuple[str, str]]
) -> None:
    sealed, plain = _SEALED.fullmatch(member.name), _DOCUMENT.fullmatch(member.name)
    pool = sealed[1] if sealed else ""
    sha256 = sealed[2] + sealed[3] if sealed else plain[1] + plain[2] if plain else ""
    if (pool, sha256) in unpacked:
        raise Refused("The archive holds a document twice.")
    unpacked.add((pool, sha256))
    if sealed:
        path = home / contents.FOLDER / pool / sealed[2] / f"{sealed[3]}{pools.ENDING}"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(content, path, member.size)
        return
    store = home / contents.FOLDER
    kept = contents.keep(store, content, member.size) if member.size else None
    if kept is None or (kept.sha256, kept.size) != (sha256, member.size):
        raise Refused("A document in the archive is not what its name says: the SHA-256 differs.")


def _manifest_in(content: IO[bytes], size: int) -> Manifest:
    manifest = manifests.parse(content.read(MOST_MANIFEST)) if size <= MOST_MANIFEST else None
    if manifest is None:
        raise Refused("The archive's manifest cannot be read.")
    return manifest


def _write(content: IO[bytes], path: Path, size: int) -> None:
    durable.require_space(path.parent, size)
    with os.fdopen(open_private(path, os.O_EXCL | os.O_WRONLY), "wb") as file:
        while chunk := content.read(durable.CHUNK):
            file.write(chunk)
    if path.stat().st_size != size:
        raise Refused("The archive ends in the middle of a file.")
