"""The list of backups: the directory itself, read anew each time; nothing is kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from proman.base.errors import NotThere, Refused
from proman.database import manifest as manifests
from proman.database import rules
from proman.database.durable import sync_directory
from proman.database.manifest import Manifest


@dataclass(frozen=True)
class Backup:
    """One backup file and its manifest, if it has one; times are naive UTC, sizes bytes."""

    path: Path
    created_at: datetime
    size: int
    manifest: Manifest | None

    @property
    def name(self) -> str:
        """Its name without an ending, as the addresses of its downloads begin."""
        return self.path.stem

    @property
    def is_verified(self) -> bool:
        """Whether its manifest says that it was proven, and the size is still the same."""
        known = self.manifest
        return known is not None and known.is_verified and known.size_bytes == self.size

    @property
    def is_pinned(self) -> bool:
        """Whether retention and people leave it alone."""
        return self.manifest is not None and self.manifest.pinned

    @property
    def reason(self) -> str:
        """Why it was made; a file without a manifest was found, made by a script or by hand."""
        return self.manifest.reason if self.manifest else "found"

    @property
    def proven_at(self) -> datetime | None:
        """When it was last restored in a drill or in earnest, naive UTC."""
        known = self.manifest
        return manifests.moment_from(known.proven_at) if known and known.proven_at else None

    @property
    def sequence(self) -> int:
        """Its place in the order of backups; files without a manifest come before all others."""
        return self.manifest.sequence if self.manifest else 0

    def as_candidate(self) -> rules.Candidate:
        """What the rules of retention need to know of it."""
        return rules.Candidate(
            name=self.name,
            sequence=self.sequence,
            created_at=self.created_at,
            reason=self.reason,
            verified=self.is_verified,
            pinned=self.is_pinned,
        )


def backups_in(directory: Path) -> list[Backup]:
    """Every backup in the directory, newest first by the time in its name."""
    found = []
    if directory.is_dir():
        for path in directory.iterdir():
            moment = rules.moment_of(path.name)
            if moment is not None and path.is_file() and not path.is_symlink():
                found.append(_read(path, moment))
    return sorted(found, key=lambda one: one.path.name, reverse=True)


def backup_named(directory: Path, name: str) -> Backup:
    """The backup of that name, with or without `.sqlite`; raises NotThere."""
    wanted = name.removesuffix(".sqlite")
    for one in backups_in(directory):
        if one.name == wanted:
            return one
    raise NotThere(f"There is no backup named {wanted}.")


def next_sequence(backups: Iterable[Backup]) -> int:
    """The number after the highest one in the list."""
    return max((one.sequence for one in backups), default=0) + 1


def newest_verified(backups: Iterable[Backup]) -> Backup | None:
    """The verified backup with the highest sequence."""
    return max((one for one in backups if one.is_verified), key=lambda b: b.sequence, default=None)


def last_proven(backups: Iterable[Backup]) -> datetime | None:
    """When any backup was last proven restorable, naive UTC."""
    return max((one.proven_at for one in backups if one.proven_at), default=None)


def pin(backup: Backup, pinned: bool) -> None:
    """Keeps a backup from retention, or gives it back; only what is verified can be pinned."""
    if backup.manifest is None or not backup.is_verified:
        raise Refused("Only a verified backup can be pinned. Verify it first.")
    manifests.write(manifest_path(backup.path), replace(backup.manifest, pinned=pinned))


def note_proven(backup: Backup, moment: datetime) -> None:
    """Keeps when the backup was last restored with success."""
    if backup.manifest is not None:
        proven = replace(backup.manifest, proven_at=manifests.utc_text(moment))
        manifests.write(manifest_path(backup.path), proven)


def delete(backup: Backup) -> None:
    """Removes a backup: the file first, for a manifest alone is not listed."""
    backup.path.unlink(missing_ok=True)
    manifest_path(backup.path).unlink(missing_ok=True)
    sync_directory(backup.path.parent)


def delete_by_hand(directory: Path, name: str) -> Backup:
    """Removes one backup that a person chose; refuses the newest verified and pinned ones."""
    backup = backup_named(directory, name)
    candidates = [one.as_candidate() for one in backups_in(directory)]
    refusal = rules.may_delete(backup.name, candidates)
    if refusal:
        raise Refused(refusal)
    delete(backup)
    return backup


def prune(directory: Path, policy: rules.Retention, now: datetime) -> list[str]:
    """Removes what retention no longer keeps and returns the names; `now` is naive UTC."""
    listed = {one.name: one for one in backups_in(directory)}
    names = rules.to_delete((one.as_candidate() for one in listed.values()), policy, now)
    for name in names:
        delete(listed[name])
    return names


def manifest_path(path: Path) -> Path:
    """Where the manifest of a backup file lies."""
    return path.with_suffix(".json")


def _read(path: Path, moment: datetime) -> Backup:
    known = manifests.read(manifest_path(path))
    if known is not None and known.name != path.name:
        known = None
    return Backup(path, moment, path.stat().st_size, known)
