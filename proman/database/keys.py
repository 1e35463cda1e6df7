"""The keys of encrypted backups: sealed with the passphrase, and kept where the backups are.

One key serves as long as the passphrase stays. Another passphrase gets another key: what was made
before stays with the passphrase of then, and nothing is encrypted to a key that the passphrase that
is set does not open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from proman.database import catalogue, durable, journal_events, sealing
from proman.database.catalogue import Backup
from proman.database.installation import Installation
from proman.database.manifest import Manifest, utc_text
from proman.database.sealing import Key, Locked
from proman.db import utc_now

NAME = re.compile(r"proman-key-([0-9a-f]{16})\.age")
NOT_SET = (
    "It is encrypted, and no passphrase is set. Give the passphrase, or set "
    "PROMAN_BACKUP_PASSPHRASE."
)
OTHER = (
    "It is encrypted, but not with the passphrase that is set now. Give the one with which it was "
    "made."
)
WRONG = "This passphrase does not open it. Nothing was changed."
NO_KEY = (
    "It is encrypted, and its key is not here. Take the archive (.tar), which has it, or lay the "
    "key (proman-key-….age) beside the file."
)


def file_of(directory: Path, recipient: str) -> Path:
    """Where the sealed key of a recipient lies."""
    return directory / _name_of(recipient)


def _name_of(recipient: str) -> str:
    return f"proman-key-{sealing.key_id(recipient)}.age"


def for_backups(site: Installation, directory: Path, by: str) -> Key | None:
    """The key that a new backup in the directory is encrypted to; None without a passphrase.

    It lies in the directory when this returns. The first time, and whenever the passphrase has
    changed, it is made. Only for who holds the lock.
    """
    passphrase = site.settings.backup_passphrase
    if passphrase is None:
        return None
    key = next(_opened(_sealed_in(site.backup_dir), passphrase), None)
    if key is None:
        key = sealing.make_key(passphrase, utc_text(utc_now()))
        keep(site.backup_dir, key.recipient, key.sealed)
        journal_events.note(site, "new key", key.id, by, key.recipient, in_trail=False)
    keep(site.backup_dir, key.recipient, key.sealed)
    keep(directory, key.recipient, key.sealed)
    return key


def keep(directory: Path, recipient: str, sealed: str) -> None:
    """Lays a sealed key into the directory; one that is there as it should be stays."""
    path = file_of(durable.private_directory(directory), recipient)
    if _text(path) != sealed:
        durable.write_durably(path, sealed.encode())


def opening(
    site: Installation,
    manifest: Manifest | None,
    passphrase: str | None,
    beside: Path,
) -> list[Key]:
    """The keys that may open an encrypted file: its manifest's, else all beside it and here.

    `passphrase` is what somebody gave, else the installation's own is taken. Raises Locked with
    what to do when that opens none.
    """
    given = passphrase or site.settings.backup_passphrase
    if given is None:
        raise Locked(NOT_SET)
    if manifest is not None and manifest.recipient:
        sealed = [manifest.sealed_key]
    else:
        folders = dict.fromkeys((beside, site.backup_dir))
        sealed = [text for folder in folders for text in _sealed_in(folder)]
    if not sealed:
        raise Locked(NO_KEY)
    found = list(_opened(sealed, given))
    if manifest is not None and manifest.recipient:
        found = [key for key in found if key.recipient == manifest.recipient]
    if not found:
        raise Locked(WRONG if passphrase else OTHER)
    return found


def warnings(site: Installation, listed: Iterable[Backup]) -> list[str]:
    """What somebody must know about encrypted backups, a sentence each."""
    every = [one.manifest for one in listed if one.manifest and one.manifest.recipient]
    if not every:
        return []
    if site.settings.backup_passphrase is None:
        return [
            f"{_number(len(every))} encrypted, and PROMAN_BACKUP_PASSPHRASE is not set: nobody can "
            "prove or restore them until it is. New backups are not encrypted."
        ]
    newest = max(every, key=lambda one: one.sequence)
    older = sum(1 for one in every if one.recipient != newest.recipient)
    if not older:
        return []
    return [
        f"{_number(older)} encrypted with an earlier passphrase than the newest. Keep that one as "
        "long as they are in the list."
    ]


def current(listed: Iterable[Backup]) -> Manifest | None:
    """The manifest of the newest encrypted backup, which names the key that is in use."""
    every = (one.manifest for one in listed if one.manifest and one.manifest.recipient)
    return max(every, key=lambda one: one.sequence, default=None)


@dataclass(frozen=True)
class KeyInUse:
    """A sealed key, and how many of the listed backups it opens."""

    recipient: str
    sealed: str
    file_name: str
    newest: str
    backups: int


def in_use(listed: Iterable[Backup]) -> list[KeyInUse]:
    """The keys that the listed backups need, that of the newest backup first."""
    every = [(one.name, one.manifest) for one in listed if one.manifest is not None]
    every.sort(key=lambda pair: pair[1].sequence, reverse=True)
    found: dict[str, list[tuple[str, Manifest]]] = {}
    for name, manifest in every:
        if manifest.recipient:
            found.setdefault(manifest.recipient, []).append((name, manifest))
    return [
        KeyInUse(
            recipient, own[0][1].sealed_key, _name_of(recipient), newest=own[0][0], backups=len(own)
        )
        for recipient, own in found.items()
    ]


def _number(count: int) -> str:
    return "One backup is" if count == 1 else f"{count} backups are"


def _opened(sealed: Iterable[str], passphrase: str) -> Iterator[Key]:
    for text in sealed:
        with suppress(Locked):
            yield sealing.unseal(text, passphrase)


def _sealed_in(directory: Path) -> list[str]:
    """Every sealed key of a directory, the newest file first; then those that only manifests have.

    A key file that somebody lost is in the manifest of every backup that needs it.
    """
    found = [one for one in _files(directory) if NAME.fullmatch(one.name)]
    texts = [_text(one) for one in sorted(found, key=_age, reverse=True)]
    for one in catalogue.backups_in(directory):
        if one.manifest is not None and one.manifest.recipient:
            texts.append(one.manifest.sealed_key)
    return list(dict.fromkeys(text for text in texts if text.startswith(sealing.ARMOR)))


def _files(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _text(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            return file.read(sealing.MOST_SEALED)
    except (OSError, UnicodeDecodeError):
        return ""
