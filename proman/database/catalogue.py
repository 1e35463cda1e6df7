"""The list of backups: the directory itself, read anew each time; nothing is kept elsewhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from proman.base.errors import NotThere, Refused
from proman.database import manifest as manifests
from proman.database import rules
from proman.database.amending import alone, amend
from proman.database.contents import Content
from proman.database.durable import sync_directory
from proman.database.manifest import Manifest, Unreadable

_PUT_RIGHT = (
    "Nobody can tell whether it was pinned, so retention leaves it alone. Put the manifest back "
    "from a copy; or take it away, and the next night writes a new one."
)


@dataclass(frozen=True)
class Backup:
    """One backup file and its manifest, if it has one; times are naive UTC, sizes bytes.

    `unreadable` says, in a sentence, why nobody can tell what a manifest that is there says of it,
    or why the file itself cannot be read. That is not the same as to have no manifest.
    """

    path: Path
    created_at: datetime
    size: int
    manifest: Manifest | None
    unreadable: str = ""

    @property
    def name(self) -> str:
        """Its name without an ending, as the addresses of its downloads begin."""
        return rules.stem_of(self.path.name)

    @property
    def is_verified(self) -> bool:
        """Whether its manifest says that it was proven, and the size is still the same."""
        known = self.manifest
        is_same = known is not None and known.size_bytes == self.size
        return is_same and not self.unreadable and known is not None and known.is_verified

    @property
    def is_bare(self) -> bool:
        """Whether it came without a manifest and one can be written."""
        return self.manifest is None and not self.unreadable

    @property
    def is_encrypted(self) -> bool:
        """Whether it takes a passphrase to look into it."""
        return self.path.name.endswith(rules.SEALED)

    @property
    def lacking(self) -> tuple[Content, ...]:
        """The uploaded documents that its rows need and that it does not hold."""
        return self.manifest.lacking if self.manifest else ()

    @property
    def is_pinned(self) -> bool:
        """Whether retention and people leave it alone."""
        return self.manifest is not None and self.manifest.pinned

    @property
    def reason(self) -> str:
        """Why it was made; a file without a manifest was found, made by a script or by hand."""
        return self.manifest.reason if self.manifest else rules.FOUND

    @property
    def by(self) -> str:
        """Who made it, or nothing where nobody knows."""
        return self.manifest.by if self.manifest else ""

    @property
    def proven_at(self) -> datetime | None:
        """When it was last restored in a drill or in earnest, naive UTC."""
        known = self.manifest
        return manifests.moment_from(known.proven_at) if known and known.proven_at else None

    @property
    def sequence(self) -> int:
        """Its number in the order of backups; files without a manifest come before all others."""
        return self.manifest.sequence if self.manifest else 0

    @property
    def place(self) -> tuple[int, str]:
        """Its place in that order: a file that was found shares the number of the one before it."""
        if self.reason != rules.FOUND:
            return self.sequence, ""
        content = f"{self.manifest.content.isoformat()}" if self.manifest else ""
        return self.sequence, f"{content} {self.name}"

    def as_candidate(self) -> rules.Candidate:
        """What the rules of retention need to know of it.

        By the name of its file: a plain and an encrypted one may share all but the ending.
        """
        return rules.Candidate(
            name=self.path.name,
            sequence=self.sequence,
            tie=self.place[1],
            created_at=self.created_at,
            reason=self.reason,
            verified=self.is_verified,
            pinned=self.is_pinned,
            unreadable=bool(self.unreadable),
        )


def backups_in(directory: Path) -> list[Backup]:
    """Every backup in the directory, the last taken first. Raises Refused where it is closed."""
    found = []
    try:
        for path in directory.iterdir() if directory.is_dir() else ():
            moment = rules.moment_of(path.name)
            if moment is not None and path.is_file() and not path.is_symlink():
                with contextlib.suppress(FileNotFoundError):  # retention removes it meanwhile
                    found.append(_read(path, moment))
    except OSError as error:
        why = f"The backups in {directory} cannot be read: {error.strerror}."
        raise Refused(why) from error
    return sorted(found, key=lambda one: (one.created_at, one.name), reverse=True)


def backup_named(directory: Path, name: str) -> Backup:
    """The backup of that name, with or without its endings; raises NotThere.

    Where a plain and an encrypted file share a name, the one that the manifest is about is meant.
    """
    wanted = rules.stem_of(name)
    listed = backups_in(directory)
    exact = [one for one in listed if one.path.name == name]
    same = [one for one in listed if one.name == wanted]
    for one in exact or sorted(same, key=lambda each: each.manifest is None):
        return one
    raise NotThere(f"There is no backup named {wanted}.")


def next_sequence(backups: Iterable[Backup]) -> int:
    """The number after the highest one in the list."""
    return max((one.sequence for one in backups), default=0) + 1


def sequence_of_found(backups: Iterable[Backup], content: datetime) -> int:
    """The number that a found file shares: of the last backup of ProMan's that holds less.

    `content` is the newest moment that the file knows of, naive UTC. A file that holds no more than
    a backup of ProMan's comes before it, whatever its name says.
    """
    own = (one for one in backups if one.manifest and one.reason != rules.FOUND)
    holding_less = (o.sequence for o in own if o.manifest and o.manifest.content < content)
    return max(holding_less, default=0)


def newest_verified(backups: Iterable[Backup]) -> Backup | None:
    """The last verified backup in the order of sequences."""
    return max((one for one in backups if one.is_verified), key=lambda b: b.place, default=None)


def saved_until(backups: Iterable[Backup]) -> datetime | None:
    """When a verified backup was last taken that holds all that the newest one does, naive UTC.

    While nothing is changed, a copy by the script holds no more than the last backup of ProMan's
    and comes before it; it is a backup of its night all the same.
    """
    verified = [one for one in backups if one.is_verified]
    newest = newest_verified(verified)
    if newest is None or newest.manifest is None:
        return None
    least = newest.manifest.content
    holding_all = [o.created_at for o in verified if o.manifest and o.manifest.content >= least]
    return max([newest.created_at, *holding_all])


def last_proven(backups: Iterable[Backup]) -> datetime | None:
    """When any backup was last proven restorable, naive UTC."""
    return max((one.proven_at for one in backups if one.proven_at), default=None)


def pin(backup: Backup, pinned: bool) -> None:
    """Keeps a backup from retention, or gives it back; only what is verified can be pinned."""
    if backup.unreadable:
        raise Refused(backup.unreadable)
    if not backup.is_verified:
        raise Refused("Only a verified backup can be pinned. Verify it first.")
    if amend(manifest_path(backup.path), lambda known: replace(known, pinned=pinned)) is None:
        raise NotThere(f"There is no backup named {backup.name} any more.")


def note_proven(backup: Backup, moment: datetime) -> None:
    """Keeps when the backup was last restored with success."""
    proven_at = manifests.utc_text(moment)

    def note(known: Manifest) -> Manifest:
        is_its_own = known.name == backup.path.name
        return replace(known, proven_at=proven_at) if is_its_own else known

    # It restores, whether or not that can be written down.
    with contextlib.suppress(Unreadable):
        amend(manifest_path(backup.path), note)


def delete(backup: Backup) -> bool:
    """Removes a backup: the file first, for a manifest alone is not listed.

    Returns False, and removes nothing, when it was pinned since it was listed. Raises Unreadable
    when nobody can tell. A manifest that is about another file stays.
    """
    with alone(backup.path.parent):
        path = manifest_path(backup.path)
        known = manifests.read(path)
        is_its_own = known is not None and known.name == backup.path.name
        if known is not None and known.pinned and is_its_own:
            return False
        backup.path.unlink(missing_ok=True)
        if is_its_own:
            path.unlink(missing_ok=True)
        sync_directory(backup.path.parent)
    return True


def delete_by_hand(directory: Path, name: str) -> Backup:
    """Removes one backup that a person chose; refuses the newest verified and pinned ones."""
    backup = backup_named(directory, name)
    candidates = [one.as_candidate() for one in backups_in(directory)]
    refusal = rules.may_delete(backup.path.name, candidates)
    if refusal:
        raise Refused(refusal)
    if not delete(backup):
        raise Refused(rules.PINNED)
    return backup


def prune(
    directory: Path, policy: rules.Retention, now: datetime, spared: Collection[Path] = ()
) -> list[str]:
    """Removes what retention no longer keeps and returns the names; `now` is naive UTC.

    The `spared` files stay this time, whatever the rules say.
    """
    listed = {one.path.name: one for one in backups_in(directory)}
    names = rules.to_delete((one.as_candidate() for one in listed.values()), policy, now)
    removed = []
    for one in (listed[name] for name in names):
        # A manifest that cannot be read since it was listed may be one that was pinned.
        with contextlib.suppress(Unreadable):
            if one.path not in spared and delete(one):
                removed.append(one.name)
    return removed


def manifest_path(path: Path) -> Path:
    """Where the manifest of a backup file lies."""
    plain = path.with_name(path.name.removesuffix(rules.SEALED))
    return plain.with_suffix(".json")


def _read(path: Path, moment: datetime) -> Backup:
    known, unreadable = None, ""
    try:
        known = manifests.read(manifest_path(path))
    except Unreadable as refusal:
        unreadable = f"{refusal.message} {_PUT_RIGHT}"
    if known is not None and known.name != path.name:
        unreadable = f"The manifest {manifest_path(path).name} is about {known.name}. {_PUT_RIGHT}"
        known = None
    if not os.access(path, os.R_OK):
        unreadable = f"The file cannot be read by the user that ProMan runs as ({os.geteuid()})."
    if known is not None and known.reason == rules.FOUND:
        # Whoever put it there chose its name.
        moment = known.moment
    return Backup(path, moment, path.stat().st_size, known, unreadable)
