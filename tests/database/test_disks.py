"""Disks that fill up, cannot be written or fail: one clear sentence, and what was there stays."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proman.base.errors import Refused
from proman.database import catalogue, journal, outcomes, restore, restores, sources
from proman.database.backup import back_up
from proman.database.live import live_database
from proman.db import db
from proman.doctor import examine
from tests import rigs
from tests.database.conftest import House

pytestmark = pytest.mark.faults


def grow(house: House, megabytes: int = 12) -> None:
    """Pictures that take room in every backup."""
    for _ in range(megabytes):
        house.sql(
            "INSERT INTO organization_logos (organization_id, media_type, content, uploaded_at)"
            " VALUES (:own, 'image/png', :content, '2026-01-01 00:00:00')",
            own=house.organization,
            content=os.urandom(1 << 20),
        )


def at(phase: str, act: Callable[[], object]) -> Callable[[str, int, int], None]:
    """Watches an operation, and acts once when it comes to that phase."""
    done: list[object] = []

    def watch(told: str, part: int, whole: int) -> None:
        if told == phase and not done:
            done.append(act())

    return watch


def is_sound(house: House) -> bool:
    return live_database(house.site).ask(lambda one: examine(one, house.site.head)) == []


@pytest.mark.engines
@pytest.mark.fault(
    "Disk full",
    how="backup into a tmpfs that somebody else fills meanwhile",
    outcome="one sentence, nothing left behind, older backups kept",
)
def test_a_backup_onto_a_disk_that_fills_up(anywhere):
    grow(anywhere)
    directory = anywhere.site.backup_dir
    with rigs.tmpfs(directory, "96m"):
        first = back_up(anywhere.site, "manual", "Alice")
        filled = at("copying", lambda: rigs.fill(directory, leave=4 << 20))
        with pytest.raises(Refused, match=r"failed: .* Nothing was left behind"):
            back_up(anywhere.site, "manual", "Alice", watch=filled)
        assert {one.name for one in directory.iterdir()} == {
            first.path.name,
            catalogue.manifest_path(first.path).name,
            journal.FILE,
            "somebody-elses",
        }
        assert "failed" in (outcomes.last(anywhere.folder, "backup").fault or "")
        with pytest.raises(Refused, match="Not enough space"):
            back_up(anywhere.site, "manual", "Alice")
        (directory / "somebody-elses").unlink()
        assert back_up(anywhere.site, "manual", "Alice").is_verified
        assert is_sound(anywhere)


def judged(house: House, name: str) -> restores.Restore:
    """A restore of a listed backup, confirmed."""
    one = sources.from_list(house.site, name, "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    return restores.confirm(house.folder, one.id)


PHASES = ("safety backup: copying", "preparing", "replacing the database", "verifying")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own for the installation that is made on it afterwards."""
    with rigs.tmpfs(tmp_path / "anywhere", "160m") as disk:
        yield disk


FILLS_UP = pytest.mark.fault(
    "Disk full",
    how="restore in a data directory that fills up at each step",
    outcome="all old or all new; the disk freed, it works again",
)


def restored_on_a_disk_that_fills_up(disk: Path, house: House, phase: str) -> None:
    grow(house, 5)
    made = back_up(house.site, "manual", "Alice")
    house.rename("after")
    one = judged(house, made.name)
    filled = at(phase, lambda: rigs.fill(disk))
    restore.carry_out(house.site, one.id, db.engine.dispose, watch=filled)
    (disk / "somebody-elses").unlink()
    restore.finish_interrupted(house.site)
    told = restores.load(house.folder, one.id)
    assert (told.stage, house.name()) in {("failed", "after"), ("done", "before")}
    assert is_sound(house)
    house.rename("after")
    again = restore.carry_out(house.site, judged(house, made.name).id, db.engine.dispose)
    assert (again.stage, again.fault) == ("done", None)
    assert house.name() == "before"


@FILLS_UP
@pytest.mark.parametrize("phase", PHASES)
def test_a_restore_on_a_disk_that_fills_up(small_disk, anywhere, phase):
    restored_on_a_disk_that_fills_up(small_disk, anywhere, phase)


@FILLS_UP
@pytest.mark.engines("postgresql", "mysql")
def test_a_restore_of_a_server_beside_a_disk_that_fills_up(small_disk, anywhere):
    restored_on_a_disk_that_fills_up(small_disk, anywhere, "verifying")


def test_on_a_full_disk_old_backups_can_be_deleted(small_disk, anywhere):
    old, _ = (back_up(anywhere.site, "manual", "Alice") for _ in range(2))
    alice = anywhere.client()
    rigs.fill(small_disk)
    answer = alice.post(f"/admin/database/backups/{old.name}/deletion")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert not old.path.exists()
