"""Who may read what an installation keeps, told by its files as a real process makes them."""

import contextlib
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.servers import ROOT, environment_of, serving
from tests.servers import flask as run_flask

FLASK = str(Path(sys.executable).parent / "flask")


def flask(folder: Path, *words: str, user: int | None = None) -> str:
    """Run a command as an operator does, with the usual umask."""
    who = {} if user is None else {"user": user, "group": 0, "extra_groups": []}
    done = subprocess.run(
        [FLASK, *words],
        cwd=ROOT,
        env=environment_of(folder),
        umask=0o022,
        capture_output=True,
        text=True,
        check=False,
        **who,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rights(folder: Path) -> dict[str, str]:
    """The rights of every file in the folder, by its path there."""
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nobody_else_reads_what_an_installation_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    flask(folder, "db", "upgrade")
    flask(folder, "demo", "load", "--leases", "5", "--months", "1", "--password", "a b c d e f g")
    flask(folder, "database", "backup")
    with serving(folder) as server:
        assert requests.get(f"{server.url}/readyz", timeout=30).status_code == 200
        found = rights(folder)
    assert {"proman.sqlite", "proman.sqlite-wal", "proman.sqlite-shm", "secret.key"} <= set(found)
    assert set(found.values()) == {"0o600"}, found
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    flask(tmp_path, "db", "upgrade")
    (tmp_path / "proman.sqlite").chmod(0o644)
    flask(tmp_path, "db", "current")
    assert rights(tmp_path)["proman.sqlite"] == "0o600"


def can_be_another() -> bool:
    """Whether this process can start ProMan's Python as another user."""
    try:
        subprocess.run([sys.executable, "-c", ""], user=10001, group=0, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@pytest.fixture
def volume() -> Iterator[Path]:
    """A volume as the image makes it: its group may write."""
    folder = Path(tempfile.mkdtemp(prefix="proman-volume-"))
    folder.chmod(0o770)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("kind", ["folder", "text", "database"])
def test_what_is_named_as_the_database_by_mistake_keeps_its_rights(
    tmp_path: Path, kind: str
) -> None:
    named = tmp_path / "everybodys"
    if kind == "folder":
        named.mkdir()
    elif kind == "text":
        named.write_text("root:x:0:0:root:/root:/bin/bash\n" * 20)
    else:
        with contextlib.closing(sqlite3.connect(named)) as other:
            other.execute("CREATE TABLE theirs (id INTEGER)")
    named.chmod(0o755)
    address = f"sqlite:///{named}"
    done = run_flask(tmp_path / "data", "db", "upgrade", DATABASE_URL=address)
    assert done.returncode == 1
    assert stat.S_IMODE(named.stat().st_mode) == 0o755


def test_on_a_volume_for_a_group_the_group_may_what_the_owner_may(volume: Path) -> None:
    flask(volume, "db", "upgrade")
    flask(volume, "database", "backup")
    found = rights(volume)
    assert found["proman.sqlite"] == found["secret.key"] == "0o660"
    assert set(found.values()) == {"0o660"}, found


def test_a_volume_serves_whichever_user_the_platform_chooses(volume: Path) -> None:
    if not can_be_another():
        pytest.skip("needs root, and a Python that other users can run")
    for user in (10001, 1_000_650_000):
        flask(volume, "db", "upgrade", user=user)
        flask(volume, "database", "backup", user=user)
        assert "verified" in flask(volume, "database", "backups", "--json", user=user)
    owners = {path.stat().st_uid for path in volume.rglob("*") if path.is_file()}
    assert owners == {10001, 1_000_650_000}
