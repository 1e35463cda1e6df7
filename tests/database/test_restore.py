"""Restores of a real installation: refused with a reason, or all of it, and undone."""

import contextlib
import io
import re
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from proman.base.errors import Refused
from proman.database import (
    archive,
    catalogue,
    confined,
    restore,
    restores,
    scratch,
    sources,
    status,
    swap,
)
from proman.database.backup import back_up
from proman.database.driver import sqlite3
from proman.database.lock import ops_lock
from proman.database.revisions import script_directory
from proman.database.sqlite_copy import opened
from proman.database.verifying import verify
from proman.db import db
from proman.identity.session import installation_epoch


def judged(house, path: Path):
    """What becomes of an upload of this file."""
    with path.open("rb") as content:
        one = sources.from_upload(house.site, content, path.name, "Alice", house.alice)
    return restore.judge_and_stage(house.site, one.id)


def restored(house, one):
    restores.confirm(house.folder, one.id)
    return restore.carry_out(house.site, one.id, db.engine.dispose)


def changed(path: Path, *statements: str) -> None:
    """Runs SQL on a file at rest, as somebody with bad intentions would."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        for one in statements:
            connection.execute(one)


@pytest.fixture
def copy(house, tmp_path):
    """A bare copy of a good backup, to be spoiled."""
    made = back_up(house.site, "manual", "Alice")
    return Path(shutil.copy(made.path, tmp_path / "copy.sqlite"))


def test_a_listed_backup_brings_everything_back_and_undo_takes_it_back(house):
    made = back_up(house.site, "manual", "Alice")
    house.rename("after")
    epoch = installation_epoch()
    one = sources.from_list(house.site, made.name, "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    assert house.name() == "after"
    done = restored(house, one)
    assert (done.stage, done.fault) == ("done", None)
    assert house.name() == "before"
    assert installation_epoch() != epoch
    assert catalogue.backup_named(house.site.backup_dir, made.name).proven_at
    safety = catalogue.backup_named(house.site.backup_dir, done.safety)
    assert (safety.reason, safety.is_verified) == ("before-restore", True)

    assert restore.undoable(house.site).id == done.id
    back = sources.from_list(house.site, done.safety, "Alice", house.alice, is_undo=True)
    restored(house, restore.judge_and_stage(house.site, back.id))
    assert house.name() == "after"
    assert restore.undoable(house.site) is None


def test_what_is_undone_is_what_was_restored_last_not_what_was_asked_for_last(house):
    made = back_up(house.site, "manual", "Alice")
    first, second = (
        restore.judge_and_stage(house.site, sources.from_list(house.site, made.name, "Alice").id)
        for _ in range(2)
    )
    restored(house, second)
    assert restore.undoable(house.site).id == second.id
    restored(house, first)
    assert restore.undoable(house.site).id == first.id


def test_the_trail_of_the_restored_database_says_who_restored_what(house, copy):
    done = restored(house, judged(house, copy))
    row = house.sql(
        "SELECT actor_name || '|' || subject_label || '|' || after FROM audit_entries "
        "WHERE action = 'restored'"
    )
    assert str(row).startswith("Alice|copy.sqlite|")
    assert done.safety in str(row)


def test_links_in_the_file_are_void_afterwards(house):
    house.sql(
        "INSERT INTO access_tokens (user_id, purpose, token_hash, created_at, expires_at) "
        "VALUES (:user, 'reset', 'x', '2026-01-01', '2099-01-01')",
        user=house.alice,
    )
    made = back_up(house.site, "manual", "Alice")
    one = sources.from_list(house.site, made.name, "Alice", house.alice)
    restored(house, restore.judge_and_stage(house.site, one.id))
    assert house.sql("SELECT count(*) FROM access_tokens WHERE used_at IS NULL") == 0


def test_the_findings_say_what_would_be_lost(house):
    made = back_up(house.site, "manual", "Alice")
    for number in range(3):
        house.sql(
            "INSERT INTO audit_entries (at, actor_name, action, subject_type, subject_label, note)"
            " VALUES ('2099-01-01', 'x', 'changed', 'x', :label, '')",
            label=str(number),
        )
    one = sources.from_list(house.site, made.name, "Alice", house.alice)
    found = restore.judge_and_stage(house.site, one.id).findings
    assert found.changes_since == 3
    assert found.differences == [("audit entries", 6, 2)]
    assert found.revision == found.head == house.site.head


def test_an_archive_restores_like_its_file(house, tmp_path):
    made = back_up(house.site, "manual", "Alice")
    house.rename("after")
    tar = tmp_path / "backup.tar"
    tar.write_bytes(archive.archive_of(made).read_all())
    restored(house, judged(house, tar))
    assert house.name() == "before"


def test_a_raw_copy_of_a_database_in_use_is_taken_with_a_warning(house, tmp_path):
    back_up(house.site, "manual", "Alice")
    with opened(house.site.live, "mode=rw") as live:
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    raw = Path(shutil.copy(house.site.live, tmp_path / "raw.sqlite"))
    one = judged(house, raw)
    assert one.stage == "ready", one.fault
    assert any("plain copy of a database in use" in each for each in one.findings.warnings)


@pytest.mark.fault(
    "Older revision with data",
    how="a backup of the first revision",
    outcome="upgraded and restored, its rows are there",
)
def test_a_backup_of_the_first_revision_is_brought_up_to_this_version(house, tmp_path):
    old = tmp_path / "old.sqlite"
    scripts = script_directory(house.site.migrations)
    first = [one.revision for one in scripts.walk_revisions()][-1]
    assert first != house.site.head
    scratch.migrate(old, house.site.migrations, first)
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS live", (str(house.site.live),))
        for table in ("organizations", "users", "audit_entries"):
            names = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")]
            columns = ", ".join(f'"{name}"' for name in names)
            connection.execute(
                f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM live.{table}"
            )
    house.rename("after")
    one = judged(house, old)
    assert one.stage == "ready", one.fault
    assert (one.findings.revision, one.findings.head) == (first, house.site.head)
    assert restored(house, one).stage == "done"
    assert house.name() == "before"
    assert house.sql("SELECT version_num FROM alembic_version") == house.site.head
    assert status.drift(house.site) == []


def test_tables_that_are_not_ours_are_shown_and_left_out(house, copy):
    changed(copy, "CREATE TABLE notes_of_mine (a)", "INSERT INTO notes_of_mine VALUES (1)")
    one = judged(house, copy)
    assert any("notes_of_mine" in each for each in one.findings.warnings)
    restored(house, one)
    found = house.sql("SELECT count(*) FROM sqlite_master WHERE name = 'notes_of_mine'")
    assert found == 0


def test_a_column_more_than_ours_is_left_out(house, copy):
    changed(copy, "ALTER TABLE users ADD COLUMN evil TEXT DEFAULT 'x'")
    assert restored(house, judged(house, copy)).stage == "done"


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096 * 3)


def torn(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)


def scribbled(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096 * 3)


def of(*statements: str):
    return lambda path: changed(path, *statements)


HOSTILE = {
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "text": (lambda path: path.write_bytes(b"hello" * 999), "not a SQLite database"),
    "gzip": (lambda path: path.write_bytes(b"\x1f\x8b" + b"x" * 999), "gzip"),
    "header only": (lambda path: path.write_bytes(path.read_bytes()[:100]), "incomplete"),
    "truncated": (truncated, "incomplete"),
    "torn": (torn, "incomplete"),
    "scribbled": (scribbled, "integrity|damaged"),
    "foreign": (
        lambda path: (path.unlink(), changed(path, "CREATE TABLE t (a)"))[0],
        "not one of ProMan",
    ),
    "newer": (of("UPDATE alembic_version SET version_num = '20991231_0000'"), "newer ProMan"),
    "no revision": (of("DROP TABLE alembic_version"), "no revision|not one of ProMan"),
    "no administrator": (of("UPDATE users SET role = 'viewer'"), "no active administrator"),
    "deactivated": (of("UPDATE users SET deactivated_at = '2026-01-01'"), "no active admin"),
    "lacks a table": (of("DROP TABLE audit_entries"), "lacks the table audit_entries"),
    "lacks a column": (of("ALTER TABLE units DROP COLUMN notes"), "lacks units.notes"),
    "view": (of("CREATE VIEW v AS SELECT 1"), "holds a view"),
    "endless view": (
        of("CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) "
           "SELECT count(*) FROM c"),
        "holds a view",
    ),
    "table as view": (
        of("DROP TABLE audit_entries", "CREATE VIEW audit_entries AS SELECT 1 AS id"),
        "holds a view",
    ),
    "virtual table": (of("CREATE VIRTUAL TABLE ft USING fts5(a)"), "virtual table"),
    "trigger": (
        of("CREATE TRIGGER evil AFTER INSERT ON audit_entries BEGIN "
           "UPDATE users SET is_operator = 1; END"),
        "trigger .evil. that is not ProMan's",
    ),
    "computed column": (
        of("ALTER TABLE users ADD COLUMN evil TEXT AS (hex(zeroblob(100000000)))"),
        "computed columns",
    ),
    "orphan": (
        of("PRAGMA foreign_keys = OFF",
           "INSERT INTO access_tokens (user_id, purpose, token_hash, created_at, expires_at) "
           "VALUES (999, 'reset', 'x', '2026-01-01', '2026-01-01')"),
        "refers to a row",
    ),
    "breaks a check": (
        of("PRAGMA writable_schema = ON",
           "UPDATE sqlite_master SET sql = replace(sql, 'CHECK (kind IN', 'CHECK (1 OR kind IN') "
           "WHERE name = 'tenants'", "PRAGMA writable_schema = RESET",
           "INSERT INTO tenants (organization_id, kind, name, notes, created_at) "
           "VALUES (1, 'emperor', 'x', '', '2026-01-01')"),
        "break a rule|integrity",
    ),
    "other encoding": (
        lambda path: (
            path.unlink(),
            changed(path, "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE alembic_version (a)",
                    "CREATE TABLE users (a)", "CREATE TABLE organizations (a)"),
        )[0],
        "UTF-8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_bad_file_is_refused_with_its_reason_and_leaves_nothing(house, copy, files, kind):
    spoil, reason = HOSTILE[kind]
    house.rename("after")
    spoil(copy)
    before = files()
    one = judged(house, copy)
    assert one.stage == "refused"
    assert re.search(reason, one.fault), one.fault
    assert house.name() == "after"
    left = {each.rsplit("/", 1)[-1] for each in files() - before}
    assert left <= {"state.json", "running.lock"}
    with pytest.raises(Refused):
        restores.confirm(house.folder, one.id)


def test_a_command_refuses_the_same_files(house, copy):
    changed(copy, "CREATE TRIGGER evil AFTER INSERT ON users BEGIN DELETE FROM users; END")
    with pytest.raises(Refused, match="trigger"):
        verify(house.site, copy)


def test_an_archive_with_a_path_that_leads_out_is_refused(house, tmp_path, files):
    tar = tmp_path / "evil.tar"
    with tarfile.open(tar, "w") as out:
        info = tarfile.TarInfo("../../../proman.sqlite")
        info.size = 4
        out.addfile(info, io.BytesIO(b"evil"))
    one = judged(house, tar)
    assert "not part of a backup" in one.fault


def test_a_look_that_takes_too_long_is_ended(house, copy):
    limits = confined.Limits(wall=0)
    request = {"path": str(copy), "application_id": 0, "sha256": None, "seconds": 0}
    with pytest.raises(Refused, match="limits of time"):
        confined.run("proman.database.judge_process", request, limits)


def test_without_a_safety_backup_nothing_is_restored(house, copy, monkeypatch):
    one = judged(house, copy)
    house.rename("after")
    monkeypatch.setattr(
        restore.backup, "take", lambda *a, **k: (_ for _ in ()).throw(Refused("disk full"))
    )
    done = restored(house, one)
    assert (done.stage, done.fault) == ("failed", "disk full")
    assert house.name() == "after"


def test_during_a_backup_a_restore_is_refused(house, copy):
    one = judged(house, copy)
    with ops_lock(house.site.settings, "backup", "Bob"):
        done = restored(house, one)
    assert done.stage == "failed"
    assert "backup, started by Bob" in done.fault


def test_a_restore_is_confirmed_once(house, copy):
    one = judged(house, copy)
    restores.confirm(house.folder, one.id)
    with pytest.raises(Refused, match="not waiting"):
        restores.confirm(house.folder, one.id)


def test_a_busy_database_is_given_up_after_the_deadline(house, copy):
    house.rename("after")
    with opened(house.site.live, "mode=rw") as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused, match="stayed busy"):
            swap.swap(copy, house.site.live, lambda *progress: None, deadline=0.3)
    assert house.name() == "after"


def test_what_does_not_verify_after_the_swap_is_taken_back(house, copy, monkeypatch):
    house.rename("after")
    one = judged(house, copy)

    def fail(*arguments: object) -> None:
        raise Refused("not the same")

    monkeypatch.setattr(swap, "require_same", fail)
    done = restored(house, one)
    assert (done.stage, done.fault) == ("failed", "not the same")
    assert house.name() == "after"


def test_readers_keep_their_snapshot_while_it_is_replaced(house, copy):
    house.rename("after")
    one = judged(house, copy)
    with opened(house.site.live, "mode=rw") as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT legal_name FROM organizations").fetchone()[0] == "after"
        assert restored(house, one).stage == "done"
        assert reader.execute("SELECT legal_name FROM organizations").fetchone()[0] == "after"
        reader.execute("COMMIT")
        assert reader.execute("SELECT legal_name FROM organizations").fetchone()[0] == "before"


def test_what_was_left_unconfirmed_is_swept(house, copy, files):
    one = judged(house, copy)
    path = house.folder / restores.FOLDER / one.id
    assert (path / restores.STAGED).exists()
    old = replace(one, created_at="2020-01-01T00:00:00Z")
    restores.save(house.folder, old)
    restore.finish_interrupted(house.site)
    assert not path.exists()


def test_an_installation_without_a_database_can_be_restored(house, copy):
    one = judged(house, copy)
    db.session.remove()
    db.engine.dispose()
    for side in ("", "-wal", "-shm"):
        Path(f"{house.site.live}{side}").unlink(missing_ok=True)
    done = restored(house, one)
    assert (done.stage, done.safety) == ("done", None)
    assert house.name() == "before"
