"""A server that runs as one user beside commands that root runs on the same installation."""

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.database.test_private_files import FLASK, can_be_another, flask
from tests.people import Person
from tests.servers import ROOT, environment_of, installation, serving

SERVER = 10001


@pytest.fixture
def theirs(migrated_file: Path) -> Iterator[Path]:
    """A data directory that belongs to the user whom the server runs as, as its database does."""
    if not can_be_another():
        pytest.skip("needs root, and a Python that other users can run")
    home = Path(tempfile.mkdtemp(prefix="proman-users-"))
    home.chmod(0o755)
    folder = installation(home / "data", migrated_file)
    folder.chmod(0o700)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, SERVER, 0)
    yield folder
    shutil.rmtree(home)


def as_server(folder: Path, *words: str) -> str:
    return flask(folder, *words, user=SERVER)


def test_a_file_that_only_root_can_read_stops_no_night(theirs: Path) -> None:
    backups = theirs / "backups"
    as_server(theirs, "demo", "load", "--leases", "3", "--months", "1")
    made = Path(as_server(theirs, "database", "backup").strip())
    closed = shutil.copyfile(made, backups / "proman-20200101-020000.sqlite")
    found = shutil.copyfile(made, backups / "proman-20200201-020000.sqlite")
    closed.chmod(0o600)
    os.chown(found, SERVER, 0)
    as_server(theirs, "database", "prune")
    listed = json.loads(as_server(theirs, "database", "backups", "--json"))["backups"]
    verified = {one["name"] for one in listed if one["verified"]}
    assert verified == {made.stem, found.stem}
    told = json.loads(as_server(theirs, "database", "status", "--json"))["warnings"]
    assert [one for one in told if closed.name in one and "cannot be read by the user" in one]


def strangers(folder: Path) -> dict[str, int]:
    """What of the installation does not belong to the user whom the server runs as."""
    every = {str(path.relative_to(folder)): path.lstat().st_uid for path in folder.rglob("*")}
    return {name: owner for name, owner in every.items() if owner != SERVER}


def test_what_root_makes_and_restores_belongs_to_the_server(theirs: Path) -> None:
    load = ("demo", "load", "--leases", "3", "--months", "1", "--password", "a b c d e f g")
    as_server(theirs, *load)
    made = Path(flask(theirs, "database", "backup").strip())
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert strangers(theirs) == {}
    flask(theirs, "database", "restore", made.name, "--yes")
    flask(theirs, "database", "drill")
    assert strangers(theirs) == {}
    with serving(theirs, user=SERVER) as server:
        assert requests.get(f"{server.url}/readyz", timeout=30).status_code == 200
        admin = Person(server.url, "admin@example.com", "a b c d e f g")
        assert admin.get("/admin/database").status_code == 200
        made.parent.chmod(0)
        os.chown(made.parent, 0, 0)
        told = admin.get("/admin/database")
        assert told.status_code == 422
        assert f"The backups in {made.parent} cannot be read: Permission denied." in told.text
        os.chown(made.parent, SERVER, 0)
        made.parent.chmod(0o700)
        os.chown(theirs / "session.epoch", 0, 0)
        told = admin.get("/")
        assert told.status_code == 503
        assert "may not use one of its own files" in told.text
        assert server.wait_for("session.epoch")
        os.chown(theirs / "session.epoch", SERVER, 0)
    assert Path(as_server(theirs, "database", "backup").strip()).exists()


def test_what_the_script_makes_for_root_belongs_to_the_owner_of_the_directory(theirs: Path) -> None:
    database = theirs / "proman.sqlite"
    script = str(ROOT / "scripts" / "db-backup.sh")
    for directory in (theirs / "new", theirs / "new"):
        subprocess.run([script, str(database), str(directory)], check=True)
    assert len(list(directory.glob("*.sqlite"))) == 2
    assert strangers(theirs) == {}


def test_root_gives_away_nothing_that_lies_elsewhere(theirs: Path) -> None:
    """Who may write in the directory could else have root hand over any file."""
    secret = theirs.parent / "root.txt"
    secret.write_text("root's own")
    (theirs / "ops.lock").unlink(missing_ok=True)
    (theirs / "ops.lock").symlink_to(secret)
    flask(theirs, "database", "backup")
    assert secret.stat().st_uid == 0
    hard = theirs / "alarm.txt"
    hard.hardlink_to(secret)
    (theirs / "ops.lock").unlink()
    hard.rename(theirs / "ops.lock")
    flask(theirs, "database", "backup")
    assert secret.stat().st_uid == 0


def test_a_directory_that_the_server_may_not_read_is_told_in_a_sentence(theirs: Path) -> None:
    backups = theirs / "backups"
    as_server(theirs, "demo", "load", "--leases", "3", "--months", "1")
    backups.mkdir(mode=0o700)
    done = subprocess.run(
        [FLASK, "database", "status"],
        cwd=ROOT,
        env=environment_of(theirs),
        user=SERVER,
        group=0,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"The backups in {backups} cannot be read: Permission denied."
    )
