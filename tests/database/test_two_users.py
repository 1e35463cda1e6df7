"""A server that runs as one user beside commands that root runs on the same installation."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database.test_private_files import can_be_another, flask
from tests.servers import installation

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
