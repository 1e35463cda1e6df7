"""A real server: killed in the middle of a restore, written to while it is backed up."""

import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from sqlalchemy import NullPool, create_engine
from urllib3.exceptions import HTTPError

from proman.app import MIGRATIONS, create_app
from proman.database import catalogue, restores
from proman.database.amending import LOCK
from proman.database.lock import holder
from proman.database.revisions import head_revision
from proman.db import db
from proman.doctor import examine
from tests import factories
from tests.conftest import make_settings
from tests.factories import PASSWORD
from tests.servers import ROOT, Server, environment_of, flask, installation, serving

HOME = "/admin/database"
BLOBS = 60
PATIENCE = 60


class Visitor:
    """Alice in a browser without JavaScript."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.session = requests.Session()
        answer = self.post("/login", email="alice@example.com", password=PASSWORD)
        assert answer.status_code == 303, answer.text

    def get(self, path: str, **options) -> requests.Response:
        return self.session.get(self.url + path, allow_redirects=False, timeout=PATIENCE, **options)

    def post(self, path: str, files=None, **fields: str) -> requests.Response:
        page = self.session.get(self.url + "/login", timeout=PATIENCE).text
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert token is not None, page
        return self.session.post(
            self.url + path,
            data={"csrf_token": token.group(1), **fields},
            files=files,
            allow_redirects=False,
            timeout=PATIENCE,
        )


@pytest.fixture
def folder(tmp_path: Path, migrated_file: Path) -> Path:
    """An installation of some size, so that copying it takes a moment."""
    folder = installation(tmp_path / "data", migrated_file)
    app = create_app(make_settings(folder))
    with app.app_context():
        home = factories.make_organization(legal_name="before")
        factories.make_user(home, "alice@example.com", "administrator", operator=True)
        db.session.remove()
        db.engine.dispose()
    with contextlib.closing(sqlite3.connect(folder / "proman.sqlite")) as live:
        live.executemany(
            "INSERT INTO organization_logos (organization_id, media_type, content, uploaded_at) "
            "VALUES (?, 'image/png', randomblob(1000000), '2026-01-01 00:00:00')",
            [(home,)] * BLOBS,
        )
        live.commit()
    return folder


def name_in(folder: Path) -> str:
    with contextlib.closing(sqlite3.connect(folder / "proman.sqlite")) as live:
        return str(live.execute("SELECT legal_name FROM organizations").fetchone()[0])


def rename(folder: Path, name: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "proman.sqlite")) as live:
        live.execute("UPDATE organizations SET legal_name = ?", (name,))
        live.commit()


def state_of(folder: Path, restore_id: str) -> dict[str, object]:
    path = folder / restores.FOLDER / restore_id / restores.STATE
    return json.loads(path.read_text())


def wait_until(folder: Path, restore_id: str, reached) -> dict[str, object]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        state = state_of(folder, restore_id)
        if reached(state):
            return state
        time.sleep(0.002)
    raise AssertionError(state)


def is_sound(folder: Path) -> None:
    engine = create_engine(f"sqlite:///{folder / 'proman.sqlite'}", poolclass=NullPool)
    with engine.connect() as connection:
        assert examine(connection, head_revision(MIGRATIONS)) == []
    engine.dispose()
    listed = catalogue.backups_in(folder / "backups")
    assert all(one.is_verified for one in listed)
    hidden = {one.name for one in (folder / "backups").glob(".*")}
    assert hidden <= {LOCK}, "what is not whole was left"


def ready(folder: Path, visitor: Visitor) -> str:
    """A restore of a fresh backup, waiting to be confirmed."""
    assert visitor.post(f"{HOME}/backups").status_code == 303
    until = time.monotonic() + PATIENCE
    while catalogue.newest_verified(catalogue.backups_in(folder / "backups")) is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    name = catalogue.backups_in(folder / "backups")[0].name
    rename(folder, "after")
    address = visitor.post(f"{HOME}/restores", name=name).headers["Location"]
    restore_id = address.rsplit("/", 1)[-1]
    wait_until(folder, restore_id, lambda state: state["stage"] == "ready")
    return restore_id


PHASES = [
    "safety backup: copying",
    "safety backup: reading back",
    "preparing",
    "replacing the database",
    "verifying",
]


@pytest.mark.fault(
    "Kill during a restore",
    how="SIGKILL to the server in each phase",
    outcome="all old or all new; the page says which",
)
@pytest.mark.faults
@pytest.mark.parametrize("phase", PHASES)
def test_killed_during_a_restore_it_is_all_old_or_all_new(folder, phase):
    with serving(folder) as server:
        visitor = Visitor(server)
        restore_id = ready(folder, visitor)
        path = f"{HOME}/restores/{restore_id}"
        answer = visitor.post(f"{path}/confirmation", password=PASSWORD, word="RESTORE")
        assert answer.status_code == 303, answer.text
        order = PHASES.index(phase)
        wait_until(
            folder,
            restore_id,
            lambda state: (
                state["stage"] == "done"
                or (state["phase"] in PHASES and PHASES.index(state["phase"]) >= order)
            ),
        )
        server.kill()
    with serving(folder) as server:
        visitor = Visitor(server)
        state = state_of(folder, restore_id)
        page = visitor.get(f"{HOME}/restores/{restore_id}").text
        assert visitor.get("/readyz").status_code == 200
        found = name_in(folder)
        assert (state["stage"], found) in {("done", "before"), ("failed", "after")}, state
        assert ("Restored" in page) == (found == "before")
    is_sound(folder)
    left = {one.name for one in (folder / restores.FOLDER / restore_id).iterdir()}
    assert left <= {"state.json", "running.lock"}


@pytest.mark.faults
def test_killed_while_it_looks_at_an_upload_nothing_is_left(folder):
    with serving(folder) as server:
        visitor = Visitor(server)
        made = json.loads(flask(folder, "database", "backup", "--json").stdout)
        with Path(made["path"]).open("rb") as content:
            address = visitor.post(f"{HOME}/restores", files={"file": content}).headers["Location"]
        server.kill()
    restore_id = address.rsplit("/", 1)[-1]
    with serving(folder) as server:
        page = Visitor(server).get(address)
        if state_of(folder, restore_id)["stage"] != "ready":
            assert "cut off" in page.text
            left = {one.name for one in (folder / restores.FOLDER / restore_id).iterdir()}
            assert left <= {"state.json", "running.lock"}
    is_sound(folder)


@pytest.mark.fault(
    "Kill during a backup",
    how="SIGKILL while the copy is made",
    outcome="not listed; the next backup sweeps it",
)
@pytest.mark.faults
def test_a_backup_that_is_killed_is_never_listed_and_swept_by_the_next(folder):
    making = subprocess.Popen(
        [sys.executable, "-m", "flask", "database", "backup"],
        env=environment_of(folder),
        cwd=ROOT,
    )
    until = time.monotonic() + PATIENCE
    while not list((folder / "backups").glob(".proman-*.partial")):
        assert time.monotonic() < until
        assert making.poll() is None
        time.sleep(0.001)
    making.kill()
    making.wait()
    assert catalogue.backups_in(folder / "backups") == []
    assert flask(folder, "database", "backup").returncode == 0
    assert len(catalogue.backups_in(folder / "backups")) == 1
    is_sound(folder)


@pytest.mark.fault(
    "Interrupted download",
    how="SIGKILL to the server in the middle of a download, which the next server goes on with",
    outcome="the bytes of the backup, by their SHA-256",
)
def test_a_download_that_broke_off_goes_on_at_the_next_server(folder):
    made = json.loads(flask(folder, "database", "backup", "--json").stdout)
    path = f"{HOME}/backups/{Path(made['path']).stem}.sqlite"
    with serving(folder) as server:
        visitor = Visitor(server)
        answer = visitor.get(path, stream=True)
        begun = answer.raw.read(1 << 20)
        server.kill()
        with contextlib.suppress(requests.RequestException, HTTPError):
            for part in iter(lambda: answer.raw.read(1 << 20), b""):
                begun += part
        answer.close()
    assert 0 < len(begun) < Path(made["path"]).stat().st_size
    with serving(folder) as server:
        visitor.url = server.url
        wanted = {"Range": f"bytes={len(begun)}-", "If-Range": answer.headers["ETag"]}
        rest = visitor.get(path, headers=wanted)
        assert rest.status_code == 206
    assert begun + rest.content == Path(made["path"]).read_bytes()


@pytest.mark.fault(
    "Old cookie after a restore",
    how="a browser signed in before a restore by command",
    outcome="sent to sign in again",
)
def test_an_old_cookie_is_void_after_a_restore_by_command(folder):
    with serving(folder) as server:
        visitor = Visitor(server)
        made = json.loads(flask(folder, "database", "backup", "--json").stdout)
        rename(folder, "after")
        assert visitor.get(HOME).status_code == 200
        done = flask(folder, "database", "restore", made["path"], "--yes")
        assert done.returncode == 0, done.stderr
        assert name_in(folder) == "before"
        answer = visitor.get(HOME)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login")
        assert Visitor(server).get(HOME).status_code == 200
    is_sound(folder)


def test_restoring_by_command_asks_first_and_refuses_what_is_no_backup(folder, tmp_path):
    made = json.loads(flask(folder, "database", "backup", "--json").stdout)
    rename(folder, "after")
    unasked = flask(folder, "database", "restore", made["path"])
    assert unasked.returncode == 1
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"hello" * 1000)
    refused = flask(folder, "database", "restore", str(junk), "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "not a SQLite database" in refused.stderr
    assert flask(folder, "database", "verify", str(junk)).returncode == 1
    assert name_in(folder) == "after"


@pytest.mark.fault(
    "Stale -wal or -journal",
    how="SIGKILL leaves a -wal; recovery by hand as it is documented",
    outcome="exactly the backup",
)
def test_recovery_by_hand_as_it_is_documented(folder):
    """Stop, remove the side files, copy the file back, start."""
    made = json.loads(flask(folder, "database", "backup", "--json").stdout)
    with serving(folder) as server:
        Visitor(server)
        rename(folder, "after")
        server.kill()
    assert (folder / "proman.sqlite-wal").exists()
    for side in ("-wal", "-shm", "-journal"):
        (folder / f"proman.sqlite{side}").unlink(missing_ok=True)
    shutil.copyfile(made["path"], folder / "proman.sqlite")
    with serving(folder) as server:
        assert Visitor(server).get(HOME).status_code == 200
        assert name_in(folder) == "before"
    is_sound(folder)


@pytest.mark.fault(
    "Heavy writers during a backup",
    how="three people who save through the real server",
    outcome="it ends, sound; nobody gets an error",
)
def test_a_backup_under_steady_writers_ends_and_they_are_not_held_up(folder):
    stop = threading.Event()
    faults: list[str] = []
    written = [0]

    def write() -> None:
        visitor = Visitor(server)
        while not stop.is_set():
            answer = visitor.post("/password/name", name=f"Alice {written[0]}")
            if answer.status_code != 303:
                faults.append(answer.text)
            written[0] += 1

    with serving(folder) as server:
        writers = [threading.Thread(target=write) for _ in range(3)]
        for one in writers:
            one.start()
        try:
            made = [flask(folder, "database", "backup", "--json") for _ in range(2)]
        finally:
            stop.set()
            for one in writers:
                one.join()
    assert [one.returncode for one in made] == [0, 0], made[0].stderr
    assert faults == []
    assert written[0] > 5
    is_sound(folder)


@pytest.mark.fault(
    "Two backups at once",
    how="four requests to two servers",
    outcome="one runs, the others get 409",
)
def test_two_servers_and_a_command_share_one_lock(folder):
    with serving(folder) as one, serving(folder) as other:
        visitors = [Visitor(one), Visitor(other)]
        results: list[int] = []

        def back_up(visitor: Visitor) -> None:
            results.append(visitor.post(f"{HOME}/backups").status_code)

        threads = [threading.Thread(target=back_up, args=(each,)) for each in visitors * 2]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        while holder(make_settings(folder)):  # nobody is killed in the middle of one
            time.sleep(0.02)
        assert set(results) <= {303, 409}
        assert 303 in results
    is_sound(folder)
