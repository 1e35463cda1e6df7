"""What tests put into a house, and how they tell that nothing of it was lost on the way."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from proman.database.digest import content_hash, digests_of
from proman.database.installation import ask
from proman.database.live import live_database
from proman.database.shape import tables_of
from tests.database.conftest import House
from tests.portfolio import make_portfolio

ODD_TEXT = "Zoë \N{GRINNING FACE} \\N \\. \t|'\"%s\n;-- \u202e"
ODD_BYTES = bytes(range(256)) * 300
ODD_MOMENT = datetime(2026, 2, 28, 23, 59, 59, 999999)
WRITTEN_BY_A_RESTORE = ("access_tokens", "audit_entries", "users")


def furnish(house: House) -> None:
    """Rows of every kind, and values that engines are known to keep in different ways."""
    make_portfolio(house.organization, "Zebra", house.alice)
    house.sql("UPDATE organizations SET footer = :text", text=ODD_TEXT)
    house.sql(
        "INSERT INTO organization_logos (id, organization_id, media_type, content, uploaded_at)"
        " VALUES (9007199254740993, :own, 'image/png', :content, :at)",
        own=house.organization,
        content=ODD_BYTES,
        at=ODD_MOMENT,
    )


def held_by(house: House, shape: Path, but: Iterable[str] = ()) -> str:
    """The content hash of the live database, by the tables of a file at the same revision."""
    tables = [table for table in tables_of(shape) if table.name not in but]
    return live_database(house.site).ask(lambda c: content_hash(digests_of(c, tables)))


def held_in(file: Path, but: Iterable[str] = ()) -> str:
    """The content hash of a file at rest."""
    tables = [table for table in tables_of(file) if table.name not in but]
    return ask(file, lambda c: content_hash(digests_of(c, tables)))
