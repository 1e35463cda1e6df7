"""Good backups with damage drawn by hypothesis: refused with a reason, or the rows of the file.

`PROMAN_TEST_SCALE=20 pytest tests/database/test_hostile.py` tries 10,000 of them.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.database import durable
from proman.database.backup import back_up
from proman.database.catalogue import Backup
from proman.database.confined import limits_for
from proman.database.driver import sqlite3
from proman.database.installation import Installation
from proman.database.sqlite_copy import opened, quoted, silent, table_names
from proman.database.staging import Staged, stage
from proman.db import begin_write, db
from proman.demo.actions import Wanted, demonstration_today, load_demonstration
from proman.identity.passwords import hash_password
from tests.conftest import make_app, make_settings
from tests.factories import PASSWORD

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
FILES = 80 if SCALE == 1 else 500 * SCALE
PAGE = 4096
SHARE = st.floats(0, 1, exclude_max=True)
"""A place in a file of any length."""

ADDED = (
    "CREATE TRIGGER evil AFTER INSERT ON audit_entries BEGIN UPDATE users SET is_operator = 1; END",
    "CREATE TRIGGER evil INSTEAD OF DELETE ON seen BEGIN DELETE FROM users; END",
    "CREATE VIEW seen AS SELECT * FROM users",
    "CREATE VIEW seen AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
    " SELECT count(*) FROM c",
    "CREATE VIRTUAL TABLE words USING fts5(a)",
    "CREATE TABLE notes_of_mine (a)",
    "CREATE TABLE sparse (a INTEGER PRIMARY KEY, b AS (a * 2)) STRICT",
    "CREATE INDEX slow ON users (hex(zeroblob(100)), email)",
    "CREATE UNIQUE INDEX only ON ledger_postings (id, amount)",
    "DROP INDEX ix_audit_entries_organization_id",
    "DROP TRIGGER ledger_postings_no_update",
    "ALTER TABLE users ADD COLUMN evil TEXT DEFAULT 'x'",
    "ALTER TABLE units DROP COLUMN notes",
    "ALTER TABLE users ADD COLUMN evil TEXT AS (hex(zeroblob(100000000)))",
    "UPDATE alembic_version SET version_num = '20991231_0000'",
    "UPDATE leases SET first_day = '2026-02-31'",
    "UPDATE users SET created_at = 'yesterday'",
    "UPDATE units SET label = CAST(x'ff41' AS TEXT)",
    "UPDATE units SET label = 'a' || char(0) || 'b'",
    "UPDATE leases SET lead_days = 'soon'",
    "UPDATE postings SET debit = debit + 1 WHERE debit > 0",
    "UPDATE invoices SET open = open + 1, total = total + 1",
    "UPDATE sqlite_master SET sql = replace(sql, 'CHECK', 'check') WHERE type = 'table'",
    "UPDATE sqlite_master SET sql = 'CREATE TABLE users (id)' WHERE name = 'users'",
    "UPDATE sqlite_master SET rootpage = 2 WHERE name = 'leases'",
    "UPDATE sqlite_master SET type = 'view' WHERE name = 'units'",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = 7",
    "PRAGMA journal_mode = WAL",
    "PRAGMA page_size = 8192; VACUUM",
)


@dataclass(frozen=True)
class Sql:
    """Statements that somebody let run on the file; one that SQLite refuses is left out."""

    statement: str

    def __call__(self, content: bytearray, scratch: Path) -> None:
        scratch.write_bytes(content)
        with suppress(sqlite3.Error), opened(scratch, "mode=rw") as connection:
            connection.execute("PRAGMA writable_schema = ON")
            for one in self.statement.split("; " if "VACUUM" in self.statement else "\0"):
                connection.execute(one)
        content[:] = scratch.read_bytes()
        durable.remove_database(scratch)


@dataclass(frozen=True)
class Flipped:
    """Bits that turned, in bytes that hold something."""

    places: list[tuple[float, int]]

    def __call__(self, content: bytearray, scratch: Path) -> None:
        used = [at for at, byte in enumerate(content) if byte]
        for share, bit in self.places if used else ():
            content[used[int(share * len(used))]] ^= 1 << bit


@dataclass(frozen=True)
class Written:
    """Bytes written over others, as a program would that took the file for its own."""

    share: float
    over: bytes

    def __call__(self, content: bytearray, scratch: Path) -> None:
        start = int(self.share * len(content))
        content[start : start + len(self.over)] = self.over[: len(content) - start]


@dataclass(frozen=True)
class Header:
    """A byte of the first hundred, which say what the file is."""

    place: int
    value: int

    def __call__(self, content: bytearray, scratch: Path) -> None:
        if len(content) > self.place:
            content[self.place] = self.value


@dataclass(frozen=True)
class Swapped:
    """Two pages, each in the place of the other."""

    one: float
    other: float

    def __call__(self, content: bytearray, scratch: Path) -> None:
        here, there = (int(each * (len(content) // PAGE)) * PAGE for each in (self.one, self.other))
        one, other = content[here : here + PAGE], content[there : there + PAGE]
        content[here : here + PAGE], content[there : there + PAGE] = other, one


@dataclass(frozen=True)
class Cut:
    """The end is missing, and perhaps zeros are in its place."""

    share: float
    is_filled: bool

    def __call__(self, content: bytearray, scratch: Path) -> None:
        length = len(content)
        del content[int(self.share * length) :]
        if self.is_filled:
            content.extend(bytes(length - len(content)))


Damage = Sql | Flipped | Written | Header | Swapped | Cut
BYTES = st.one_of(
    st.builds(Flipped, st.lists(st.tuples(SHARE, st.integers(0, 7)), min_size=1, max_size=8)),
    st.builds(Written, SHARE, st.binary(min_size=1, max_size=64)),
    st.builds(Written, SHARE, st.sampled_from((bytes(100), bytes(PAGE), b"\xff" * PAGE))),
    st.builds(Header, st.integers(0, 99), st.integers(0, 255)),
    st.builds(Swapped, SHARE, SHARE),
    st.builds(Cut, SHARE, st.booleans()),
)
DAMAGES = st.one_of(
    st.lists(BYTES, min_size=1, max_size=2),
    st.lists(st.builds(Sql, st.sampled_from(ADDED)), min_size=1, max_size=2),
    st.tuples(st.builds(Sql, st.sampled_from(ADDED)), BYTES),
)


@dataclass(frozen=True)
class Books:
    """An installation with the demonstration in it, and its one backup."""

    site: Installation
    made: Backup
    good: bytes
    live: dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Books]:
    own = make_settings(tmp_path_factory.mktemp("hostile"))
    live = Path(shutil.copyfile(migrated_file, own.data_dir / "proman.sqlite"))
    app = make_app(own)
    with app.app_context():
        begin_write()
        wanted = Wanted(3, 3, 1, demonstration_today())
        load_demonstration(wanted, hash_password(PASSWORD), lambda done, total: None)
        db.session.commit()
        site = app.extensions["proman_installation"]
        made = back_up(site, "manual", "Alice")
        yield Books(site, made, made.path.read_bytes(), rows_of(live))
        db.engine.dispose()


def rows_of(path: Path, like: Path | None = None) -> dict[str, list[tuple[object, ...]]]:
    """Every value of every table; of the tables and columns of `like` where that is given."""
    with opened(like or path) as shape:
        columns = {
            table: [row[1] for row in shape.execute(f"PRAGMA table_info({quoted(table)})")]
            for table in table_names(shape)
        }
    with opened(path) as connection:
        return {
            table: connection.execute(
                f"SELECT {', '.join(map(quoted, names))} FROM {quoted(table)} ORDER BY 1, 2"
                if len(names) > 1
                else f"SELECT {quoted(names[0])} FROM {quoted(table)} ORDER BY 1"
            ).fetchall()
            for table, names in columns.items()
        }


def staged(books: Books, path: Path, *, with_manifest: bool) -> Staged | None:
    """What became of the file, None where it is refused; within the deadline either way."""
    target = path.with_name("staged.sqlite")
    began = time.monotonic()
    manifest = books.made.manifest if with_manifest else None
    taken = None
    with suppress(Refused):
        taken = stage(books.site, path, manifest, target, silent)
    assert time.monotonic() - began < limits_for(len(books.good)).wall
    assert target.exists() == (taken is not None)
    return taken


@pytest.mark.fault(
    "Flipped page",
    how="bits, bytes, pages, lengths and SQL of good backups at random",
    outcome="with its manifest refused; without: refused, or the rows that it holds",
)
@pytest.mark.fault(
    "Malicious trigger",
    how="triggers, views, tables, columns, values put into good backups at random",
    outcome="refused, or left out",
)
@pytest.mark.long
def test_damage_is_refused_or_harmless_and_never_a_crash(books, tmp_path):
    outcomes = []

    @settings(
        max_examples=FILES,
        deadline=None,
        derandomize=SCALE == 1,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(DAMAGES)
    def examine(damages: list[Damage] | tuple[Damage, ...]) -> None:
        content, path = bytearray(books.good), tmp_path / "upload.sqlite"
        for damage in damages:
            damage(content, tmp_path / "scratch.sqlite")
        path.write_bytes(content)
        taken = staged(books, path, with_manifest=True)
        if content != books.good:
            assert taken is None
        if taken is None:
            taken = staged(books, path, with_manifest=False)
        outcomes.append(taken is not None)
        if taken is not None:
            assert rows_of(path, like=taken.path) == rows_of(taken.path)
            assert taken.breaches == []
            durable.remove_database(taken.path)
        assert path.read_bytes() == content

    examine()
    assert len(outcomes) >= FILES // 2
    assert set(outcomes) == {True, False}
    assert rows_of(books.site.live) == books.live
