"""The journal of backups: every event in a file that no restore rewrites, and every break found."""

import json
import os
import stat
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
from sqlalchemy import text

from proman.database import journal, journal_checks, journal_events, restore, restores, sources
from proman.database.backup import back_up
from proman.database.journal_checks import standing
from proman.database.nightly import prune
from proman.db import db, utc_now
from tests.factories import PASSWORD

HOME = "/admin/database"


def whats(house) -> list[str]:
    return [one.what for one in standing(house.site).lines]


def restored(house, file, by: str = "Alice", is_undo: bool = False):
    one = sources.from_file(house.site, file, by)
    assert restore.judge_and_stage(house.site, one.id).stage == "ready"
    restores.confirm(house.folder, one.id)
    return restore.carry_out(house.site, one.id, db.engine.dispose)


def rewrite(house, change) -> None:
    """Changes the lines of the file as somebody with a text editor would."""
    path = house.site.backup_dir / journal.FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))


@pytest.mark.engines
def test_the_journal_knows_what_a_restore_made_the_database_forget(anywhere):
    house = anywhere
    first = back_up(house.site, "manual", "Alice")
    back_up(house.site, "manual", "Bob")
    assert restored(house, first.path).stage == "done"
    lines = standing(house.site).lines
    assert [one.what for one in lines] == ["backup", "backup", "backup", "restore"]
    assert [one.who for one in lines] == ["Alice", "Bob", "Alice", "Alice"]
    assert lines[-1].name == first.name
    assert all(one.where.startswith("command line, ") for one in lines)
    told = "SELECT count(*) FROM audit_entries WHERE subject_type = 'database' AND action = "
    assert house.sql(f"{told}'backed up'") == 0  # written after the backup that is back
    assert house.sql(f"{told}'restored'") == 1
    assert not journal_checks.breaches(house.site)


@pytest.mark.engines
def test_events_about_the_database_are_no_changes_that_a_restore_would_lose(anywhere):
    house = anywhere
    made = back_up(house.site, "manual", "Alice")
    house.client().get(f"{HOME}/backups/{made.name}.sqlite")
    one = sources.from_file(house.site, made.path, "Alice")
    found = restore.judge_and_stage(house.site, one.id).findings
    assert found is not None
    with db.engine.connect() as connection:
        counted = house.site.checks.changes_since(connection, made.manifest.content)
        rows = connection.execute(text("SELECT action, subject_type FROM audit_entries")).all()
    assert ("downloaded", "database") in rows
    assert ("backed up", "database") in rows
    assert found.changes_since == counted == 1  # Alice signed in


def test_pages_note_who_and_from_where(house):
    client = house.client()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    client.post("/login", data={"email": "alice@example.com", "password": PASSWORD})
    client.post(f"{HOME}/backups")
    client.post(f"{HOME}/backups")
    oldest, newest = sorted(one.name for one in house.site.backup_dir.glob("*.sqlite"))
    oldest, newest = oldest.removesuffix(".sqlite"), newest.removesuffix(".sqlite")
    client.get(f"{HOME}/backups/{newest}.tar")
    client.post(f"{HOME}/backups/{newest}/pin")
    client.post(f"{HOME}/backups/{newest}/pin", data={"pinned": "0"})
    client.post(f"{HOME}/backups/{newest}/verification")
    client.post(f"{HOME}/backups/{newest}/drill")
    # A page that waits no longer than two seconds answers while a slow machine is still at it.
    until = time.monotonic() + 60
    while standing(house.site).lines[-1].what != "drill":
        assert time.monotonic() < until
        time.sleep(0.01)
    client.post(f"{HOME}/backups/{oldest}/deletion")
    lines = standing(house.site).lines
    assert [one.what for one in lines] == [
        *["backup", "backup", "download", "pin", "unpin", "verification", "drill", "deletion"]
    ]
    assert {one.where for one in lines} == {"192.0.2.7"}
    assert house.sql("SELECT count(*) FROM audit_entries WHERE subject_type = 'database'") == 8
    alone = "SELECT count(*) FROM audit_entries WHERE subject_type = 'database' AND actor_id = :id"
    assert house.sql(alone, id=house.alice) == 8
    page = client.get(f"{HOME}/journal").get_data(as_text=True)
    assert "192.0.2.7" in page
    assert "The chain of the journal is broken" not in page
    assert f'href="{HOME}/journal"' in client.get(HOME).get_data(as_text=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: [lines[0].replace(b"Alice", b"Bob__"), *lines[1:]], "Line 2 was not"),
        (lambda lines: [lines[0], *lines[2:]], "Line 2 is missing"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "Line 1 is missing"),
        (lambda lines: [b"{}\n", *lines[1:]], "Line 1 of the file is no line"),
        (lambda lines: [lines[0][:40] + b"\n", *lines[1:]], "Line 1 of the file is no line"),
        (lambda lines: lines[:1], "It ends at line 1;"),
        (lambda lines: [], "is gone;"),
    ],
    ids=["changed", "removed", "swapped", "emptied", "cut", "truncated", "gone"],
)
def test_whatever_is_done_to_the_file_is_found_and_can_be_accepted(house, change, told):
    for _ in range(4):
        back_up(house.site, "manual", "Alice")
    assert not journal_checks.breaches(house.site)
    rewrite(house, change)
    assert any(told in one for one in journal_checks.breaches(house.site))
    runner = house.app.test_cli_runner()
    said = runner.invoke(args=["doctor", "--json"])
    assert said.exit_code == 1
    told_too = {one["invariant"] for one in json.loads(said.stdout)["breaches"]}
    assert told_too == {"The journal of backups is whole"}
    page = house.client().get(f"{HOME}/journal").get_data(as_text=True)
    assert "The chain of the journal is broken" in page

    assert runner.invoke(args=["database", "journal", "--accept"]).exit_code == 0
    assert runner.invoke(args=["doctor"]).exit_code == 0
    back_up(house.site, "manual", "Alice")
    found = standing(house.site)
    assert not found.open
    assert any("command line" in one.accepted for one in found.breaks)
    # What is accepted is that break, not the next.
    rewrite(
        house, lambda lines: [*lines[:-2], lines[-2].replace(b"command", b"kommand"), lines[-1]]
    )
    assert standing(house.site).open


def test_who_can_write_the_journal_alone_accepts_nothing(house):
    for _ in range(4):
        back_up(house.site, "manual", "Alice")
    rewrite(house, lambda lines: lines[:1])
    keys = tuple(key for one in standing(house.site).open for key in one.keys)
    for forged in (keys, (*keys, "signed:" + "0" * 64)):
        where = house.site.backup_dir
        journal.append(where, journal_checks.ACCEPTED, "", "Mallory", "here", "", forged)
        assert len(standing(house.site).open) == len(keys)
    # Nor does the signature of another acceptance.
    genuine = journal_checks.signed(house.site, keys[:1])
    journal.append(where, journal_checks.ACCEPTED, "", "M", "here", "", (*keys, genuine[-1]))
    assert len(standing(house.site).open) == len(keys)
    runner = house.app.test_cli_runner()
    assert runner.invoke(args=["database", "journal", "--accept"]).exit_code == 0
    assert standing(house.site).open == []


def test_a_line_that_a_power_cut_left_unfinished_is_closed_and_the_chain_goes_on(house):
    back_up(house.site, "manual", "Alice")
    back_up(house.site, "manual", "Alice")
    rewrite(house, lambda lines: [lines[0], lines[1][:50]])
    assert not journal_checks.breaches(house.site)
    back_up(house.site, "manual", "Alice")
    assert whats(house) == ["backup", "line cut off", "backup"]
    assert not journal_checks.breaches(house.site)
    # A line that lacks only its end is whole.
    rewrite(house, lambda lines: [*lines[:-1], lines[-1].removesuffix(b"\n")])
    prune(house.site, "Alice", utc_now())
    back_up(house.site, "manual", "Alice")
    assert whats(house) == ["backup", "line cut off", "backup", "backup"]
    assert not journal_checks.breaches(house.site)


def test_a_journal_that_cannot_be_written_keeps_nobody_from_restoring(house, capfd):
    made = back_up(house.site, "manual", "Alice")
    path = house.site.backup_dir / journal.FILE
    kept = path.read_bytes()
    path.unlink()
    path.mkdir()
    done = restored(house, made.path)
    assert done.stage == "done"
    assert done.untold is not None
    assert "could not be written" in done.untold
    assert "Warning: The journal could not be written (restore" in capfd.readouterr().err
    assert "lacks 2 of the events" in house.client().get(HOME).get_data(as_text=True)
    assert any("cannot be read" in one for one in journal_checks.breaches(house.site))
    path.rmdir()
    path.write_bytes(kept)
    back_up(house.site, "manual", "Alice")
    assert whats(house) == ["backup", journal_events.GAP, "backup"]
    assert not journal_events.unwritten(house.site)


def test_a_full_disk_leaves_no_half_line(tmp_path):
    journal.append(tmp_path, "backup", "one", "Alice", "here")
    size = (tmp_path / journal.FILE).stat().st_size
    child = os.fork()
    if child == 0:
        code = 1
        try:
            import resource
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, size + 30))
            journal.append(tmp_path, "backup", "two", "Alice", "here")
        except OSError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (tmp_path / journal.FILE).stat().st_size == size


def _append_many(folder, who: str) -> None:
    for number in range(50):
        journal.append(folder, "download", str(number), who, "here")


def test_several_processes_write_one_chain_for_themselves_alone(tmp_path):
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_append_many, [tmp_path] * 4, "ABCD"))
    lines = journal.read(tmp_path) or []
    assert [one.line.line for one in lines if one.line] == list(range(1, 201))
    assert journal_checks._in_chain(lines) == []
    assert stat.S_IMODE((tmp_path / journal.FILE).stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_command_run_as_root_leaves_the_file_to_the_servers_user(tmp_path):
    os.chown(tmp_path, 12345, 12345)
    journal.append(tmp_path, "backup", "one", "root", "here")
    about = (tmp_path / journal.FILE).stat()
    assert (about.st_uid, about.st_gid) == (12345, 12345)


def test_the_page_goes_through_all_lines_and_refuses_what_is_no_page(house):
    for number in range(120):
        journal.append(house.site.backup_dir, "download", f"number-{number}", "<b>Alice", "here")
    client = house.client()
    page = client.get(f"{HOME}/journal").get_data(as_text=True)
    assert "number-119<" in page
    assert "number-69<" not in page
    assert "&lt;b&gt;Alice" in page
    page = client.get(f"{HOME}/journal?before=71").get_data(as_text=True)
    assert "number-69<" in page
    assert f'href="{HOME}/journal?before=21"' in page
    assert "number-0<" in client.get(f"{HOME}/journal?before=21").get_data(as_text=True)
    for bad in ("x", "-1", "9" * 30):
        assert client.get(f"{HOME}/journal?before={bad}").status_code == 404
