"""Backups that lie elsewhere: judged by what they are and by the manifest that came with them."""

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from proman.app import create_app
from proman.base.errors import Refused
from proman.database import archive, catalogue, restore, sources, verifying
from proman.database.backup import back_up
from proman.database.driver import sqlite3


@pytest.fixture
def usb(house, tmp_path) -> Path:
    """A backup and its manifest on another disk, no longer in the list."""
    made = back_up(house.site, "manual", "Alice")
    folder = tmp_path / "usb"
    folder.mkdir()
    for path in (made.path, catalogue.manifest_path(made.path)):
        shutil.move(path, folder / path.name)
    return folder / made.path.name


def tamper(file: Path, statement: str = "UPDATE organizations SET legal_name = 'Mallory'") -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def as_archive(file: Path) -> Path:
    backup = catalogue.backup_named(file.parent, file.stem)
    tar = file.with_suffix(".tar")
    tar.write_bytes(archive.archive_of(backup).read_all())
    return tar


def run(house, *words: object):
    return house.app.test_cli_runner().invoke(args=["database", *map(str, words)])


@pytest.mark.faults
def test_a_file_that_its_manifest_does_not_describe_is_refused_everywhere(house, usb):
    tamper(usb)
    house.rename("after")
    for words in (("verify", usb), ("drill", usb), ("restore", usb, "--yes")):
        done = run(house, *words)
        assert done.exit_code == 1
        assert "SHA-256 differs" in done.stderr
    assert house.name() == "after"


def test_the_same_file_without_its_manifest_is_taken_for_what_it_holds(house, usb):
    tamper(usb)
    catalogue.manifest_path(usb).unlink()
    assert run(house, "restore", usb, "--yes").exit_code == 0
    assert house.name() == "Mallory"


def test_the_manifest_says_when_a_renamed_file_was_taken(house, usb):
    renamed = usb.rename(usb.with_name("kept.sqlite"))
    catalogue.manifest_path(usb).rename(catalogue.manifest_path(renamed))
    one = sources.from_file(house.site, renamed, "Alice")
    found = restore.judge_and_stage(house.site, one.id).findings
    assert found.taken_at == verifying.manifests.read(renamed.with_suffix(".json")).created_at


def test_verify_and_drill_take_a_file_and_an_archive_from_anywhere(house, usb, monkeypatch, files):
    tar = as_archive(usb)
    monkeypatch.chdir(usb.parent)
    before = files()
    for one in (usb, tar, Path(usb.name), Path(tar.name)):
        done = run(house, "verify", one)
        assert done.exit_code == 0, done.stderr
        assert "is good" in done.stdout
        done = run(house, "drill", one)
        assert done.exit_code == 0, done.stderr
        assert f"{usb.stem} restores" in done.stdout
    assert files() - before <= {"ops.lock", "last-drill.json"}


def test_verify_knows_a_listed_backup_by_name_and_by_path(house):
    made = back_up(house.site, "manual", "Alice")
    for words in (made.name, made.path.name, made.path):
        done = run(house, "verify", words)
        assert done.exit_code == 0, done.stderr
        assert f"{words} is good" in done.stdout
    made.path.write_bytes(made.path.read_bytes()[:-1])
    assert "incomplete" in run(house, "verify", made.name).stderr
    assert run(house, "verify", "proman-20200101-020000").exit_code == 1


def test_a_drill_knows_a_listed_backup_by_name_and_by_path(house):
    made = back_up(house.site, "manual", "Alice")
    for words in (made.name, made.path.name, made.path):
        proven = replace(made.manifest, proven_at=None)
        verifying.manifests.write(catalogue.manifest_path(made.path), proven)
        assert run(house, "drill", words).exit_code == 0
        assert catalogue.backup_named(house.site.backup_dir, made.name).proven_at is not None


def test_a_file_beside_the_backups_that_is_none_of_them_is_taken_too(house, usb):
    beside = Path(shutil.copy(usb, house.site.backup_dir / "kept.sqlite"))
    assert run(house, "drill", beside).exit_code == 0
    assert run(house, "restore", beside, "--yes").exit_code == 0


@pytest.mark.parametrize("command", ["verify", "drill"])
def test_what_is_not_there_is_one_line(house, command):
    done = run(house, command, "/nowhere/proman-20260101-020000.tar")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "There is no file /nowhere/" in done.stderr


def test_an_archive_whose_database_was_changed_is_refused(house, usb):
    tar = as_archive(usb)
    content = tar.read_bytes()
    at = content.index(b"Alice", content.index(b"SQLite format 3"))
    tar.write_bytes(content[:at] + b"Bobby" + content[at + 5 :])
    done = run(house, "verify", tar)
    assert done.exit_code == 1
    assert "SHA-256 differs" in done.stderr


def test_verify_refuses_what_no_administrator_could_sign_in_to(house, usb):
    catalogue.manifest_path(usb).unlink()
    tamper(usb, "UPDATE users SET password_hash = NULL")
    with pytest.raises(Refused, match="no active administrator"):
        verifying.verify(house.site, usb)


def test_a_backup_made_under_another_secret_key_is_pointed_out(house, usb):
    one = sources.from_file(house.site, usb, "Alice")
    assert restore.judge_and_stage(house.site, one.id).findings.warnings == []
    other = create_app(replace(house.site.settings, secret_key="another"))
    with other.app_context():
        site = other.extensions["proman_installation"]
        one = sources.from_file(site, usb, "Alice")
        (warning,) = restore.judge_and_stage(site, one.id).findings.warnings
    assert "another secret key" in warning


def test_broken_books_are_told_of_a_backup_and_refused_of_a_bare_file(house):
    house.sql(
        "INSERT INTO entries (event, effective_on, recorded_at, organization_id)"
        " VALUES ('expense', '2026-01-01', '2026-01-01 00:00:00', 1)"
    )
    made = back_up(house.site, "manual", "Alice")
    one = sources.from_list(house.site, made.name, "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    assert any("The books in this file are broken" in each for each in one.findings.warnings)
    bare = Path(shutil.copy(made.path, house.folder / "bare.sqlite"))
    one = restore.judge_and_stage(house.site, sources.from_file(house.site, bare, "Alice").id)
    assert one.stage == "refused"
    assert "The books in this file are broken" in one.fault
    assert "by hand" in one.fault
