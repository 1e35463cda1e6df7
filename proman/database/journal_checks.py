"""Proves the chain of the journal of backups, by itself and by what the manifests say of it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proman.base.errors import Refused
from proman.database import catalogue, journal
from proman.database.catalogue import Backup
from proman.database.installation import Installation, fingerprint_of
from proman.database.journal import Line, Read
from proman.database.outcomes import reason_of

ACCEPTED = "break accepted"


@dataclass(frozen=True)
class Break:
    """Where the journal is not what was written; `keys` name it, `accepted` says by whom, when."""

    what: str
    keys: tuple[str, ...]
    accepted: str = ""


@dataclass(frozen=True)
class Standing:
    """The readable lines, oldest first, and every break; `fault` is why it cannot be read."""

    lines: tuple[Line, ...] = ()
    breaks: tuple[Break, ...] = ()
    fault: str = ""

    @property
    def open(self) -> list[Break]:
        """Breaks that nobody accepted."""
        return [one for one in self.breaks if not one.accepted]


def standing(site: Installation) -> Standing:
    """The journal as it is now; never raises for what is wrong with it."""
    path = site.backup_dir / journal.FILE
    try:
        # The list first: a backup that is made meanwhile knows of no later line than is read.
        listed = catalogue.backups_in(site.backup_dir)
        found = journal.read(site.backup_dir)
    except (OSError, Refused) as error:
        return Standing(fault=f"{path} cannot be read: {reason_of(error)}")
    ours = fingerprint_of(site.settings.secret_key)
    own = [o for o in listed if o.manifest and o.manifest.secret_key_fingerprint == ours]
    lines = found or []
    breaks = [*_in_chain(lines), *_by_manifests(own, lines, path)]
    readable = tuple(one.line for one in lines if one.line)
    accepted = {
        key: f"{one.who}, {one.where}, {one.at}"
        for one in readable
        if one.what == ACCEPTED and one.about == signed(site, one.about[:-1])
        for key in one.about
    }
    return Standing(readable, tuple(_told(breaks, accepted)))


def signed(site: Installation, keys: Sequence[str]) -> tuple[str, ...]:
    """The keys of breaks and behind them what nobody can make who has not the secret key.

    Whoever can write the journal alone could else accept what he did to it.
    """
    told = "\n".join(["proman journal", *keys]).encode()
    mark = hmac.new(site.settings.secret_key.encode(), told, hashlib.sha256).hexdigest()
    return *keys, f"signed:{mark}"


def breaches(site: Installation) -> list[str]:
    """What `flask doctor` says: a journal that cannot be read, and each break not accepted."""
    found = standing(site)
    if found.fault:
        return [found.fault]
    return [f"{one.what} See: flask database journal" for one in found.open]


def _in_chain(lines: list[Read]) -> list[Break]:
    found = []
    number, sha256 = 0, journal.NOTHING
    for place, one in enumerate(lines, 1):
        if one.line is None:
            following = lines[place].line if place < len(lines) else None
            if not _is_cut_off(one, following):
                what = f"Line {place} of the file is no line of ProMan's."
                found.append(Break(what, (f"chain:{place}:{one.sha256}",)))
                # A changed line: the next one still knows what it was.
                number, sha256 = number + 1, one.sha256
            continue
        if one.line.line != number + 1:
            what = f"Line {number + 1} is missing: line {one.line.line} stands in its place."
        elif one.line.previous != sha256:
            before = f"line {number}" if number else "nothing"
            what = f"Line {one.line.line} was not written after {before} as it stands there now."
        else:
            what = ""
        if what:
            found.append(Break(what, (f"chain:{one.line.line}:{one.sha256}",)))
        number, sha256 = one.line.line, one.sha256
    return found


def _is_cut_off(one: Read, following: Line | None) -> bool:
    """Whether a power cut left the line: nothing stands behind it, or the line that says so."""
    if following is None:
        return not one.is_closed
    return following.what == journal.CUT_OFF and following.about == (one.sha256,)


def _by_manifests(listed: list[Backup], lines: list[Read], path: Path) -> list[Break]:
    known = {one.line.line: one.sha256 for one in lines if one.line}
    last = max(known, default=0)
    found = []
    for one in reversed(listed):
        noted = one.manifest
        if noted is None or not noted.journal_line:
            continue
        if known.get(noted.journal_line) != noted.journal_sha256:
            key = f"manifest:{one.name}:{noted.journal_line}:{noted.journal_sha256}"
            if not lines:
                what = f"{path} is gone; {one.name} was made when it had lines."
            elif noted.journal_line > last:
                what = f"It ends at line {last}; {one.name} was made when line {{}} was there."
                what = what.format(noted.journal_line)
            else:
                what = f"Line {noted.journal_line} is another than when {one.name} was made."
            found.append(Break(what, (key,)))
    return found


def _told(breaks: list[Break], accepted: dict[str, str]) -> list[Break]:
    return [replace(one, accepted=accepted.get(one.keys[0], "")) for one in breaks]
