"""Two who back up or restore at the same moment: one does it, the other is told."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from proman.database import catalogue, restores
from proman.database.driver import sqlite3
from tests.conftest import make_settings
from tests.database.conftest import living_in
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import PROGRAMS, ROOT, Server, environment_of, flask, installation, serving

HOME = "/admin/database"
PATIENCE = 60


@pytest.fixture
def folder(tmp_path: Path, migrated_file: Path) -> Path:
    folder = installation(tmp_path / "data", migrated_file)
    with living_in(make_settings(folder)):
        pass
    return folder


@pytest.fixture
def large(folder: Path) -> Path:
    """The installation with a hundred megabytes, so that a backup takes a moment."""
    with change(folder) as live:
        live.execute(
            "INSERT INTO organization_logos (organization_id, media_type, content, uploaded_at)"
            " WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100)"
            " SELECT 1, 'image/png', randomblob(1000000), '2026-01-01 00:00:00' FROM n"
        )
    return folder


@contextmanager
def change(folder: Path) -> Iterator[sqlite3.Connection]:
    """A change beside the server."""
    with closing(sqlite3.connect(folder / "proman.sqlite")) as live:
        yield live
        live.commit()


def alice_of(server: Server) -> Person:
    return Person(server.url, "alice@example.com", PASSWORD)


def at_once(*acts: Callable[[], requests.Response]) -> list[requests.Response]:
    """What each answers when all are done at the same moment."""
    start, answers = threading.Barrier(len(acts)), []

    def do(act: Callable[[], requests.Response]) -> None:
        start.wait()
        answers.append(act())

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return answers


def wait_for(reached: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def name_in(folder: Path) -> str:
    with change(folder) as live:
        return str(live.execute("SELECT legal_name FROM organizations").fetchone()[0])


@contextmanager
def standing_backup(folder: Path) -> Iterator[None]:
    """A backup by command that stands still in the middle of its copy."""
    words = [str(PROGRAMS / "flask"), "database", "backup"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, cwd=ROOT, env=environment_of(folder), **quiet) as making:
        wait_for(lambda: list((folder / "backups").glob(".proman-*.partial")))
        os.kill(making.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(making.pid, signal.SIGCONT)
        assert making.wait(PATIENCE) == 0


def asked(alice: Person, folder: Path, name: str) -> str:
    """The address of a restore that waits to be confirmed."""
    address = alice.post(f"{HOME}/restores", name=name).headers["Location"]
    one = address.rsplit("/", 1)[-1]
    wait_for(lambda: restores.load(folder, one).stage == "ready")
    return address


def confirm(alice: Person, address: str) -> Callable[[], requests.Response]:
    fields = {"password": PASSWORD, "word": "RESTORE"}
    token = alice.token()
    return lambda: alice.send(f"{address}/confirmation", token, **fields)


@pytest.mark.fault(
    "Two backups at once",
    how="two people press Back up now at the same moment",
    outcome="one runs, one gets 409 with who holds it",
)
@pytest.mark.fault(
    "Restore during a backup",
    how="a backup that stands in the middle of its copy, then a restore by page and by command",
    outcome="409 and one line with who holds it; the backup ends well",
)
def test_backups_and_a_restore_keep_out_of_each_others_way(large):
    with serving(large) as server:
        visitors = [alice_of(server) for _ in range(2)]
        tokens = [one.token() for one in visitors]
        one, other = (
            lambda who=who, token=token: who.send(f"{HOME}/backups", token)
            for who, token in zip(visitors, tokens, strict=True)
        )
        answers = sorted(at_once(one, other), key=lambda answer: answer.status_code)
        assert [answer.status_code for answer in answers] == [303, 409]
        assert "backup, started by Alice" in answers[1].text
        wait_for(lambda: catalogue.newest_verified(catalogue.backups_in(large / "backups")))
        (made,) = catalogue.backups_in(large / "backups")

        alice = visitors[0]
        wait_for(lambda: "Under way:" not in alice.get(HOME).text)
        address = asked(alice, large, made.name)
        with standing_backup(large):
            answer = confirm(alice, address)()
            assert answer.status_code == 409
            assert "backup, started by" in answer.text
            refused = flask(large, "database", "restore", made.name, "--yes")
            assert refused.returncode == 1
            assert "Under way: backup, started by" in refused.stderr
        assert len(catalogue.backups_in(large / "backups")) == 2
        assert restores.load(large, address.rsplit("/", 1)[-1]).stage == "ready"


@pytest.mark.fault(
    "Two restores at once",
    how="two people confirm two restores on two servers at the same moment",
    outcome="one wins, the other is told; the database is that one's",
)
def test_of_two_restores_one_wins(large):
    with serving(large) as one, serving(large) as other:
        visitors = [alice_of(one), alice_of(other)]
        names = []
        for name in ("first", "second"):
            with change(large) as live:
                live.execute("UPDATE organizations SET legal_name = ?", (name,))
            assert flask(large, "database", "backup").returncode == 0
            names.append(catalogue.backups_in(large / "backups")[0].name)
        addresses = [asked(who, large, name) for who, name in zip(visitors, names, strict=True)]
        acts = [confirm(*both) for both in zip(visitors, addresses, strict=True)]
        answers = at_once(*acts)
        assert {answer.status_code for answer in answers} <= {303, 409, 503}
        ids = [address.rsplit("/", 1)[-1] for address in addresses]

        def stages() -> list[str]:
            return [restores.load(large, each).stage for each in ids]

        wait_for(
            lambda: "done" in stages() and not {"confirmed", "restoring", "swapping"} & {*stages()}
        )
        assert sorted(stages()) in (["done", "failed"], ["done", "ready"])
        winner = ("first", "second")[stages().index("done")]
        assert name_in(large) == winner
        assert flask(large, "doctor").returncode == 0
