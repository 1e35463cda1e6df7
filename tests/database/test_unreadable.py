"""What is there and cannot be read is not the same as what is not there: it is kept, and told."""

import contextlib
import os
import shutil
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from proman.admin.schedule_views import outlook
from proman.base.errors import Refused
from proman.database import alarm, catalogue, nightly, outcomes, status
from proman.database.backup import back_up
from proman.database.catalogue import Backup, manifest_path
from proman.database.plan import Plan, save_plan
from proman.database.rules import Retention, backup_name
from proman.database.verifying import verify, verify_listed
from proman.db import utc_now
from tests.database.aging import backup_of
from tests.database.conftest import House
from tests.database.locking import OURS

FEW = Plan(retention=Retention(3, 0, 0, 0))


@pytest.fixture
def pinned(house: House) -> Backup:
    """A pinned backup that every rule would have removed, behind four newer ones."""
    save_plan(house.folder, FEW)
    made = named(house, backup_of(house.site, 400))
    catalogue.pin(made, True)
    for hours in (100, 80, 60, 40):
        backup_of(house.site, hours)
    return made


def damage(path: Path) -> bytes:
    """Flips the bits of the first byte, and returns what stands there now."""
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 0xFF]) + content[1:])
    return path.read_bytes()


def prune(house: House) -> list[str]:
    return nightly.prune(house.site, "Alice", utc_now() + timedelta(days=400))


def night(house: House) -> str:
    """What the schedule does, later than the second in which the newest backup was made."""
    newest = max(one.created_at for one in catalogue.backups_in(house.site.backup_dir))
    while utc_now() < newest + timedelta(seconds=1):
        time.sleep(0.05)
    return nightly.by_schedule(house.site)


def named(house: House, name: str) -> Backup:
    return catalogue.backup_named(house.site.backup_dir, name)


def test_a_pinned_backup_outlasts_damage_to_its_manifest(house, pinned):
    beside = manifest_path(pinned.path)
    whole, damaged = beside.read_bytes(), damage(beside)
    for _ in range(2):
        assert pinned.name not in prune(house)
    assert pinned.path.exists()
    assert beside.read_bytes() == damaged
    beside.write_bytes(whole)
    assert named(house, pinned.name).is_pinned
    assert pinned.name not in prune(house)


def test_damage_to_a_manifest_is_told_where_people_look(house, pinned):
    damage(manifest_path(pinned.path))
    told = [one for one in status.status(house.site, utc_now()).warnings if pinned.name in one]
    assert "damaged" in told[0]
    assert alarm.look(house.site, utc_now(), lambda letter: True).reasons == tuple(told)
    client = house.client()
    page = client.get("/admin/database").text
    assert "damaged, or of another version" in page
    page = client.get(f"/admin/database/backups/{pinned.path.name}/details").text
    assert "Put the manifest back" in page
    assert "it cannot be read" in page
    reasons = {one.name: reason for one, reason in outlook(house.site, FEW, utc_now()).rows}
    assert reasons[pinned.name] == "it cannot be read"


def test_no_verification_overwrites_a_manifest_that_cannot_be_read(house, pinned):
    beside = manifest_path(pinned.path)
    damaged = damage(beside)
    with pytest.raises(Refused, match=r"good\. Its manifest .* damaged"):
        verify_listed(house.site, pinned.name, "Alice")
    with pytest.raises(Refused, match="damaged"):
        verify(house.site, pinned.path)
    with pytest.raises(Refused, match="damaged"):
        catalogue.pin(named(house, pinned.name), False)
    with pytest.raises(Refused, match="damaged"):
        catalogue.delete_by_hand(house.site.backup_dir, pinned.name)
    assert beside.read_bytes() == damaged
    beside.unlink()
    assert verify_listed(house.site, pinned.name, "Alice").is_verified


def test_a_manifest_of_a_later_version_is_left_alone(house, pinned):
    beside = manifest_path(pinned.path)
    beside.write_text(beside.read_text().replace("proman-backup-1", "proman-backup-2"))
    before = beside.read_bytes()
    prune(house)
    assert pinned.path.exists()
    assert beside.read_bytes() == before


def test_a_plain_twin_takes_nothing_from_an_encrypted_backup(house, set_to, tmp_path):
    plain = shutil.copyfile(
        back_up(house.site, "manual", "Alice", tmp_path / "elsewhere").path, tmp_path / "plain"
    )
    save_plan(house.folder, FEW)
    set_to(house, OURS)
    made = back_up(house.site, "manual", "Alice")
    catalogue.pin(made, True)
    twin = made.path.with_name(f"{made.name}.sqlite")
    shutil.copyfile(plain, twin)
    for _ in range(4):
        back_up(house.site, "manual", "Alice")
    before = manifest_path(made.path).read_bytes()
    for _ in range(2):
        assert made.name not in prune(house)
    with pytest.raises(Refused, match="is about"):
        verify_listed(house.site, twin.name, "Alice")
    assert manifest_path(made.path).read_bytes() == before
    assert named(house, made.path.name).is_pinned
    catalogue.delete_by_hand(house.site.backup_dir, twin.name)
    assert not twin.exists()
    assert manifest_path(made.path).read_bytes() == before
    assert made.path.exists()


def put(house: House, source: Path, days: int) -> Path:
    """A bare copy of a backup in the list, named, written and last changed so many days ago."""
    moment = utc_now() - timedelta(days=days)
    path = house.site.backup_dir / backup_name(moment)
    shutil.copyfile(source, path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=DELETE")
        file.execute("UPDATE audit_entries SET at = ?", (f"{moment:%Y-%m-%d %H:%M:%S.%f}",))
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


def test_a_file_that_was_just_verified_lives_until_the_next_night(house, pinned):
    found = put(house, pinned.path, 90)
    before = {one.path for one, reason in outlook(house.site, FEW, utc_now()).rows if reason}
    assert found in before
    night(house)
    assert found.exists()
    going = {one.path for one, reason in outlook(house.site, FEW, utc_now()).rows if not reason}
    assert found in going
    night(house)
    assert not found.exists()


def test_with_another_tool_too_what_was_just_verified_lives_until_the_next_night(house, pinned):
    save_plan(house.folder, Plan(on=False, retention=FEW.retention))
    first = put(house, pinned.path, 90)
    night(house)
    assert first.exists()
    put(house, pinned.path, 80)
    assert "removed" in night(house)
    assert not first.exists()


def test_a_retention_that_fails_is_told_and_makes_no_second_backup(house, pinned):
    """A directory in the place of the lock of the manifests is what retention cannot go past."""
    catalogue.pin(pinned, False)
    lock = house.site.backup_dir / ".proman-manifests.lock"
    lock.unlink()
    lock.mkdir()
    result = night(house)
    assert "none removed: The manifests" in result
    assert outcomes.last(house.folder, "backup").fault is None
    assert "The last retention failed: The manifests" in " ".join(
        alarm.look(house.site, utc_now(), lambda letter: True).reasons
    )
    lock.rmdir()
    assert "older removed" in night(house)
    assert alarm.look(house.site, utc_now(), lambda letter: True).reasons == ()
