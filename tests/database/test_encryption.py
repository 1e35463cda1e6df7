"""Backups that a passphrase keeps: made, proven and restored, and closed to everybody else."""

import io
import shutil
import tarfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from proman.base.errors import Refused
from proman.database import (
    archive,
    catalogue,
    contents,
    documents,
    keys,
    nightly,
    restore,
    restores,
    sealing,
    sources,
)
from proman.database import status as standing
from proman.database.backup import CHECKS, DECRYPTED, back_up
from proman.database.rules import Retention
from proman.database.sealing import Locked
from proman.database.verifying import drill, verify, verify_listed
from proman.db import db, utc_now
from proman.settings import Settings
from tests.database.conftest import House
from tests.database.locking import (
    LATER,
    OURS,
    WRONG,
    everything,
    found_in,
    readable_in,
)

PAGE = "/admin/database"


def restored(house: House, one: restores.Restore, passphrase: str | None = None):
    one = restore.judge_and_stage(house.site, one.id, passphrase=passphrase)
    if one.stage != "ready":
        return one
    restores.confirm(house.folder, one.id)
    return restore.carry_out(house.site, one.id, db.engine.dispose)


def spoil(path: Path, how: str) -> None:
    content = path.read_bytes()
    at = len(content) // 2
    flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    path.write_bytes({"flipped": flipped, "truncated": content[:at]}[how])


@pytest.mark.engines
def test_an_encrypted_backup_is_proven_and_restored_with_its_documents(locked):
    house, made, lease = locked
    assert made.path.name.endswith(".sqlite.age")
    assert (made.is_verified, made.is_encrypted) == (True, True)
    assert made.manifest.checks == (DECRYPTED, *CHECKS)
    assert made.size == made.path.stat().st_size == made.manifest.size_bytes
    assert readable_in(house.site.backup_dir) == []
    assert "Ann" not in catalogue.manifest_path(made.path).read_text()
    assert drill(house.site, None, "Alice").name == made.name
    assert verify(house.site, made.path).documents == (lease,)
    shutil.rmtree(house.site.files_dir)
    done = restored(house, sources.from_list(house.site, made.name, "Alice", house.alice))
    assert (done.stage, done.findings.documents_missing) == ("done", 0), done.fault
    assert house.name() == "before"
    assert contents.is_good(house.site.files_dir, lease)
    safety = catalogue.backup_named(house.site.backup_dir, done.safety)
    assert (safety.is_verified, safety.is_encrypted) == (True, True)
    undone = restored(house, sources.from_list(house.site, safety.name, "Alice", house.alice))
    assert (undone.stage, house.name()) == ("done", "after")
    nightly.tidy(house.site)
    assert readable_in(house.folder / "restores") == []
    assert not list(house.folder.rglob(".proman-*.partial"))


@pytest.mark.engines
def test_an_archive_restores_where_only_the_passphrase_is_known(locked, set_to):
    house, made, lease = locked
    content = archive.archive_of(made).read_all()
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        assert len(members.getnames()) == 4
    assert found_in(content) == []
    set_to(house, None)
    shutil.rmtree(house.site.backup_dir)
    shutil.rmtree(house.site.files_dir)
    one = sources.from_upload(house.site, io.BytesIO(content), "b.tar", "Alice", house.alice)
    done = restored(house, one, OURS)
    assert (done.stage, house.name()) == ("done", "before"), done.fault
    assert contents.is_good(house.site.files_dir, lease)
    assert OURS not in (house.folder / "restores" / one.id / restores.STATE).read_text()


def send(browser: FlaskClient, data: dict[str, object]) -> tuple[int, str]:
    """Status and text of the answer to a restore that is asked for."""
    answer = browser.post(f"{PAGE}/restores", data=data)
    answer.request.input_stream.close()
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.fault(
    "Wrong passphrase",
    how="typed for a backup of the list, a file and an archive, on the page and by command",
    outcome="said beside its field, or in one line; nothing changed, nothing left behind",
)
@pytest.mark.parametrize("what", ["list", "file", "archive", "command"])
def test_a_wrong_passphrase_changes_nothing(locked, set_to, what):
    house, made, _ = locked
    set_to(house, LATER)
    content = archive.archive_of(made).read_all() if what == "archive" else made.path.read_bytes()
    alice = house.client()
    before, page = everything(house.folder), ""
    if what == "command":
        place = house.folder.parent / "typed"
        place.write_text(WRONG)
        options = ["--yes", "--passphrase-file", str(place)]
        run = house.app.test_cli_runner()
        said = run.invoke(args=["database", "restore", made.name, *options])
        assert said.exit_code == 1
        assert len(said.stderr.strip().splitlines()) == 1
        page = said.stderr
    else:
        sent = {"name": made.name} if what == "list" else {"file": (io.BytesIO(content), "b")}
        status, page = send(alice, {**sent, "passphrase": WRONG})
        assert status == 422
        assert 'aria-describedby="passphrase-hint passphrase-error"' in page
        assert WRONG not in page
    assert keys.WRONG in page
    assert house.name() == "after"
    assert everything(house.folder) == before
    in_list = what in ("list", "command")
    right = {"name": made.name} if in_list else {"file": (io.BytesIO(content), "b")}
    assert send(alice, {**right, "passphrase": OURS})[0] == 303


def test_without_the_passphrase_they_are_listed_and_nobody_calls_them_bad(locked, set_to):
    house, made, _ = locked
    set_to(house, None)
    for act in (
        lambda: drill(house.site, None, "Alice"),
        lambda: verify(house.site, made.path),
        lambda: verify_listed(house.site, made.name, "Alice"),
    ):
        with pytest.raises(Locked, match="no passphrase is set"):
            act()
    again = catalogue.backup_named(house.site.backup_dir, made.name)
    assert (again.is_verified, again.manifest.fault) == (True, None)
    (warning,) = keys.warnings(house.site, [again])
    assert "PROMAN_BACKUP_PASSPHRASE is not set" in warning
    assert warning in standing.status(house.site, utc_now()).warnings
    client = house.client()
    assert "encrypted" in client.get(PAGE).get_data(as_text=True)
    assert client.get(f"{PAGE}/backups/{made.name}/details").status_code == 200
    answer = client.post(f"{PAGE}/restores", data={"name": made.name})
    assert answer.status_code == 422
    assert "no passphrase is set" in answer.get_data(as_text=True)
    plain = back_up(house.site, "manual", "Alice")
    assert (plain.is_verified, plain.is_encrypted) == (True, False)
    assert documents.prune(house.site, house.site.backup_dir) == 0
    set_to(house, OURS)
    assert drill(house.site, made.path, "Alice").name == made.name


def test_another_passphrase_gets_another_key_and_the_old_one_opens_what_it_did(locked, set_to):
    house, made, lease = locked
    set_to(house, LATER)
    newer = back_up(house.site, "manual", "Alice")
    assert newer.manifest.recipient != made.manifest.recipient
    assert drill(house.site, None, "Alice").name == newer.name
    with pytest.raises(Locked, match="not with the passphrase that is set now"):
        verify(house.site, made.path)
    assert verify(house.site, made.path, passphrase=OURS).documents == (lease,)
    (warning,) = keys.warnings(house.site, catalogue.backups_in(house.site.backup_dir))
    assert warning.startswith("One backup is encrypted with an earlier passphrase")
    shutil.rmtree(house.site.files_dir)
    done = restored(house, sources.from_list(house.site, made.name, "Alice", house.alice), OURS)
    assert (done.stage, house.name()) == ("done", "before"), done.fault
    assert contents.is_good(house.site.files_dir, lease)


def test_retention_keeps_the_documents_of_each_key_as_long_as_a_backup_needs_them(locked, set_to):
    house, made, _ = locked
    folder = documents.folder_of(house.site.backup_dir)
    plain = back_up(replace(house.site, settings=_without(house)), "manual", "Alice")
    set_to(house, LATER)
    back_up(house.site, "manual", "Alice")
    assert len([one for one in folder.rglob("*") if one.is_file()]) == 3
    for one in (made, plain):
        catalogue.delete(one)
        assert documents.prune(house.site, house.site.backup_dir) == 1
    (left,) = (one for one in folder.rglob("*") if one.is_file())
    assert left.suffix == ".age"
    assert drill(house.site, None, "Alice")


def _without(house: House) -> Settings:
    return replace(house.site.settings, backup_passphrase=None)


@pytest.mark.parametrize("how", ["flipped", "truncated"])
@pytest.mark.parametrize("is_listed", [True, False])
def test_a_spoiled_file_is_told(locked, tmp_path, how, is_listed):
    house, made, _ = locked
    spoil(made.path, how)
    if not is_listed:
        catalogue.manifest_path(made.path).unlink()
        with pytest.raises(Refused, match="damaged or was cut short"):
            verify(house.site, made.path)
        return
    with pytest.raises(Refused, match="damaged or was cut short"):
        verify_listed(house.site, made.name, "Alice")
    again = catalogue.backup_named(house.site.backup_dir, made.name)
    assert not again.is_verified
    assert "damaged" in again.manifest.fault
    assert not list(house.folder.rglob(".proman-*.partial"))


@pytest.mark.parametrize("how", ["flipped", "truncated", "gone"])
def test_a_spoiled_document_is_named_and_copied_anew(locked, how):
    house, made, lease = locked
    folder = documents.folder_of(house.site.backup_dir)
    (sealed,) = (one for one in folder.rglob("*.age"))
    if how == "gone":
        sealed.unlink()
    else:
        spoil(sealed, how)
    with pytest.raises(Refused, match="1 document is missing or damaged"):
        verify(house.site, made.path)
    assert verify_listed(house.site, made.name, "Alice").lacking == ()
    assert verify(house.site, made.path).documents == (lease,)


def test_a_file_of_another_key_is_not_taken_for_its_manifests(locked, made_keys):
    house, made, _ = locked
    other = house.folder / "other.age"
    with sources.readable(house.site, made) as plain:
        sealing.encrypt(plain, other, made_keys[LATER])
    other.replace(made.path)
    with pytest.raises(Locked, match="another key"):
        verify(house.site, made.path)


def test_an_encrypted_file_without_a_manifest_is_verified_with_the_key_beside_it(locked):
    house, made, lease = locked
    catalogue.manifest_path(made.path).unlink()
    found = verify_listed(house.site, made.name, "Alice")
    assert (found.is_verified, found.reason) == (True, "found")
    assert found.manifest.name == made.path.name
    assert found.manifest.recipient == made.manifest.recipient
    assert [one.sha256 for one in found.manifest.documents] == [lease.sha256]
    assert drill(house.site, made.path, "Alice")


def test_a_key_that_somebody_removed_comes_back_from_the_manifests(locked):
    house, made, _ = locked
    lost = keys.file_of(house.site.backup_dir, made.manifest.recipient)
    lost.unlink()
    newer = back_up(house.site, "manual", "Alice")
    assert newer.manifest.recipient == made.manifest.recipient
    assert lost.read_text() == made.manifest.sealed_key


def test_a_copy_for_another_place_has_all_that_it_takes(locked, set_to, tmp_path):
    house, _, lease = locked
    made = back_up(house.site, "manual", "Alice", tmp_path / "elsewhere")
    catalogue.manifest_path(made.path).unlink()
    shutil.rmtree(house.site.backup_dir)
    shutil.rmtree(house.site.files_dir)
    set_to(house, None)
    done = restored(house, sources.from_file(house.site, made.path, "Alice"), OURS)
    assert done.stage == "done", done.fault
    assert contents.is_good(house.site.files_dir, lease)


def test_the_first_backup_makes_the_key_and_the_journal_tells(house, set_to):
    settings = replace(house.site.settings, backup_passphrase="nobody had this one before")
    site = replace(house.site, settings=settings)
    made = back_up(site, "manual", "Alice")
    key = keys.file_of(site.backup_dir, made.manifest.recipient)
    assert key.stat().st_mode & 0o077 == 0
    assert "new key" in (site.backup_dir / "journal.jsonl").read_text()
    assert "nobody had" not in "".join(one.read_text("latin-1") for one in everything(house.folder))


def test_retention_goes_over_encrypted_and_plain_ones(locked):
    house, made, _ = locked
    back_up(replace(house.site, settings=_without(house)), "manual", "Alice")
    for _ in range(3):
        back_up(house.site, "manual", "Alice")
    policy = Retention(last=3, daily=0, weekly=0, monthly=0)
    # Those of one second were given the next ones, which have to be over.
    soon = utc_now() + timedelta(minutes=1)
    removed = catalogue.prune(house.site.backup_dir, policy, soon)
    assert made.name in removed
    assert not made.path.exists()
    assert not catalogue.manifest_path(made.path).exists()
