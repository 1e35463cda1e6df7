"""The manifest beside a backup: what it holds, how it was proven, what became of it since."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from proman.base.errors import Refused
from proman.database.contents import Content, is_hash
from proman.database.durable import write_durably, written_new
from proman.database.sealing import ARMOR, MOST_SEALED, is_recipient

FORMAT = "proman-backup-1"


class Unreadable(Refused):
    """A manifest is there, but nobody can tell what it says: not even whether it was pinned."""


@dataclass(frozen=True)
class Manifest:
    """All that is known of one backup; times are ISO 8601, UTC; sizes are bytes.

    `engine` and `server_version` are those of the database that it was taken from, `seconds` is how
    long it took. `content_at` is when the newest change in it was recorded, to the microsecond.
    `journal_line` and `journal_sha256` are the last line of the journal when it was taken.
    `files` are the uploaded documents that its rows need, `missing` the SHA-256 of those of them
    that were not to be had.

    `size_bytes` and `sha256` are those of the file. Of an encrypted one `plain_size` and
    `plain_sha256` are those of the database in it, `recipient` is the public key that it was
    encrypted to and `sealed_key` the secret one as the passphrase sealed it.
    """

    name: str
    sequence: int
    created_at: str
    reason: str
    by: str
    revision: str | None
    rows: dict[str, int]
    size_bytes: int
    sha256: str
    schema_fingerprint: str
    page_size: int
    app_version: str = ""
    engine: str = "sqlite"
    server_version: str = ""
    seconds: int = 0
    ledger_balance: int | None = None
    secret_key_fingerprint: str = ""
    checks: tuple[str, ...] = ()
    files: tuple[dict[str, Any], ...] = ()
    missing: tuple[str, ...] = ()
    fault: str | None = None
    pinned: bool = False
    proven_at: str | None = None
    content_at: str | None = None
    journal_line: int = 0
    journal_sha256: str = ""
    recipient: str = ""
    sealed_key: str = ""
    plain_size: int = 0
    plain_sha256: str = ""
    format: str = field(default=FORMAT)

    @property
    def moment(self) -> datetime:
        """When the backup was taken, naive UTC."""
        return moment_from(self.created_at)

    @property
    def content(self) -> datetime:
        """The newest moment it knows of, naive UTC: its last recorded change, else its own."""
        return moment_from(self.content_at) if self.content_at else self.moment

    @property
    def documents(self) -> tuple[Content, ...]:
        """The uploaded documents that its rows need."""
        return tuple(Content(o["sha256"], o["size"], o.get("name", "")) for o in self.files)

    @property
    def lacking(self) -> tuple[Content, ...]:
        """Those of them that this backup does not hold."""
        return tuple(one for one in self.documents if one.sha256 in self.missing)

    def with_documents(self, wanted: Iterable[Content], missing: Iterable[Content]) -> Manifest:
        """The same manifest, that names these documents.

        Beside an encrypted file it does without what people called them.
        """
        is_open = not self.recipient
        files = tuple(
            {"sha256": o.sha256, "size": o.size, "name": o.name if is_open else ""}
            for o in sorted(wanted)
        )
        return replace(self, files=files, missing=tuple(sorted(one.sha256 for one in missing)))

    def as_plain(self) -> Manifest:
        """What it says of the database in an encrypted file."""
        if not self.recipient:
            return self
        return replace(
            self,
            sha256=self.plain_sha256,
            size_bytes=self.plain_size,
            recipient="",
            sealed_key="",
        )

    @property
    def is_verified(self) -> bool:
        """Whether the file was proven whole and nothing spoke against it since."""
        return bool(self.checks) and self.fault is None


def write(path: Path, manifest: Manifest) -> None:
    """Puts the manifest on the disk, whole, replacing an older one."""
    write_durably(path, as_text(manifest))


def write_new(path: Path, manifest: Manifest) -> bool:
    """Puts the manifest on the disk unless anything lies there; says whether it did."""
    return written_new(path, as_text(manifest))


def as_text(manifest: Manifest) -> bytes:
    """The manifest as its file holds it."""
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode() + b"\n"


def read(path: Path) -> Manifest | None:
    """The manifest in that file, or None when there is none. Raises Unreadable."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(f"Its manifest {path.name} cannot be read: {error.strerror}.") from error
    found = parse(content)
    if found is None:
        raise Unreadable(f"Its manifest {path.name} is damaged, or of another version of ProMan.")
    return found


def parse(content: bytes) -> Manifest | None:
    """A manifest from its text, or None when it is none of ours."""
    try:
        values = json.loads(content)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            return None
        known = {one.name for one in fields(Manifest)}
        chosen = {key: value for key, value in values.items() if key in known}
        for key in ("checks", "files", "missing"):
            chosen[key] = tuple(chosen.get(key, ()))
        manifest = Manifest(**chosen)
        _require_plain(manifest)
        return manifest
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


def utc_text(moment: datetime) -> str:
    """A naive UTC moment as the manifest writes it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def exact_text(moment: datetime) -> str:
    """A naive UTC moment to the microsecond."""
    return f"{moment.isoformat(timespec='microseconds')}Z"


def _require_plain(manifest: Manifest) -> None:
    """A manifest may come from outside: its values must be of the kinds that are relied upon."""
    if manifest.moment.tzinfo is not None or manifest.content.tzinfo is not None:
        raise ValueError("not a manifest")
    if not isinstance(manifest.sequence, int):
        raise ValueError("not a manifest")
    texts = (manifest.name, manifest.reason, manifest.by, manifest.sha256, manifest.journal_sha256)
    numbers = (manifest.size_bytes, manifest.page_size, manifest.journal_line)
    if not all(isinstance(one, str) for one in texts):
        raise ValueError("not a manifest")
    if not all(isinstance(one, int) for one in (*numbers, *manifest.rows.values())):
        raise ValueError("not a manifest")
    for one in manifest.documents:
        if not (is_hash(one.sha256) and isinstance(one.size, int) and isinstance(one.name, str)):
            raise ValueError("not a manifest")
    if not all(is_hash(one) for one in manifest.missing):
        raise ValueError("not a manifest")
    if manifest.recipient:
        _require_key(manifest)


def _require_key(manifest: Manifest) -> None:
    sealed = manifest.sealed_key
    is_sealed = isinstance(sealed, str) and sealed.startswith(ARMOR) and len(sealed) <= MOST_SEALED
    if not is_sealed or not is_recipient(manifest.recipient):
        raise ValueError("not a manifest")
    if not is_hash(manifest.plain_sha256) or not isinstance(manifest.plain_size, int):
        raise ValueError("not a manifest")


def moment_from(text: str) -> datetime:
    """A naive UTC moment from the manifest's way of writing it."""
    return datetime.fromisoformat(text.removesuffix("Z"))
