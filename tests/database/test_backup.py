"""Backups of a real installation: verified, listed from the directory, kept apart by one lock."""

import contextlib
import json
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from proman.base.errors import NotThere, Refused
from proman.database import amending, catalogue, durable, nightly, outcomes, status
from proman.database import manifest as manifests
from proman.database.backup import back_up
from proman.database.driver import sqlite3
from proman.database.lock import UnderWay, ops_lock
from proman.database.rules import Retention
from proman.database.verifying import drill, verify, verify_listed
from proman.db import db, utc_now


def test_a_backup_is_verified_and_its_manifest_says_what_it_holds(house):
    made = back_up(house.site, "manual", "Alice")
    values = json.loads(catalogue.manifest_path(made.path).read_text())
    assert made.is_verified
    assert values["rows"]["users"] == 1
    assert values["revision"] == house.site.head
    assert values["ledger_balance"] == 0
    assert values["sha256"] == durable.sha256_from_disk(made.path)
    assert (values["sequence"], values["reason"], values["by"]) == (1, "manual", "Alice")
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert house.site.backup_dir.stat().st_mode & 0o777 == 0o700


def test_the_directory_is_the_list(house):
    first, second = (back_up(house.site, "manual", "Alice") for _ in range(2))
    assert [one.name for one in catalogue.backups_in(house.site.backup_dir)] == [
        second.name,
        first.name,
    ]
    assert second.sequence == 2
    first.path.unlink()
    with pytest.raises(NotThere):
        catalogue.backup_named(house.site.backup_dir, first.name)


def test_a_second_backup_at_once_is_told_who_makes_the_first(house):
    with (
        ops_lock(house.site.settings, "backup", "Bob"),
        pytest.raises(UnderWay, match="backup, started by Bob"),
    ):
        back_up(house.site, "manual", "Alice")
    assert catalogue.backups_in(house.site.backup_dir) == []


def test_too_little_space_is_refused_before_anything_is_written(house, files, monkeypatch):
    before = files()
    real = shutil.disk_usage(house.folder)
    monkeypatch.setattr(durable.shutil, "disk_usage", lambda path: real._replace(free=1000))
    with pytest.raises(Refused, match="Not enough space"):
        back_up(house.site, "manual", "Alice")
    kept = {"ops.lock", "last-backup.json", "backups/journal.jsonl"}
    assert files() - before <= kept


def orphan(path) -> None:
    """A row that refers to nothing, as a tool with foreign keys off leaves it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(
            "INSERT INTO access_tokens (user_id, purpose, token_hash, created_at, expires_at) "
            "VALUES (999, 'reset', 'x', '2026-01-01', '2026-01-01')"
        )


def test_a_damaged_database_gives_no_backup_and_keeps_the_old_ones(house, files):
    good = back_up(house.site, "manual", "Alice")
    orphan(house.site.live)
    before = files()
    with pytest.raises(Refused, match="A row of access_tokens refers to a row of users"):
        back_up(house.site, "manual", "Alice")
    assert files() - before <= {"last-backup.json"}
    assert catalogue.backup_named(house.site.backup_dir, good.name).is_verified
    fault = outcomes.last(house.folder, "backup").fault
    assert "access_tokens" in fault
    assert any("access_tokens" in one for one in status.status(house.site, utc_now()).warnings)


def test_partials_of_a_killed_backup_are_swept(house):
    durable.private_directory(house.site.backup_dir)
    left = house.site.backup_dir / ".proman-0123.partial"
    left.write_bytes(b"x")
    (house.site.backup_dir / ".proman-0123.partial-journal").write_bytes(b"x")
    back_up(house.site, "manual", "Alice")
    assert list(house.site.backup_dir.glob(".*")) == []


def test_a_file_from_the_script_becomes_verified_at_night(house):
    made = back_up(house.site, "manual", "Alice")
    bare = house.site.backup_dir / "proman-20200101-020000.sqlite"
    shutil.copy(made.path, bare)
    junk = house.site.backup_dir / "proman-20200102-020000.sqlite"
    junk.write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    nightly.nightly_backup(house.site)
    states = {one.path.name: one for one in catalogue.backups_in(house.site.backup_dir)}
    assert states[bare.name].is_verified
    assert states[bare.name].reason == "found"
    assert not states[junk.name].is_verified
    assert len(states) == 4


@pytest.mark.fault(
    "Flipped payload",
    how="one bit of a listed backup",
    outcome="named by its SHA-256, no longer counted as good",
)
def test_a_flipped_byte_is_found_by_the_manifest(house):
    made = back_up(house.site, "manual", "Alice")
    with made.path.open("r+b") as file:
        file.seek(30_000)
        byte = file.read(1)
        file.seek(30_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(Refused, match="SHA-256 differs"):
        verify(house.site, made.path)
    with pytest.raises(Refused, match="SHA-256 differs"):
        verify_listed(house.site, made.name, "Alice")
    listed = catalogue.backup_named(house.site.backup_dir, made.name)
    assert not listed.is_verified
    assert any("No longer good" in one for one in status.status(house.site, utc_now()).warnings)


def test_a_drill_proves_a_backup_and_leaves_the_live_database_alone(house, files):
    made = back_up(house.site, "manual", "Alice")
    house.rename("later")
    before = files()
    found = drill(house.site, None, "Alice")
    assert found.name == made.name
    assert catalogue.backup_named(house.site.backup_dir, made.name).proven_at is not None
    assert house.name() == "later"
    assert files() - before == {"last-drill.json", f"backups/{amending.LOCK}"}


def test_a_drill_tells_when_the_manifest_says_something_else(house):
    made = back_up(house.site, "manual", "Alice")
    rows = made.manifest.rows | {"users": 7}
    lying = replace(made.manifest, rows=rows)
    manifests.write(catalogue.manifest_path(made.path), lying)
    with pytest.raises(Refused, match="other rows than the manifest"):
        drill(house.site, None, "Alice")


def test_prune_keeps_the_floor_and_pins(house):
    made = [back_up(house.site, "manual", "Alice") for _ in range(5)]
    catalogue.pin(made[0], True)
    later = utc_now() + timedelta(days=400)
    gone = catalogue.prune(house.site.backup_dir, Retention(1, 0, 0, 0), later)
    assert gone == [made[1].name]
    assert len(catalogue.backups_in(house.site.backup_dir)) == 4


def test_the_newest_verified_backup_cannot_be_deleted_by_hand(house):
    first, second = (back_up(house.site, "manual", "Alice") for _ in range(2))
    with pytest.raises(Refused, match="newest verified"):
        catalogue.delete_by_hand(house.site.backup_dir, second.name)
    catalogue.delete_by_hand(house.site.backup_dir, first.name)
    assert [one.name for one in catalogue.backups_in(house.site.backup_dir)] == [second.name]


def test_status_warns_when_backups_are_old(house):
    back_up(house.site, "manual", "Alice")
    assert status.status(house.site, utc_now()).warnings == []
    later = utc_now() + timedelta(days=3)
    assert any("3 days old" in one for one in status.status(house.site, later).warnings)


def test_drift_names_what_differs_from_the_migrations(house):
    assert status.drift(house.site) == []
    house.sql("CREATE TABLE extra (id INTEGER)")
    assert status.drift(house.site) == ["not of this revision: table extra"]


def test_a_read_only_backup_directory_is_one_clear_sentence(house, monkeypatch):
    monkeypatch.setattr(durable.os, "access", lambda path, mode: False)
    with pytest.raises(Refused, match="cannot be written"):
        back_up(house.site, "manual", "Alice")


def test_without_a_database_the_status_says_what_to_do(house):
    db.engine.dispose()
    house.site.live.unlink()
    with pytest.raises(Refused, match="flask db upgrade"):
        status.status(house.site, utc_now())
