"""Passphrases and what they lock up, for tests of encrypted backups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from proman.database.contents import Content
from proman.db import db
from proman.files.models import Document
from proman.identity.session import acting_for
from tests import factories

if TYPE_CHECKING:
    from tests.database.conftest import House

OURS, LATER, WRONG = "a passphrase of ours", "another one of later", "it opens nothing at all"
LEASE = b"the rent is due on the third working day"
INSIDE = b"CREATE TABLE"
"""Stands in every database, and in nothing that is encrypted."""


def furnish(house: House) -> Content:
    with acting_for(house.organization):
        one = factories.make_document(factories.make_lease(), "Lease of Ann.txt", LEASE)
        row = db.session.get_one(Document, one)
        return Content(row.sha256, row.size_bytes, row.name)


def everything(folder: Path) -> set[Path]:
    found = (one for one in folder.rglob("*") if one.is_file())
    return {one for one in found if not one.name.endswith(("-wal", "-shm", ".lock"))}


def readable_in(folder: Path) -> list[Path]:
    """The files in which somebody without a passphrase finds anything of the books."""
    return [one for one in everything(folder) if found_in(one.read_bytes())]


def found_in(content: bytes) -> list[bytes]:
    return [one for one in (INSIDE, LEASE) if one in content]
