"""What a kill leaves behind: a backup is never half listed, and the rest is swept at the start."""

import os
import shutil
import signal
import sys
import time
from typing import Any

import pytest

from proman.app import create_app
from proman.database import catalogue, durable, nightly, verifying
from proman.database.backup import back_up
from proman.db import db
from proman.settings import Settings
from tests import processes
from tests.conftest import make_settings

STEPS = ("open", "os.link", "os.rename", "os.remove", "os.mkdir")


def killed(act: Any, settings: Settings, folder: str, step: int) -> None:
    """Does it, and kills this process before its step of that number on the disk in `folder`."""
    app, count = create_app(settings), 0

    def kill(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in STEPS and any(str(one).startswith(folder) for one in arguments[:2]):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    with app.app_context():
        sys.addaudithook(kill)
        act(app.extensions["proman_installation"])


def make_backup(site: Any) -> None:
    back_up(site, "manual", "Alice")


def drill(site: Any) -> None:
    verifying.drill(site, None, "Alice")


@pytest.mark.fault(
    "Kill during a backup",
    how="SIGKILL before each step on the disk",
    outcome="listed whole or not at all; the next start sweeps the rest",
)
@pytest.mark.faults
def test_a_backup_killed_at_any_step_is_whole_or_not_listed(house, tmp_path):
    db.session.remove()
    db.engine.dispose()
    listed: list[int] = []
    while not listed or listed[-1] >= 0:
        folder = tmp_path / f"step-{len(listed)}"
        settings = make_settings(folder)
        shutil.copytree(house.folder, folder, dirs_exist_ok=True)
        backups = str(folder / "backups")
        first = processes.start(folder, killed, make_backup, settings, backups, len(listed) + 1)
        code, said = first.end()
        assert code in (0, -signal.SIGKILL), said
        found = catalogue.backups_in(settings.backup_dir)
        for one in found:
            assert (one.is_verified, one.reason, one.manifest.by) == (True, "manual", "Alice")
        app = create_app(settings)
        with app.app_context():
            site = app.extensions["proman_installation"]
            nightly.tidy(site)
            assert list(folder.rglob(".proman-*")) == []
            back_up(site, "manual", "Alice")
            db.session.remove()
            db.engine.dispose()
        assert len(catalogue.backups_in(settings.backup_dir)) == len(found) + 1
        listed.append(len(found) if code else -1)
    assert {0, 1} < set(listed)
    assert listed == [*sorted(listed[:-1]), -1]


def delete_oldest(site: Any) -> None:
    catalogue.delete(catalogue.backups_in(site.backup_dir)[-1])


@pytest.mark.faults
def test_a_deletion_that_is_killed_leaves_no_backup_without_its_reason(house):
    settings, listed = house.site.settings, []
    back_up(house.site, "manual", "Alice")
    while 0 not in [code for code, _ in listed]:
        back_up(house.site, "manual", "Alice")
        gone = catalogue.backups_in(house.site.backup_dir)[-1]
        step = (str(settings.backup_dir / gone.name), len(listed) + 1)
        code, said = processes.start(house.folder, killed, delete_oldest, settings, *step).end()
        assert code in (-signal.SIGKILL, 0), said
        left = catalogue.backups_in(house.site.backup_dir)
        assert all(one.is_verified and one.reason == "manual" for one in left)
        listed.append((code, gone in left))
    assert (-signal.SIGKILL, True) in listed
    assert (-signal.SIGKILL, False) in listed
    assert listed[-1] == (0, False)


@pytest.mark.faults
def test_what_a_killed_drill_leaves_is_swept_at_the_start(house):
    back_up(house.site, "manual", "Alice")
    db.session.remove()
    db.engine.dispose()
    settings = house.site.settings
    inside = f"{house.folder}/.proman-"
    code, said = processes.start(house.folder, killed, drill, settings, inside, 6).end()
    assert code == -signal.SIGKILL, said
    assert any(one.is_dir() for one in house.folder.glob(".proman-*"))
    nightly.tidy(house.site)
    assert list(house.folder.glob(".proman-*")) == []


def test_a_directory_in_use_is_not_swept(tmp_path):
    with durable.scratch_directory(tmp_path) as directory:
        assert durable.sweep(tmp_path) == 0
        assert directory.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_the_script_left_is_swept_when_it_is_a_day_old(tmp_path):
    old, new = (tmp_path / f".proman-script-{n}-1.part-journal" for n in (1, 2))
    for one in (old, new):
        one.touch()
    day_ago = time.time() - 86_500
    os.utime(old, (day_ago, day_ago))
    assert durable.sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [new]
