"""A restore that was looked into and waits: what becomes of it until somebody confirms it."""

import os
import re
import time
from contextlib import closing

import pytest

from proman.database import restore, restores, sources
from proman.database.backup import back_up
from proman.database.driver import sqlite3
from proman.database.journal_checks import standing
from proman.database.sqlite_copy import opened
from proman.db import db
from tests import factories
from tests.factories import PASSWORD

HOME = "/admin/database"


def waiting(house):
    """A restore of a new backup, ready to be confirmed."""
    made = back_up(house.site, "manual", "Alice")
    one = sources.from_list(house.site, made.name, "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    return one


def carried_out(house, one):
    restores.confirm(house.folder, one.id)
    return restore.carry_out(house.site, one.id, db.engine.dispose)


@pytest.mark.engines
def test_what_another_version_made_ready_is_not_put_under_this_one(anywhere):
    house = anywhere
    one = waiting(house)
    house.rename("after")
    with opened(house.folder / restores.FOLDER / one.id / restores.STAGED, "mode=rw") as staged:
        staged.execute("UPDATE alembic_version SET version_num = '20261126_2105'")
    done = carried_out(house, one)
    assert done.stage == "failed"
    assert "20261126_2105" in done.fault
    assert "Nothing was changed" in done.fault
    assert house.name() == "after"
    assert [line.what for line in standing(house.site).lines] == ["backup", "restore failed"]


def test_what_a_newer_version_beside_the_running_one_makes_ready_is_refused(house):
    made = back_up(house.site, "manual", "Alice")
    one = sources.from_list(house.site, made.name, "Alice", house.alice)

    class Older(type(house.site)):
        head = "20261126_2105"

    site = Older(**vars(house.site))
    done = restore.judge_and_stage(site, one.id)
    assert done.stage == "refused"
    assert "20261126_2105" in done.fault


def test_who_confirms_it_is_who_restored_it(house):
    one = waiting(house)
    factories.make_user(house.organization, "bob@example.com", "administrator", operator=True)
    back_up(house.site, "manual", "Alice")
    client = house.app.test_client()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    client.post("/login", data={"email": "bob@example.com", "password": PASSWORD})
    address = f"{HOME}/restores/{one.id}"
    data = {"password": PASSWORD, "word": "RESTORE"}
    assert client.post(f"{address}/confirmation", data=data).status_code == 303
    until = time.monotonic() + 60
    while restores.load(house.folder, one.id).is_running:
        assert time.monotonic() < until
        time.sleep(0.01)
    last = standing(house.site).lines[-1]
    assert (last.what, last.who, last.where) == ("restore", "Bob", "192.0.2.7")
    told = house.sql("SELECT actor_name FROM audit_entries WHERE action = 'restored'")
    assert told == "Bob"


@pytest.mark.engines
def test_its_page_counts_what_would_be_lost_as_of_now(anywhere):
    house = anywhere
    one = waiting(house)
    client = house.client()
    house_of_today = {"name": "Quay House", "type": "house", "country": "IE", "is_single_unit": "y"}
    assert client.post("/properties/", data=house_of_today).status_code == 303
    address = f"{HOME}/restores/{one.id}"
    shown = client.get(address)
    refused = client.post(f"{address}/confirmation", data={"password": PASSWORD, "word": "no"})
    assert (shown.status_code, refused.status_code) == (200, 422)
    changes = house.sql("SELECT count(*) FROM audit_entries WHERE subject_type = 'properties'")
    assert changes > 0
    for page in (shown.text, refused.text):
        lost = re.search(r"Would be lost.*?(\d+) change", page, re.DOTALL)
        assert lost is not None
        assert int(lost[1]) >= changes
        properties = re.search(r'"Kind">Properties<.*?>(\d+)<.*?>(\d+)<', page, re.DOTALL)
        assert properties is not None
        assert (properties[1], properties[2]) == ("1", "0")


@pytest.mark.parametrize("typed", ["no\n", ""])
def test_what_is_declined_at_a_terminal_waits_for_nobody(house, files, typed):
    made = back_up(house.site, "manual", "Alice")
    before = files()
    done = house.app.test_cli_runner().invoke(args=["database", "restore", made.name], input=typed)
    assert done.exit_code == 1
    assert "Nothing was changed." in done.output
    assert restores.every(house.folder) == []
    assert files() == before


def test_one_whose_files_are_gone_says_what_to_do(house):
    one = waiting(house)
    restores.drop_files(house.folder, one.id)
    done = carried_out(house, one)
    assert done.stage == "failed"
    assert "Choose the backup again" in done.fault


def test_its_page_tells_of_a_live_file_that_was_damaged_meanwhile(house):
    one = waiting(house)
    client = house.client()
    db.session.remove()
    db.engine.dispose()
    with closing(sqlite3.connect(house.site.live, isolation_level=None)) as live:
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        roots = live.execute(
            "SELECT rootpage FROM sqlite_master WHERE tbl_name IN ('rents', 'charges')"
            " AND rootpage > 0"
        ).fetchall()
    with house.site.live.open("r+b") as file:
        for (page,) in roots:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)
    shown = client.get(f"{HOME}/restores/{one.id}")
    assert shown.status_code == 200
    assert "The live database is damaged" in shown.text
    assert "flask database restore" in shown.text
    assert "Replace the database" not in shown.text


def test_a_folder_without_a_state_goes_after_a_day(house):
    """What a kill leaves between making the folder and writing the first state into it."""
    folder = house.folder / restores.FOLDER
    kept = waiting(house)
    made = {name: folder / name for name in ("0" * 16, "1" * 16, "2" * 16, "no-restore")}
    for path in made.values():
        path.mkdir()
    (made["2" * 16] / restores.STATE).write_text("{")
    a_day_ago = time.time() - restores.ABANDONED.total_seconds() - 60
    for name in ("1" * 16, "2" * 16, "no-restore"):
        os.utime(made[name], (a_day_ago, a_day_ago))
    restores.sweep(house.folder)
    left = {one.name for one in folder.iterdir()}
    assert left == {kept.id, "0" * 16, "2" * 16, "no-restore"}
    a_month_ago = time.time() - restores.KEEP.total_seconds() - 60
    os.utime(made["2" * 16], (a_month_ago, a_month_ago))
    restores.sweep(house.folder)
    assert not made["2" * 16].exists()
