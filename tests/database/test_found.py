"""Files put among the backups are ordered by what they hold; pins outlast other work."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from proman.base.errors import NotThere, Refused
from proman.database import amending, catalogue, nightly, status, verifying
from proman.database.backup import back_up
from proman.database.rules import Retention, backup_name, may_delete
from proman.database.verifying import drill, verify_listed
from proman.db import begin_write, db, utc_now
from proman.identity import audit
from proman.identity.session import acting_for
from tests.database.conftest import House


def change(house: House, name: str) -> None:
    """Something that the audit trail knows of."""
    with acting_for(house.organization):
        begin_write()
        audit.record("renamed", "organizations", house.organization, name)
        db.session.commit()


def put(house: House, source: Path, seconds: int, written: float | None = None) -> str:
    """A bare copy of a file among the backups, named by so many seconds from now."""
    path = house.site.backup_dir / backup_name(utc_now() + timedelta(seconds=seconds))
    shutil.copyfile(source, path)
    if written is not None:
        os.utime(path, (written, written))
    return path.stem


def newest(house: House) -> str:
    found = catalogue.newest_verified(catalogue.backups_in(house.site.backup_dir))
    assert found is not None
    return found.name


@pytest.mark.engines
@pytest.mark.parametrize("seconds", [-90_000_000, -600, 5, 90_000_000])
def test_an_old_file_never_becomes_the_newest_whatever_its_name_says(anywhere, seconds, tmp_path):
    old = shutil.copyfile(back_up(anywhere.site, "manual", "Alice").path, tmp_path / "old.sqlite")
    change(anywhere, "later")
    real = back_up(anywhere.site, "manual", "Alice")
    before = utc_now()
    name = put(anywhere, old, seconds)
    found = verify_listed(anywhere.site, name, "Alice")
    assert found.is_verified
    assert found.reason == "found"
    assert found.created_at <= before
    assert newest(anywhere) == real.name
    assert drill(anywhere.site, None, "Alice").name == real.name
    listed = catalogue.backups_in(anywhere.site.backup_dir)
    assert "newest" in (may_delete(real.path.name, [one.as_candidate() for one in listed]) or "")
    assert back_up(anywhere.site, "manual", "Alice").sequence == real.sequence + 1


def test_a_copy_of_the_newest_backup_stands_before_it(house):
    real = back_up(house.site, "manual", "Alice")
    verify_listed(house.site, put(house, real.path, 60), "Alice")
    assert newest(house) == real.name


def test_a_file_of_the_script_that_holds_more_is_the_newest(house, tmp_path):
    back_up(house.site, "manual", "Alice")
    change(house, "later")
    later = back_up(house.site, "manual", "Alice", tmp_path / "elsewhere").path
    name = put(house, later, 3600)
    verify_listed(house.site, name, "Alice")
    assert newest(house) == name
    change(house, "later still")
    real = back_up(house.site, "manual", "Alice")
    assert newest(house) == real.name


def test_while_nothing_changes_the_files_of_the_script_are_backups_of_their_nights(house):
    first = back_up(house.site, "manual", "Alice")
    now = utc_now()
    for day in (1, 2, 3):
        name = put(house, first.path, day * 86_400, (now + timedelta(days=day)).timestamp())
        verify_listed(house.site, name, "Alice")
    assert newest(house) == first.name
    later = now + timedelta(days=4)
    assert status.status(house.site, later).warnings == []


def test_files_from_elsewhere_push_out_none_of_our_own(house, tmp_path):
    own = [back_up(house.site, "manual", "Alice") for _ in range(3)]
    change(house, "elsewhere")
    other = back_up(house.site, "manual", "Alice", tmp_path / "elsewhere").path
    for seconds in range(6):
        verify_listed(house.site, put(house, other, -60 * (seconds + 1)), "Alice")
    later = utc_now() + timedelta(days=400)
    catalogue.prune(house.site.backup_dir, Retention(3, 0, 0, 0), later)
    left = {one.name for one in catalogue.backups_in(house.site.backup_dir)}
    assert left >= {one.name for one in own}
    assert len(left) == 6


def test_a_pin_that_is_set_during_a_drill_or_a_verification_stays(house, monkeypatch):
    made = back_up(house.site, "manual", "Alice")
    real = verifying.judge

    def pinned_meanwhile(site, path, manifest, report):
        catalogue.pin(catalogue.backup_named(house.site.backup_dir, made.name), True)
        return real(site, path, manifest, report)

    monkeypatch.setattr(verifying, "judge", pinned_meanwhile)
    assert verify_listed(house.site, made.name, "Alice").is_pinned
    catalogue.pin(made, False)
    monkeypatch.undo()
    stale = catalogue.backup_named(house.site.backup_dir, made.name)
    catalogue.pin(stale, True)
    catalogue.note_proven(stale, utc_now())
    after = catalogue.backup_named(house.site.backup_dir, made.name)
    assert after.is_pinned
    assert after.proven_at
    catalogue.pin(stale, False)
    after = catalogue.backup_named(house.site.backup_dir, made.name)
    assert after.proven_at
    assert not after.is_pinned


def test_what_is_pinned_after_it_was_listed_is_not_deleted(house, monkeypatch):
    made = [back_up(house.site, "manual", "Alice") for _ in range(5)]
    listed = catalogue.backups_in(house.site.backup_dir)
    catalogue.pin(made[0], True)
    monkeypatch.setattr(catalogue, "backups_in", lambda directory: listed)
    later = utc_now() + timedelta(days=400)
    assert catalogue.prune(house.site.backup_dir, Retention(1, 0, 0, 0), later) == [made[1].name]
    assert made[0].path.exists()
    with pytest.raises(Refused, match="pinned"):
        catalogue.delete_by_hand(house.site.backup_dir, made[0].name)


def test_a_backup_that_is_gone_cannot_be_pinned(house):
    made = back_up(house.site, "manual", "Alice")
    back_up(house.site, "manual", "Alice")
    catalogue.delete_by_hand(house.site.backup_dir, made.name)
    with pytest.raises(NotThere):
        catalogue.pin(made, True)
    catalogue.note_proven(made, utc_now())
    assert not catalogue.manifest_path(made.path).exists()


def test_changes_of_one_manifest_wait_for_each_other(house):
    made = back_up(house.site, "manual", "Alice")
    path = catalogue.manifest_path(made.path)
    marks = [f"20{year}-01-01T00:00:00Z" for year in range(10, 60)]

    def mark(text):
        def add(known):
            return replace(known, checks=(*known.checks, text))

        return amending.amend(path, add)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(mark, marks))
    kept = catalogue.backup_named(house.site.backup_dir, made.name).manifest
    assert set(marks) <= set(kept.checks)


def test_nightly_retention_takes_an_old_file_by_its_age(house, tmp_path):
    old = shutil.copyfile(back_up(house.site, "manual", "Alice").path, tmp_path / "old.sqlite")
    change(house, "later")
    made = [back_up(house.site, "manual", "Alice") for _ in range(3)]
    put(house, old, 30)
    nightly.nightly_backup(house.site)
    assert newest(house) not in {one.name for one in made}
    last = catalogue.backups_in(house.site.backup_dir)
    assert max(last, key=lambda one: one.sequence).reason == "schedule"


def test_a_list_that_is_read_while_files_come_and_go_is_whole(house):
    made = back_up(house.site, "manual", "Alice")
    is_over = threading.Event()

    def come_and_go() -> None:
        path = house.site.backup_dir / "proman-20200101-020000.sqlite"
        while not is_over.is_set():
            path.touch()
            path.unlink()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(come_and_go)
        try:
            for _ in range(2000):
                assert made.name in {o.name for o in catalogue.backups_in(house.site.backup_dir)}
        finally:
            is_over.set()
