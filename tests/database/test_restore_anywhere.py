"""A backup of any engine restores on any other: all of it or nothing, with every rule in force."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from proman.database import restore, restores, sources
from proman.database.backup import back_up
from proman.database.driver import sqlite3
from proman.db import db
from tests.database.furniture import WRITTEN_BY_A_RESTORE, furnish, held_by, held_in
from tests.servers import PROGRAMS, ROOT, database_of, environment_of

on_servers = pytest.mark.engines("postgresql", "mysql")
OVERLAPPING = (
    "INSERT INTO leases (organization_id, unit_id, reference, status, first_day, frequency, "
    "periods, timing, due_rule, lead_days, proration, holding_over, notes, created_at) "
    "SELECT organization_id, unit_id, 'second', status, first_day, frequency, periods, timing, "
    "due_rule, lead_days, proration, holding_over, notes, created_at FROM leases"
)


def judged(house, file: Path):
    """What becomes of this file when it is uploaded."""
    with file.open("rb") as content:
        one = sources.from_upload(house.site, content, file.name, "Alice", house.alice)
    return restore.judge_and_stage(house.site, one.id)


def restored(house, one):
    assert one.stage == "ready", one.fault
    restores.confirm(house.folder, one.id)
    return restore.carry_out(house.site, one.id, db.engine.dispose)


def wipe(house) -> None:
    """Changes and deletes, so that whatever a restore leaves alone is found."""
    house.rename("after")
    for table in ("postings", "deliveries", "organization_logos"):
        house.sql(f"DELETE FROM {table}")


@pytest.mark.fault(
    "Old cookie after a restore",
    how="a cookie of before, and the epoch of before put back",
    outcome="sent to sign in again",
)
@pytest.mark.engines
def test_everything_comes_back_with_its_rules_and_undo_takes_it_back(anywhere):
    furnish(anywhere)
    alice = anywhere.client()
    made = back_up(anywhere.site, "manual", "Alice")
    before = held_in(made.path, but=WRITTEN_BY_A_RESTORE)
    wipe(anywhere)
    after = held_by(anywhere, made.path, but=WRITTEN_BY_A_RESTORE)
    epoch = anywhere.folder / "session.epoch"
    given_out_elsewhere = epoch.read_text()
    one = sources.from_list(anywhere.site, made.name, "Alice", anywhere.alice)
    one = restore.judge_and_stage(anywhere.site, one.id)
    assert ("postings", 0, made.manifest.rows["postings"]) in one.findings.differences
    done = restored(anywhere, one)
    assert (done.stage, done.fault) == ("done", None)
    assert held_by(anywhere, made.path, but=WRITTEN_BY_A_RESTORE) == before
    assert anywhere.sql("SELECT count(*) FROM audit_entries WHERE action = 'restored'") == 1

    epoch.write_text(given_out_elsewhere)
    assert alice.get("/admin/database").status_code == 303

    for breach in ("DELETE FROM organizations", OVERLAPPING):
        with pytest.raises(DBAPIError):
            anywhere.sql(breach)
    newest = anywhere.sql("SELECT max(id) FROM audit_entries")
    anywhere.sql(
        "INSERT INTO audit_entries (at, actor_name, action, subject_type, subject_label, note)"
        " VALUES ('2026-01-01', 'x', 'changed', 'x', 'x', '')"
    )
    assert anywhere.sql("SELECT max(id) FROM audit_entries") > newest

    assert restore.undoable(anywhere.site).id == done.id
    back = sources.from_list(anywhere.site, done.safety, "Alice", anywhere.alice, is_undo=True)
    restored(anywhere, restore.judge_and_stage(anywhere.site, back.id))
    assert held_by(anywhere, made.path, but=WRITTEN_BY_A_RESTORE) == after


@on_servers
def test_a_servers_backup_restores_on_sqlite_and_back(anywhere, house):
    with anywhere.app.app_context():
        furnish(anywhere)
        made = back_up(anywhere.site, "manual", "Alice")
        wipe(anywhere)
    before = held_in(made.path, but=WRITTEN_BY_A_RESTORE)
    restored(house, judged(house, made.path))
    assert held_by(house, made.path, but=WRITTEN_BY_A_RESTORE) == before
    made = back_up(house.site, "manual", "Alice")
    with anywhere.app.app_context():
        restored(anywhere, judged(anywhere, made.path))
        assert held_by(anywhere, made.path, but=WRITTEN_BY_A_RESTORE) == before


@on_servers
def test_what_the_server_does_not_take_changes_nothing(anywhere, tmp_path):
    file = Path(shutil.copy(back_up(anywhere.site, "manual", "Alice").path, tmp_path))
    spoiled = sqlite3.connect(file)
    spoiled.execute("UPDATE organizations SET city = 'Atlantis'")
    spoiled.commit()
    spoiled.close()
    furnish(anywhere)
    before = held_by(anywhere, file, but=WRITTEN_BY_A_RESTORE)
    anywhere.sql("ALTER TABLE organizations ADD CONSTRAINT no_myths CHECK (city <> 'Atlantis')")
    try:
        done = restored(anywhere, judged(anywhere, file))
    finally:
        anywhere.sql("ALTER TABLE organizations DROP CONSTRAINT no_myths")
    assert done.stage == "failed"
    assert "Rows of organizations were not taken" in done.fault
    assert held_by(anywhere, file, but=WRITTEN_BY_A_RESTORE) == before
    with pytest.raises(DBAPIError):
        anywhere.sql("DELETE FROM organizations")


@on_servers
def test_a_server_that_is_not_migrated_is_refused_before_anything_happens(anywhere):
    made = back_up(anywhere.site, "manual", "Alice")
    one = sources.from_list(anywhere.site, made.name, "Alice", anywhere.alice)
    one = restore.judge_and_stage(anywhere.site, one.id)
    head = anywhere.site.head
    anywhere.sql("UPDATE alembic_version SET version_num = '20261122_1700'")
    try:
        done = restored(anywhere, one)
    finally:
        anywhere.sql("UPDATE alembic_version SET version_num = :head", head=head)
    assert done.stage == "failed"
    assert "Run: flask db upgrade" in done.fault
    assert done.safety is None


@pytest.mark.fault(
    "Kill during a restore",
    how="SIGKILL while the rows are replaced",
    outcome="all old or all new",
)
@on_servers
def test_a_kill_in_the_middle_leaves_all_of_the_old_or_all_of_the_new(anywhere):
    furnish(anywhere)
    made = back_up(anywhere.site, "manual", "Alice")
    before = held_in(made.path, but=WRITTEN_BY_A_RESTORE)
    wipe(anywhere)
    after = held_by(anywhere, made.path, but=WRITTEN_BY_A_RESTORE)
    settings = anywhere.site.settings
    restoring = subprocess.Popen(
        [str(PROGRAMS / "flask"), "database", "restore", made.name, "--yes"],
        cwd=ROOT,
        env=environment_of(settings.data_dir, **database_of(settings)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not any(one.stage == "swapping" for one in restores.every(settings.data_dir)):
        with pytest.raises(subprocess.TimeoutExpired):
            restoring.wait(0.02)
    restoring.kill()
    restoring.wait()
    restore.finish_interrupted(anywhere.site)
    (one,) = restores.every(settings.data_dir)
    found = held_by(anywhere, made.path, but=WRITTEN_BY_A_RESTORE)
    assert (one.stage, found) in [("done", before), ("failed", after)]
    back_up(anywhere.site, "manual", "Alice")
