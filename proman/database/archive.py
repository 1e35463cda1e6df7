"""The archive of one backup: database, manifest and uploaded files in a tar that can be resumed."""

from __future__ import annotations

import bisect
import hashlib
import io
import itertools
import re
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from proman.base.errors import Refused
from proman.database import contents, durable
from proman.database import manifest as manifests
from proman.database.catalogue import Backup, manifest_path
from proman.database.manifest import Manifest

BLOCK = tarfile.BLOCKSIZE
MOST_MANIFEST = 4 << 20
_EPOCH = datetime(1970, 1, 1)
_MEMBER = re.compile(r"[A-Za-z0-9._-]{1,200}\.(sqlite|json)")
_DOCUMENT = re.compile(rf"{contents.FOLDER}/([0-9a-f]{{2}})/([0-9a-f]{{62}})")
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
    for path in (manifest_path(backup.path), backup.path):
        size = path.stat().st_size
        about = tarfile.TarInfo(path.name)
        about.size, about.mode = size, 0o600
        about.mtime = int((backup.created_at - _EPOCH).total_seconds())
        # The manifest can change while a download runs (a pin), so its bytes are taken now.
        content = path.read_bytes() if path.suffix == ".json" else path
        pieces += [about.tobuf(tarfile.GNU_FORMAT), content, bytes(-size % BLOCK)]
    return Pieces([*pieces, *_documents_of(backup, backup.manifest), bytes(2 * BLOCK)])


def _documents_of(backup: Backup, manifest: Manifest) -> Iterator[bytes | Path]:
    pool = backup.path.parent / contents.FOLDER
    for one in manifest.documents:
        if one.sha256 in manifest.missing:
            continue
        if not contents.is_there(pool, one):
            raise Refused(f"{one.name or 'A document'} is gone from {pool}. Verify this backup.")
        about = tarfile.TarInfo(f"{contents.FOLDER}/{one.sha256[:2]}/{one.sha256[2:]}")
        about.size, about.mode = one.size, 0o600
        about.mtime = int((backup.created_at - _EPOCH).total_seconds())
        yield about.tobuf(tarfile.GNU_FORMAT)
        yield contents.path_of(pool, one.sha256)
        yield bytes(-one.size % BLOCK)


def is_archive(path: Path) -> bool:
    """Whether the file is a tar by its content."""
    with path.open("rb") as file:
        return file.read(262)[257:] == b"ustar"


def unpack(archive: Path, database: Path) -> Manifest | None:
    """Writes the archive's one database to `database` and returns its manifest.

    Its documents go to the folder `files` beside that, each under the hash of what was read. Names
    inside never become paths here; anything but one plain database, one manifest and the documents
    that this names is refused.
    """
    manifest: Manifest | None = None
    found = False
    unpacked: set[str] = set()
    try:
        with tarfile.open(archive, mode="r:") as members:
            for member in members:
                # Of a million of them none has to be remembered.
                members.members = []  # type: ignore[attr-defined]
                document = _DOCUMENT.fullmatch(member.name)
                is_ours = document or _MEMBER.fullmatch(member.name)
                if not member.isreg() or member.issparse() or not is_ours:
                    raise Refused("The archive holds something that is not part of a backup.")
                content = members.extractfile(member)
                assert content is not None
                if document:
                    sha256 = document[1] + document[2]
                    _require_new(sha256, unpacked)
                    _unpack_document(content, sha256, member.size, database.parent)
                elif member.name.endswith(".json"):
                    manifest = _manifest_in(content, member.size)
                elif found:
                    raise Refused("The archive holds more than one database.")
                else:
                    found = True
                    _write(content, database, member.size)
    except (tarfile.TarError, EOFError) as error:
        raise Refused(f"The archive is damaged: {error}.") from error
    if not found:
        raise Refused("The archive holds no database.")
    if not unpacked <= {one.sha256 for one in manifest.documents} if manifest else unpacked:
        raise Refused("The archive holds a document that its manifest does not name.")
    return manifest


def _require_new(sha256: str, unpacked: set[str]) -> None:
    if sha256 in unpacked:
        raise Refused("The archive holds a document twice.")
    unpacked.add(sha256)


def _unpack_document(content: IO[bytes], sha256: str, size: int, folder: Path) -> None:
    store = folder / contents.FOLDER
    kept = contents.keep(store, content, size) if size else None
    if kept is None or (kept.sha256, kept.size) != (sha256, size):
        raise Refused("A document in the archive is not what its name says: the SHA-256 differs.")


def _manifest_in(content: IO[bytes], size: int) -> Manifest:
    manifest = manifests.parse(content.read(MOST_MANIFEST)) if size <= MOST_MANIFEST else None
    if manifest is None:
        raise Refused("The archive's manifest cannot be read.")
    return manifest


def _write(content: IO[bytes], path: Path, size: int) -> None:
    durable.require_space(path.parent, size)
    with path.open("xb") as file:
        while chunk := content.read(durable.CHUNK):
            file.write(chunk)
    if path.stat().st_size != size:
        raise Refused("The archive ends in the middle of its database.")
