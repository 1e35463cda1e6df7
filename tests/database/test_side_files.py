"""What SQLite left beside a file from elsewhere is not played into it; pages of another size."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from proman.database import catalogue, restore, restores, sources
from proman.database.backup import back_up
from proman.database.driver import sqlite3
from proman.database.live import live_database
from proman.database.sqlite_copy import opened
from proman.database.verifying import drill, verify
from proman.db import db
from proman.doctor import examine
from tests import processes
from tests.database.conftest import House

STALE = "UPDATE organizations SET legal_name = 'stale'"


def leave_side_files(file: Path, scratch: Path) -> dict[Path, bytes]:
    """A log and a journal beside the file, as writers of a copy of it left them when they died."""
    for mode, side in (("WAL", "-wal"), ("DELETE", "-journal")):
        copy = scratch / f"writing{side}.sqlite"
        shutil.copyfile(file, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as writer:
            writer.execute(f"PRAGMA journal_mode = {mode}")
            writer.execute("PRAGMA wal_autocheckpoint = 0")
            writer.execute("PRAGMA cache_size = 1")
            if mode == "DELETE":
                writer.execute("BEGIN")
            writer.execute(STALE)
            writer.execute("CREATE TABLE stale AS SELECT randomblob(100000) AS a")
            shutil.copyfile(f"{copy}{side}", f"{file}{side}")
    left = {path: path.read_bytes() for path in (Path(f"{file}-wal"), Path(f"{file}-journal"))}
    assert all(len(content) > 1000 for content in left.values())
    return left


@pytest.mark.fault(
    "Stale -wal or -journal",
    how="a log and a journal of other writers beside a file from elsewhere and a listed backup",
    outcome="neither is played in: exactly the file is verified, drilled and restored",
)
def test_what_lies_beside_a_file_is_not_played_into_it(house, tmp_path):
    made = back_up(house.site, "manual", "Alice")
    usb = tmp_path / "usb"
    usb.mkdir()
    file = Path(shutil.copyfile(made.path, usb / "copy.sqlite"))
    left = leave_side_files(file, tmp_path) | leave_side_files(made.path, tmp_path)
    verify(house.site, file)
    assert drill(house.site, None, "Alice").name == made.name
    house.rename("after")
    db.session.remove()
    db.engine.dispose()
    for named in (str(file), made.name):
        words = ("database", "restore", named, "--yes")
        code, said = processes.flask(house.site.settings, *words).end()
        assert code == 0, said
        assert house.name() == "before"
        assert house.sql("SELECT count(*) FROM sqlite_master WHERE name = 'stale'") == 0
        house.rename("after")
    assert {path: path.read_bytes() for path in left} == left


@pytest.mark.fault(
    "Page size 8192",
    how="backups of 4096 and of 8192 bytes a page, each into a live file of the other",
    outcome="converted to the live size; the books are in order",
)
@pytest.mark.parametrize(("live", "file"), [(4096, 8192), (8192, 4096)])
def test_pages_of_another_size_are_converted(house, tmp_path, live, file):
    made = Path(shutil.copy(back_up(house.site, "manual", "Alice").path, tmp_path / "copy.sqlite"))
    house.rename("after")
    db.session.remove()
    db.engine.dispose()
    for path, size in ((house.site.live, live), (made, file)):
        with opened(path, "mode=rw") as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute(f"PRAGMA page_size = {size}")
            connection.execute("VACUUM")
    one = sources.from_file(house.site, made, "Alice")
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    restores.confirm(house.folder, one.id)
    assert restore.carry_out(house.site, one.id, db.engine.dispose).fault is None
    assert house.name() == "before"
    assert house.sql("PRAGMA page_size") == live
    assert house.sql("PRAGMA journal_mode") == "wal"
    assert_whole(house)


def assert_whole(house: House) -> None:
    """The books are in order, and a backup of it is a good one."""
    assert live_database(house.site).ask(lambda one: examine(one, house.site.head)) == []
    made = back_up(house.site, "manual", "Alice")
    assert catalogue.backup_named(house.site.backup_dir, made.name).is_verified
