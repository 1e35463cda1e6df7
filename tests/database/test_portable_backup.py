"""A backup is the same SQLite file from every engine, and holds exactly what the engine held."""

import hashlib
import json
from functools import partial

import pytest

from proman.base.errors import Refused
from proman.database import catalogue, durable, rules, server_copy, sqlite_copy
from proman.database.backup import back_up, take
from proman.database.live import live_database
from proman.database.sqlite_copy import opened
from proman.database.verifying import drill
from tests.database.furniture import furnish, held_by, held_in

pytestmark = pytest.mark.engines

TRAIL = {"audit_entries"}


def test_it_holds_exactly_what_the_database_held(anywhere):
    furnish(anywhere)
    live = live_database(anywhere.site)
    rows = live.count_rows()
    made = back_up(anywhere.site, "manual", "Alice")
    assert made.is_verified
    assert made.manifest.rows == rows
    assert sum(made.manifest.rows.values()) > 60
    about = live.about()
    told = (made.manifest.engine, made.manifest.server_version, made.manifest.revision)
    assert told == (about.engine, about.server_version, anywhere.site.head)
    # The trail tells of the backup once it is made.
    assert held_by(anywhere, made.path, but=TRAIL) == held_in(made.path, but=TRAIL)
    assert drill(anywhere.site, None, "Alice").rows == sum(made.manifest.rows.values())


@pytest.mark.fault(
    "Heavy writers during a backup",
    how="changes between the tables that it reads",
    outcome="it holds one moment",
)
def test_it_is_of_one_moment_although_others_go_on(anywhere):
    changed = []

    def report(phase: str, done: int, total: int) -> None:
        if phase == "copying" and not changed:
            changed.append(anywhere.sql("UPDATE users SET name = 'later'"))
            anywhere.rename("later")

    durable.private_directory(anywhere.site.backup_dir)
    made = take(anywhere.site, "manual", "Alice", report)
    assert changed
    assert anywhere.name() == "later"
    with opened(made.path) as copy:
        assert copy.execute("SELECT legal_name FROM organizations").fetchone() == ("before",)
        assert copy.execute("SELECT name FROM users").fetchone() == ("Alice",)


def test_a_copy_that_takes_too_long_is_given_up_and_leaves_nothing(anywhere, monkeypatch):
    module = sqlite_copy if anywhere.site.settings.is_sqlite else server_copy
    name = "copy_pinned" if anywhere.site.settings.is_sqlite else "copy_snapshot"
    at_once = partial(getattr(module, name), deadline=0)
    furnish(anywhere)
    monkeypatch.setattr(module, name, at_once)
    with pytest.raises(Refused, match=r"took longer than 0 .* and was given up"):
        back_up(anywhere.site, "manual", "Alice")
    assert list(anywhere.site.backup_dir.glob("*proman-*")) == []
    monkeypatch.undo()
    assert back_up(anywhere.site, "manual", "Alice").is_verified


def test_a_database_of_a_newer_version_is_not_taken_for_one_of_this_version(anywhere):
    newer, head = "20991231_0000", anywhere.site.head
    anywhere.sql("UPDATE alembic_version SET version_num = :newer", newer=newer)
    try:
        if anywhere.site.settings.is_sqlite:  # the file goes over as it is
            assert back_up(anywhere.site, "manual", "Alice").manifest.revision == newer
            return
        with pytest.raises(Refused, match="newer ProMan"):
            back_up(anywhere.site, "manual", "Alice")
        assert [one.name for one in anywhere.site.backup_dir.iterdir()] == ["journal.jsonl"]
    finally:
        anywhere.sql("UPDATE alembic_version SET version_num = :head", head=head)


def test_the_page_and_the_command_back_up_the_same_way(anywhere):
    alice = anywhere.client()
    assert alice.post("/admin/database/backups").status_code == 303
    page = alice.get("/admin/database").text
    while "Under way:" in page:
        page = alice.get("/admin/database").text
    command = ["database", "backup", "--json"]
    done = anywhere.app.test_cli_runner().invoke(args=command, catch_exceptions=False)
    assert json.loads(done.stdout)["verified"] is True
    by_command, by_page = catalogue.backups_in(anywhere.site.backup_dir)
    assert (by_page.is_verified, by_command.is_verified) == (True, True)
    page = alice.get("/admin/database").text
    assert rules.ENGINE_WORDS[by_page.manifest.engine] in page
    assert by_page.name in page
    sent = alice.get(f"/admin/database/backups/{by_page.name}.sqlite")
    assert hashlib.sha256(sent.data).hexdigest() == by_page.manifest.sha256
