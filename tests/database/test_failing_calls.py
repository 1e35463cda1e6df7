"""Commands whose system calls fail, that may write no large file, or nothing at all."""

import os
import re
import resource
import time
from collections.abc import Iterator

import pytest

from proman.database import catalogue, restore, restores
from proman.database.backup import back_up
from proman.database.durable import PARTIAL
from proman.database.live import live_database
from proman.database.lock import holder
from proman.db import db
from proman.doctor import examine
from proman.settings import Settings
from tests import processes, rigs
from tests.database.conftest import House
from tests.database.test_views import confirmed, followed

pytestmark = pytest.mark.faults
SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
CALLS = "fsync,fdatasync"
HOME = "/admin/database"


@pytest.fixture
def closed(house: House) -> House:
    """A house with a backup of three megabytes, changed since; nothing has it open."""
    house.sql(
        "INSERT INTO organization_logos (organization_id, media_type, content, uploaded_at)"
        " VALUES (:own, 'image/png', randomblob(3000000), '2026-01-01 00:00:00')",
        own=house.organization,
    )
    back_up(house.site, "manual", "Alice")
    house.rename("after")
    close(house)
    return house


def close(house: House) -> None:
    db.session.remove()
    with house.app.app_context():
        db.engine.dispose()


def state_of(house: House) -> tuple[str, list[str]]:
    """The name in the database, which is sound, and the backups, which are whole."""
    name = str(house.name())
    assert live_database(house.site).ask(lambda one: examine(one, house.site.head)) == []
    close(house)
    found = catalogue.backups_in(house.site.backup_dir)
    assert all(one.is_verified and one.reason in ("manual", "before-restore") for one in found)
    assert [one for one in house.folder.rglob("*") if PARTIAL in one.name] == []
    return name, [one.name for one in found]


def refusal(said: str) -> str:
    """The one line in which a command says why it failed."""
    (line,) = [one for one in said.splitlines() if one.startswith("Error: ")]
    return line


def spread(first: int, last: int, some: int) -> list[int]:
    """So many numbers (or as many as there are) from the first to the last, evenly."""
    some = min(last - first + 1, some * SCALE)
    return sorted({first + (last - first) * n // (some - 1) for n in range(some)})


@pytest.mark.fault(
    "EIO on fsync",
    how="strace lets an fsync of a backup fail, each in its turn",
    outcome="refused in one line and nothing listed; or whole, and told what the journal lacks",
)
def test_a_backup_whose_fsync_fails(closed):
    settings = closed.site.settings
    whole = rigs.flask_traced(settings, "database", "backup", trace=CALLS)
    assert whole.code == 0, whole.said
    ends = set()
    for number in spread(1, whole.calls, 6):
        _, before = state_of(closed)
        failing = f"error=EIO:when={number}"
        done = rigs.flask_traced(settings, "database", "backup", trace=CALLS, inject=failing)
        ends.add(done.code)
        _, after = state_of(closed)
        if done.code == 0:
            assert len(after) == len(before) + 1
        else:
            assert "Input/output error. Nothing was left behind" in refusal(done.said)
            assert after == before
    assert 1 in ends


@pytest.mark.fault(
    "EIO on fsync",
    how="strace lets an fsync of a restore fail, each in its turn",
    outcome="all old and one line that says why, or all new",
)
def test_a_restore_whose_fsync_fails(closed):
    settings = closed.site.settings
    (name,) = [one.name for one in catalogue.backups_in(closed.site.backup_dir)]
    words = ("database", "restore", name, "--yes")
    whole = rigs.flask_traced(settings, *words, trace=CALLS)
    assert whole.code == 0, whole.said
    ends = set()
    half = whole.calls // 2
    for number in spread(1, half, 2) + spread(half, whole.calls, 7):
        closed.rename("after")
        close(closed)
        done = rigs.flask_traced(settings, *words, trace=CALLS, inject=f"error=EIO:when={number}")
        restore.finish_interrupted(closed.site)
        found, _ = state_of(closed)
        assert (done.code, found) in {(0, "before"), (1, "after")}, done.said
        if done.code:
            refusal(done.said)
        ends.add(done.code)
    assert ends == {0, 1}


@pytest.mark.fault(
    "File size limit",
    how="RLIMIT_FSIZE of one megabyte on backup and restore",
    outcome="one line that says why; nothing left behind, nothing changed",
)
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_process_that_may_write_no_large_file(closed, command):
    before = state_of(closed)
    words = ("backup",) if command == "backup" else ("restore", before[1][0], "--yes")
    limited = processes.start(closed.folder, flask_limited, closed.site.settings, words)
    code, said = limited.end()
    assert code == 1, said
    assert re.search("too large|disk I/O error|is full", refusal(said)), said
    restore.finish_interrupted(closed.site)
    assert state_of(closed) == before


def flask_limited(settings: Settings, words: tuple[str, ...]) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    processes.run_flask(settings, ("database", *words))


@pytest.fixture
def sealed(closed: House) -> Iterator[House]:
    """The house, whose backups can be read and not changed."""
    with rigs.read_only(closed.site.backup_dir):
        yield closed


@pytest.mark.fault(
    "Read-only volume",
    how="the backups bind-mounted and remounted read-only",
    outcome="one sentence; older backups stay and can be downloaded, the application goes on",
)
def test_a_backup_directory_that_cannot_be_written(sealed):
    alice, (one,) = sealed.client(), catalogue.backups_in(sealed.site.backup_dir)
    here = f"{HOME}/backups/{one.name}"
    for path, said in (
        (f"{HOME}/backups", f"The directory {sealed.site.backup_dir} cannot be written."),
        (f"{here}/drill", "cannot be written: Read-only file system."),
        (f"{here}/verification", "cannot be written: Read-only file system."),
    ):
        alice.post(path)
        while holder(sealed.site.settings):
            time.sleep(0.01)
        assert said in alice.get(HOME).get_data(as_text=True)
    assert alice.post(f"{HOME}/backups/{one.name}/pin").status_code == 422
    sent = alice.get(f"{HOME}/backups/{one.name}.sqlite")
    assert sent.data == one.path.read_bytes()
    assert alice.post("/password/name", data={"name": "Alice Archer"}).status_code == 303
    assert sealed.sql("SELECT name FROM users") == "Alice Archer"
    code, said = processes.flask(sealed.site.settings, "database", "backup").end()
    assert (code, refusal(said)) == (
        1,
        f"Error: The directory {sealed.site.backup_dir} cannot be written.",
    )


@pytest.mark.fault(
    "Safety backup fails",
    how="the backups remounted read-only, then a restore by page and by command",
    outcome="no swap, and the reason",
)
def test_without_a_safety_backup_nothing_is_replaced(sealed):
    alice, (made,) = sealed.client(), catalogue.backups_in(sealed.site.backup_dir)
    address = alice.post(f"{HOME}/restores", data={"name": made.name}).headers["Location"]
    followed(alice, address)
    page = followed(alice, confirmed(alice, address).headers["Location"])
    assert "cannot be written" in page
    words = ("database", "restore", made.name, "--yes")
    code, said = processes.flask(sealed.site.settings, *words).end()
    assert code == 1
    assert "cannot be written" in refusal(said)
    assert {one.stage for one in restores.every(sealed.folder)} == {"failed"}
    assert sealed.name() == "after"
