"""Uploaded documents in backups: each once, proven, back with a restore, never lost in silence."""

import hashlib
import io
import json
import os
import shutil
import signal
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from proman.app import create_app
from proman.base.errors import Refused
from proman.database import (
    archive,
    catalogue,
    contents,
    documents,
    nightly,
    restore,
    restores,
    sources,
    status,
)
from proman.database.backup import back_up
from proman.database.contents import Content
from proman.database.rules import Retention
from proman.database.verifying import drill, verify, verify_listed
from proman.db import db, utc_now
from proman.files.models import Document
from proman.identity.session import acting_for
from proman.settings import Settings
from tests import factories, processes
from tests.database.conftest import House

LEASE, PHOTO = b"signed by both", b"\xff\xd8\xff kitchen"


def add(house: House, name: str, content: bytes, lease: int | None = None) -> Content:
    with acting_for(house.organization):
        one = factories.make_document(lease or factories.make_lease(), name, content)
        row = db.session.get_one(Document, one)
        return Content(row.sha256, row.size_bytes, row.name)


@pytest.fixture
def furnished(anywhere: House) -> tuple[House, Content, Content]:
    """A house with two documents, one of them on two leases."""
    lease = add(anywhere, "Lease.txt", LEASE)
    add(anywhere, "Lease again.txt", LEASE)
    return anywhere, lease, add(anywhere, "Kitchen.jpg", PHOTO)


@pytest.fixture
def here(house: House) -> tuple[House, Content, Content]:
    return house, add(house, "Lease.txt", LEASE), add(house, "Kitchen.jpg", PHOTO)


def pool(house: House) -> Path:
    return documents.folder_of(house.site.backup_dir)


def held(folder: Path) -> set[str]:
    return {sha256 for sha256, _ in contents.every(folder)}


def spoil(folder: Path, one: Content) -> None:
    path = contents.path_of(folder, one.sha256)
    path.write_bytes(b"?" * path.stat().st_size)


def restored(house: House, one: restores.Restore) -> restores.Restore:
    one = restore.judge_and_stage(house.site, one.id)
    if one.stage != "ready":
        return one
    restores.confirm(house.folder, one.id)
    return restore.carry_out(house.site, one.id, db.engine.dispose)


def upload(house: House, content: bytes, name: str = "b.tar") -> restores.Restore:
    return sources.from_upload(house.site, io.BytesIO(content), name, "Alice", house.alice)


@pytest.mark.engines
def test_documents_come_back_from_the_list_and_from_an_archive(furnished):
    house, lease, photo = furnished
    made = back_up(house.site, "manual", "Alice")
    assert {one.sha256: one.size for one in made.manifest.documents} == {
        lease.sha256: lease.size,
        photo.sha256: photo.size,
    }
    assert held(pool(house)) == {lease.sha256, photo.sha256}
    assert made.lacking == ()
    assert drill(house.site, None, "Alice").name == made.name
    tar = archive.archive_of(made).read_all()
    with tarfile.open(fileobj=io.BytesIO(tar)) as members:
        assert len(members.getnames()) == 4
    for of in ("list", "archive"):
        shutil.rmtree(house.site.files_dir)
        if of == "list":
            one = sources.from_list(house.site, made.name, "Alice", house.alice)
        else:
            shutil.rmtree(pool(house))
            one = upload(house, tar)
        done = restored(house, one)
        assert (done.stage, done.findings.documents_missing) == ("done", 0), done.fault
        for each in (lease, photo):
            assert contents.is_good(house.site.files_dir, each)
    assert not list((house.folder / "restores").rglob("files"))


def test_a_second_backup_copies_nothing_anew(here):
    house, _lease, _photo = here
    back_up(house.site, "manual", "Alice")
    before = {path: path.stat().st_ino for _, path in contents.every(pool(house))}
    add(house, "More.txt", b"more")
    back_up(house.site, "manual", "Alice")
    after = {path: path.stat().st_ino for _, path in contents.every(pool(house))}
    assert before.items() <= after.items()
    assert len(after) == 3
    inodes = {path.stat().st_ino for _, path in contents.every(house.site.files_dir)}
    assert inodes.isdisjoint(after.values())


def test_another_directory_has_a_pool_of_its_own(here, tmp_path):
    house, lease, photo = here
    made = back_up(house.site, "manual", "Alice", tmp_path / "elsewhere")
    assert held(tmp_path / "elsewhere/files") == {lease.sha256, photo.sha256}
    assert not pool(house).exists()
    shutil.rmtree(house.site.files_dir)
    done = restored(house, sources.from_file(house.site, made.path, "Alice"))
    assert (done.stage, done.findings.documents_missing) == ("done", 0)
    assert contents.is_good(house.site.files_dir, lease)


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_document_that_is_not_whole_is_named_and_the_database_saved(here, how):
    house, lease, photo = here
    if how == "lost":
        contents.path_of(house.site.files_dir, lease.sha256).unlink()
    else:
        spoil(house.site.files_dir, lease)
    made = back_up(house.site, "manual", "Alice")
    assert made.is_verified
    assert [one.name for one in made.lacking] == ["Lease.txt"]
    assert held(pool(house)) == {photo.sha256}
    warnings = status.status(house.site, utc_now()).warnings
    assert any("lacks 1 document" in one and "Lease.txt" in one for one in warnings)
    with pytest.raises(Refused, match=r"Lease\.txt"):
        drill(house.site, None, "Alice")
    assert catalogue.backup_named(house.site.backup_dir, made.name).proven_at is None
    client = house.client()
    assert "Documents missing" in client.get("/admin/database").text
    assert "Lease.txt" in client.get(f"/admin/database/backups/{made.name}/details").text
    one = sources.from_list(house.site, made.name, "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    assert (one.findings.documents, one.findings.documents_missing) == (2, 1)
    assert any("Lease.txt" in each for each in one.findings.warnings)
    house.client()
    contents.keep(house.site.files_dir, io.BytesIO(LEASE), 100)
    assert back_up(house.site, "manual", "Alice").lacking == ()


def test_damage_in_the_pool_is_caught_and_the_next_look_copies_it_anew(here):
    house, _lease, photo = here
    made = back_up(house.site, "manual", "Alice")
    spoil(pool(house), photo)
    with pytest.raises(Refused, match=r"1 document is missing or damaged: Kitchen\.jpg"):
        verify(house.site, made.path)
    with pytest.raises(Refused, match=r"Kitchen\.jpg"):
        drill(house.site, None, "Alice")
    assert catalogue.backup_named(house.site.backup_dir, made.name).lacking == (photo,)
    assert verify_listed(house.site, made.name, "Alice").lacking == ()
    assert verify(house.site, made.path).warnings == ()
    spoil(pool(house), photo)
    contents.path_of(house.site.files_dir, photo.sha256).unlink()
    with pytest.raises(Refused, match=r"The database in it is good, but .*Kitchen\.jpg"):
        verify_listed(house.site, made.name, "Alice")


def test_what_the_data_directory_lost_a_backup_puts_back(here):
    house, lease, _photo = here
    back_up(house.site, "manual", "Alice")
    shutil.rmtree(house.site.files_dir)
    runner = house.app.test_cli_runner()
    told = json.loads(runner.invoke(args=["doctor", "--json"]).output)["breaches"]
    assert {one["invariant"] for one in told} == {"A document's content is there"}
    assert back_up(house.site, "manual", "Alice").lacking == ()
    assert contents.is_good(house.site.files_dir, lease)
    assert json.loads(runner.invoke(args=["doctor", "--json"]).output)["ok"]


def test_a_bare_file_says_how_many_are_missing_before_it_is_confirmed(here, tmp_path):
    house, _lease, photo = here
    made = back_up(house.site, "manual", "Alice")
    bare = tmp_path / "bare.sqlite"
    shutil.copy(made.path, bare)
    assert "missing" in verify(house.site, bare).warnings[0]
    contents.path_of(house.site.files_dir, photo.sha256).unlink()
    one = upload(house, bare.read_bytes(), "bare.sqlite")
    one = restore.judge_and_stage(house.site, one.id)
    assert (one.findings.documents, one.findings.documents_missing) == (2, 1)
    assert "Kitchen.jpg" in sources.in_words(one)


def test_retention_keeps_what_a_manifest_needs_and_removes_the_rest(here):
    house, lease, photo = here
    back_up(house.site, "manual", "Alice")
    house.sql("DELETE FROM documents WHERE name = 'Kitchen.jpg'")
    for _ in range(3):
        back_up(house.site, "manual", "Alice")
    assert held(pool(house)) == {lease.sha256, photo.sha256}
    site, later = house.site, utc_now() + timedelta(days=1)
    object.__setattr__(site, "retention", Retention(1, 0, 0, 0))
    bare = site.backup_dir / "proman-20200101-020000.sqlite"
    bare.write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    nightly.prune(site, "Alice", later)
    assert held(pool(house)) == {lease.sha256, photo.sha256}, "nobody knows what the junk needs"
    bare.unlink()
    nightly.prune(site, "Alice", later)
    assert held(pool(house)) == {lease.sha256}


def test_the_sweep_takes_only_what_is_old_and_needed_by_nothing(here):
    house, lease, photo = here
    store = house.site.files_dir
    old, new = (contents.keep(store, io.BytesIO(each), 100) for each in (b"old", b"new"))
    week_ago = utc_now().timestamp() - 8 * 86_400
    back_up(house.site, "manual", "Alice")
    house.sql("DELETE FROM documents WHERE name = 'Kitchen.jpg'")
    for each in (old, lease, photo):
        os.utime(contents.path_of(store, each.sha256), (week_ago, week_ago))
    with contents.in_use(store):
        assert documents.sweep(house.site) == 0
    assert documents.sweep(house.site) == 1
    assert held(store) == {new.sha256, lease.sha256, photo.sha256}
    made = catalogue.backups_in(house.site.backup_dir)[0]
    catalogue.delete(made)
    assert documents.sweep(house.site) == 1
    assert held(store) == {new.sha256, lease.sha256}


def test_a_document_lost_between_the_look_and_the_restore_changes_nothing(here):
    house, _lease, photo = here
    made = back_up(house.site, "manual", "Alice")
    shutil.rmtree(house.site.files_dir)
    one = sources.from_list(house.site, made.name, "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    spoil(pool(house), photo)
    house.rename("later")
    restores.confirm(house.folder, one.id)
    done = restore.carry_out(house.site, one.id, db.engine.dispose)
    assert done.stage == "failed"
    assert "Kitchen.jpg" in done.fault
    assert house.name() == "later"


def tar_of(made: catalogue.Backup, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], Any]):
    """The archive of a backup with its members changed."""
    with tarfile.open(fileobj=io.BytesIO(archive.archive_of(made).read_all())) as tar:
        members = [(one, tar.extractfile(one).read()) for one in tar.getmembers()]
    change(members)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return out.getvalue()


def named(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "" if kind == tarfile.REGTYPE else "/etc/hostname"
    return info


_HI = hashlib.sha256(b"hi").hexdigest()
UNKNOWN = f"files/{_HI[:2]}/{_HI[2:]}"
HOSTILE = {
    "traversal": lambda m: m.append((named("files/../../x"), b"x")),
    "absolute": lambda m: m.append((named("/files/ab/" + "c" * 62), b"x")),
    "symlink": lambda m: m.append((named(UNKNOWN, tarfile.SYMTYPE), b"")),
    "hard link": lambda m: m.append((named(UNKNOWN, tarfile.LNKTYPE), b"")),
    "wrong hash": lambda m: m.__setitem__(-1, (m[-1][0], b"?" * len(m[-1][1]))),
    "other size": lambda m: m.__setitem__(-1, (m[-1][0], m[-1][1] + b"x" * 9000)),
    "twice": lambda m: m.append(m[-1]),
    "unknown": lambda m: m.append((named(UNKNOWN), b"hi")),
    "empty": lambda m: m.append((named("files/ab/" + "c" * 62), b"")),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(here, what):
    house, _, _ = here
    made = back_up(house.site, "manual", "Alice")
    before = held(house.site.files_dir)
    one = restore.judge_and_stage(house.site, upload(house, tar_of(made, HOSTILE[what])).id)
    assert one.stage == "refused", what
    left = [path.name for path in (house.folder / "restores" / one.id).iterdir()]
    assert set(left) <= {"state.json", "running.lock"}
    assert held(house.site.files_dir) == before


def back_up_and_die(settings: Settings, calls: int) -> None:
    """Makes a backup and dies by KILL before the given call that the disk would remember."""
    done, real = 0, os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal done
        done += 1
        if done == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        real(descriptor)

    os.fsync = fsync
    app = create_app(settings)
    with app.app_context():
        back_up(app.extensions["proman_installation"], "manual", "Alice")


@pytest.mark.fault(
    "Kill during a backup",
    how="SIGKILL at each step, with documents",
    outcome="whole with its documents, or not listed",
)
def test_a_kill_at_any_step_leaves_a_whole_backup_or_none(here, tmp_path):
    house, _lease, _photo = here
    for calls in range(1, 60):
        code, said = processes.start(tmp_path, back_up_and_die, house.site.settings, calls).end()
        for made in catalogue.backups_in(house.site.backup_dir):
            assert made.manifest is not None
            assert verify(house.site, made.path).warnings == ()
        if code == 0:
            break
    else:
        pytest.fail(f"it was never done: {said}")
    back_up(house.site, "manual", "Alice")
    nightly.tidy(house.site)
    assert list(house.site.backup_dir.rglob(".proman-*.partial")) == []
