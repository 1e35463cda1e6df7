"""A live file too damaged to be opened: restored by command, its files kept, kills gone on from."""

import json
import os
import shutil
import signal
import sqlite3 as system_sqlite
import sys
from contextlib import closing
from pathlib import Path

import pytest

from proman.app import create_app
from proman.database import marks, quarantine, restore, restores, sources, status
from proman.database.backup import back_up
from proman.database.live import live_database
from proman.db import db, utc_now
from proman.doctor import examine
from proman.settings import Settings
from tests import processes
from tests.conftest import make_settings
from tests.database.conftest import House
from tests.servers import flask, serving

SIDES = ("", "-wal", "-shm", "-journal")


def scribble(path: Path, at: int, length: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * length)


def set_of(live: Path, name: str = "") -> dict[str, bytes]:
    """The bytes of a database file and of its side files, by suffix."""
    paths = {side: live.with_name(f"{name or live.name}{side}") for side in SIDES}
    return {side: path.read_bytes() for side, path in paths.items() if path.exists()}


def name_in(live: Path) -> str:
    with closing(system_sqlite.connect(f"file:{live}?mode=ro", uri=True)) as connection:
        return str(connection.execute("SELECT legal_name FROM organizations").fetchone()[0])


@pytest.fixture
def closed(house: House) -> House:
    """A house with a backup, changed since, whose connections are all closed."""
    back_up(house.site, "manual", "Alice")
    house.rename("after")
    db.session.remove()
    db.engine.dispose()
    return house


def header(live: Path) -> None:
    scribble(live, 0, 100)


def schema_page(live: Path) -> None:
    scribble(live, 100, 3996)


def page_of(table: str, live: Path) -> None:
    with closing(system_sqlite.connect(f"file:{live}?mode=ro", uri=True)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
        (page,) = root.fetchone()
    scribble(live, (page - 1) * 4096)


def page_of_users(live: Path) -> None:
    page_of("users", live)


def cut_short(live: Path) -> None:
    os.truncate(live, live.stat().st_size // 2)


DAMAGES = (header, schema_page, page_of_users, cut_short)


@pytest.mark.fault(
    "Live header destroyed",
    how="header, schema, a page overwritten, half cut off",
    outcome="restored by command; the damaged files are kept",
)
@pytest.mark.faults
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_command_restores_over_a_damaged_file_and_keeps_it(closed, damage):
    live = closed.site.live
    damage(live)
    before = live.read_bytes()
    done = flask(closed.folder, "database", "restore", newest(closed), "--yes")
    assert done.returncode == 0, done.stderr
    assert "The live database is damaged: " in done.stderr
    assert "No safety backup can be made of it" in done.stderr
    (folder,) = quarantine.kept(live)
    assert str(folder) in done.stdout
    assert (folder / live.name).read_bytes() == before
    assert name_in(live) == "before"
    row = closed.sql("SELECT after FROM audit_entries WHERE action = 'restored'")
    assert json.loads(str(row))["quarantine"] == str(folder)
    assert live_database(closed.site).ask(lambda one: examine(one, closed.site.head)) == []
    (line,) = (one for one in status.status(closed.site, utc_now()).warnings if "amaged" in one)
    assert str(folder) in line
    (one,) = restores.every(closed.folder)
    assert (one.stage, one.safety, one.quarantine) == ("done", None, str(folder))
    assert restore.undoable(closed.site) is None
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def newest(house: House) -> str:
    (path,) = house.site.backup_dir.glob("*.sqlite")
    return path.name


@pytest.mark.faults
def test_an_emptied_file_is_not_opened_before_its_log_is_safe(closed):
    live = closed.site.live
    log = Path(f"{live}-wal")
    os.truncate(live, 0)
    log.write_bytes(b"committed rows")
    done = flask(closed.folder, "database", "restore", newest(closed), "--yes")
    assert done.returncode == 0, done.stderr
    (folder,) = quarantine.kept(live)
    assert set_of(folder / live.name) == {"": b"", "-wal": b"committed rows"}
    assert name_in(live) == "before"


def test_a_file_without_any_table_is_no_database_yet(closed):
    live = closed.site.live
    live.unlink()
    with closing(system_sqlite.connect(live)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    done = flask(closed.folder, "database", "restore", newest(closed), "--yes")
    assert done.returncode == 0, done.stderr
    assert "What was there before: nothing." in done.stdout
    assert name_in(live) == "before"
    assert quarantine.kept(live) == []


@pytest.mark.faults
def test_nothing_is_moved_while_a_server_has_the_damaged_file_open(closed):
    live = closed.site.live
    with serving(closed.folder) as server:
        header(live)
        before = set_of(live)[""]
        done = flask(closed.folder, "database", "restore", newest(closed), "--yes")
        assert done.returncode == 1
        assert "Another process still has" in done.stderr
        assert "stop ProMan" in done.stderr.splitlines()[-1]
        assert set_of(live)[""] == before
        assert quarantine.kept(live) == []
        assert not marks.is_pending(live)
        server.kill()
    done = flask(closed.folder, "database", "restore", newest(closed), "--yes")
    assert done.returncode == 0, done.stderr
    with serving(closed.folder):
        assert name_in(live) == "before"
    assert {"failed", "done"} == {one.stage for one in restores.every(closed.folder)}


def test_the_page_says_to_stop_it_and_use_the_command(closed):
    page_of("invoices", closed.site.live)
    alice = closed.client()
    one = sources.from_list(closed.site, newest(closed), "Alice", closed.alice)
    one = restore.judge_and_stage(closed.site, one.id)
    page = alice.get(f"/admin/database/restores/{one.id}").text
    assert f"flask database restore {one.source}" in page
    assert "The live database is damaged" in page
    assert "Restore this backup" not in page
    restores.confirm(closed.folder, one.id)
    done = restore.carry_out(closed.site, one.id, db.engine.dispose)
    assert done.stage == "failed"
    assert f"flask database restore {one.source}" in done.fault
    assert closed.name() == "after"
    assert quarantine.kept(closed.site.live) == []


def confirmed(house: House) -> str:
    """A restore over a destroyed header that waits to be carried out."""
    header(house.site.live)
    one = sources.from_list(house.site, newest(house), "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    assert one.findings.damage
    restores.confirm(house.folder, one.id)
    return one.id


STEPS = ("open", "os.mkdir", "os.rename", "os.remove")


def carry_out_killed(settings: Settings, restore_id: str, step: int) -> None:
    """Carries the restore out and kills this process before its step of that number on a disk."""
    app, count = create_app(settings), 0
    home = str(settings.data_dir / marks.QUARANTINE)

    def kill(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in STEPS and any(str(one).startswith(home) for one in arguments[:2]):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill)
    with app.app_context():
        site = app.extensions["proman_installation"]
        done = restore.carry_out(site, restore_id, db.engine.dispose, may_move=True)
    assert done.stage == "done", done.fault
    print(f"steps: {count}")


def cut_off(house: House, restore_id: str, step: int, folder: Path) -> tuple[Settings, bool]:
    """A copy of the house in which the restore was killed at that step; whether it was."""
    settings = make_settings(folder)
    shutil.copytree(house.folder, folder, dirs_exist_ok=True)
    code, said = processes.start(folder, carry_out_killed, settings, restore_id, step).end()
    assert code in (0, -signal.SIGKILL), said
    return settings, code != 0


@pytest.mark.fault(
    "Kill during a restore",
    how="SIGKILL at each step of moving a damaged file away",
    outcome="the next start goes on; no file is lost",
)
@pytest.mark.faults
def test_killed_at_any_step_the_next_start_goes_on(closed, tmp_path):
    restore_id = confirmed(closed)
    damaged = set_of(closed.site.live)
    ends: list[str] = []
    while not ends or ends[-1] != "not cut off":
        step = len(ends) + 1
        settings, is_killed = cut_off(closed, restore_id, step, tmp_path / f"step-{step}")
        live = settings.database_file
        is_begun = marks.is_pending(live)
        code, told = processes.flask(settings, "db", "upgrade").end()
        assert not marks.is_pending(live)
        if code == 1:
            assert not is_begun
            assert "flask database restore FILE" in told
            assert set_of(live) == damaged
            ends.append("nothing moved")
            continue
        assert code == 0, told
        assert name_in(live) == "before"
        (folder,) = quarantine.kept(live)
        assert set_of(folder / live.name) == damaged
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]
        ends.append("not cut off" if not is_killed else "gone on from" if is_begun else "ended")
    assert list(dict.fromkeys(ends)) == ["nothing moved", "gone on from", "ended", "not cut off"]
    assert ends.count("gone on from") > 3


@pytest.mark.fault(
    "Live header destroyed",
    how="the same, and SIGKILL before the swap",
    outcome="the start of the server finishes it",
)
@pytest.mark.faults
def test_a_server_that_is_started_goes_on_and_settles_the_restore(closed, tmp_path):
    settings = begun(closed, tmp_path)
    with serving(settings.data_dir):
        assert name_in(settings.database_file) == "before"
    (one,) = restores.every(settings.data_dir)
    assert (one.stage, one.quarantine) == ("done", str(*quarantine.kept(settings.database_file)))


@pytest.mark.faults
def test_what_fails_twice_puts_the_damaged_files_back(closed, tmp_path):
    settings = begun(closed, tmp_path)
    live = settings.database_file
    damaged = set_of(closed.site.live)
    scribble(live.parent / marks.QUARANTINE / quarantine.RESTORED, 8192)
    told = flask(settings.data_dir, "database", "status").stderr
    assert "To end it: flask db upgrade" in told
    for told in ("The next start tries once more.", "The damaged files are back"):
        code, said = processes.flask(settings, "db", "upgrade").end()
        assert code == 1
        assert told in said
    assert set_of(live) == damaged
    assert list((live.parent / marks.QUARANTINE).iterdir()) == []
    done = flask(settings.data_dir, "database", "restore", newest(closed), "--yes")
    assert done.returncode == 0, done.stderr
    assert name_in(live) == "before"


def begun(house: House, folder: Path) -> Settings:
    """An installation whose restore was killed right after it left its marker."""
    restore_id, step = confirmed(house), 1
    while True:
        settings, _ = cut_off(house, restore_id, step, folder / f"begun-{step}")
        if marks.is_pending(settings.database_file):
            return settings
        step += 1
