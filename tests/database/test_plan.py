"""Schedule and retention: a file of the installation, read strictly, typed in a form, audited."""

import json
import re
import shutil
from datetime import datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.database import catalogue, nightly, plan, restore, restores, sources, status
from proman.database.backup import back_up
from proman.database.models import ScheduledJob
from proman.database.plan import INTERVALS, Plan, read_plan, save_plan
from proman.database.rules import Retention
from proman.db import begin_write, db, utc_now
from proman.jobs import schedule
from tests.database.aging import backup_of

HERE = "/admin/database/schedule"
TYPED = {
    "maker": "on", "hour": "14", "every": "6",
    "last": "5", "daily": "14", "weekly": "8", "monthly": "24",
}  # fmt: skip
PLANS = st.builds(
    Plan,
    on=st.just(True),
    hour=st.integers(0, 23),
    every=st.sampled_from([one for one in INTERVALS if one <= 24]),
)


@given(PLANS, st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))
def test_the_next_backup_is_within_the_interval_and_one_is_at_the_hour(one, moment):
    due = one.next_after(moment)
    assert moment < due <= moment + one.interval
    assert one.next_after(due) == due + one.interval
    assert one.hour in one.hours
    assert len(one.hours) == 24 // one.every


@given(PLANS, st.builds(Retention, *[st.integers(0, 1000)] * 4))
def test_what_is_saved_is_read_again(tmp_path_factory, one, retention):
    folder = tmp_path_factory.mktemp("plan")
    saved = Plan(one.on, one.hour, one.every, retention)
    save_plan(folder, saved)
    assert read_plan(folder) == saved
    assert (folder / plan.FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [plan.FILE]
    shutil.rmtree(folder)


GOOD = {"format": plan.FORMAT, **Plan().values()}


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "[" * 100_000, '{"format": "proman-backup-settings-1"}',
        *(json.dumps(GOOD | {key: value}) for key, value in [
            ("format", "other"), ("on", 1), ("on", None), ("hour", 24), ("hour", True),
            ("every", 5), ("every", 0), ("last", -1), ("daily", 1.5), ("weekly", "4"),
            ("monthly", 10**9),
        ]),
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_and_then_nothing_is_deleted(house, content):
    for _ in range(5):
        back_up(house.site, "manual", "Alice")
    save_plan(house.folder, Plan(retention=Retention(3, 0, 0, 0)))
    whole = content if isinstance(content, bytes) else content.encode()
    (house.folder / plan.FILE).write_bytes(whole)
    found = house.site.plan
    assert (found.on, found.hour, found.every, found.retention) == (True, 2, 24, Retention())
    assert found.fault in status.status(house.site, utc_now()).warnings
    assert "none is removed" in found.fault
    with pytest.raises(Refused, match="cannot be read"):
        nightly.prune(house.site, "Alice", utc_now() + timedelta(days=400))
    assert "none removed" in nightly.nightly_backup(house.site)
    assert len(catalogue.backups_in(house.site.backup_dir)) == 6


def test_a_restore_does_not_rewrite_the_plan(house):
    made = back_up(house.site, "manual", "Alice")
    chosen = Plan(False, 5, 12, Retention(9, 8, 7, 6))
    save_plan(house.folder, chosen)
    db.session.remove()
    one = sources.from_list(house.site, made.name, "Alice")
    restore.judge_and_stage(house.site, one.id)
    restores.confirm(house.folder, one.id)
    assert restore.carry_out(house.site, one.id, db.engine.dispose).stage == "done"
    assert house.site.plan == chosen


def sent(house, **changes):
    client = house.client()
    page = BeautifulSoup(client.get(HERE).text, "lxml")
    before = page.select_one("input[name=before]")["value"]
    return client, client.post(HERE, data={**TYPED, "before": before, **changes})


def test_what_is_saved_holds_for_the_page_the_schedule_and_the_trail(house):
    begin_write()
    now = utc_now()
    db.session.add(ScheduledJob(name="backup", next_due_at=now + timedelta(days=3)))
    db.session.commit()
    client, answer = sent(house)
    assert answer.status_code == 303, answer.text
    saved = Plan(True, 14, 6, Retention(5, 14, 8, 24))
    assert house.site.plan == saved
    page = client.get("/admin/database").text
    assert "Every 6 hours at 02:00, 08:00, 14:00, 20:00 UTC" in page
    assert "Kept: the last 5, 14 daily, 8 weekly, 24 monthly" in page
    db.session.rollback()
    assert db.session.get(ScheduledJob, "backup").next_due_at == saved.next_after(now)
    (job,) = (one for one in schedule() if one.name == "backup")
    assert job.next_after(now) == saved.next_after(now)
    trail = "SELECT {} FROM audit_entries WHERE subject_type = 'database' AND action = 'changed'"
    assert json.loads(house.sql(trail.format("before")))["every"] == 24
    after = json.loads(house.sql(trail.format("after")))
    assert after == {"hour": 14, "every": 6, "last": 5, "daily": 14, "weekly": 8, "monthly": 24}
    assert "Schedule and retention of backups" in client.get("/admin/audit").text


def test_saving_what_stands_leaves_no_line_in_the_trail(house):
    _, answer = sent(house)
    assert answer.status_code == 303
    _, answer = sent(house)
    assert answer.status_code == 303
    count = "SELECT count(*) FROM audit_entries WHERE action = 'changed'"
    assert house.sql(count) == 1


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("last", "2", "Write 3 or more"), ("last", "0", "Write 3 or more"),
        ("last", "", "Write a whole number"), ("daily", "-1", "Write a whole number"),
        ("daily", "1.5", "Write a whole number"), ("weekly", "many", "Write a whole number"),
        ("weekly", "9" * 5000, "Write a whole number"), ("monthly", "1001", "Write 1,000 or less"),
        ("hour", "24", "Choose one of the list"), ("every", "5", "Choose one of the list"),
        ("every", "168", "at least one a day"), ("maker", "", "Choose one of the list"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_beside_its_field_and_nothing_is_saved(house, field, typed, said):
    _, answer = sent(house, **{field: typed})
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "lxml")
    assert said in page.select_one(f"#{field}-error").text
    assert "as soon as every field can be read" in page.select_one("#outlook").text
    if field not in ("hour", "every", "maker"):
        assert page.select_one(f"#{field}")["value"] == typed
    assert not (house.folder / plan.FILE).exists()
    assert house.sql("SELECT count(*) FROM audit_entries WHERE action = 'changed'") == 0


def test_two_tabs_keep_both_changes_and_the_same_field_is_asked_about(house):
    client = house.client()
    pages = [BeautifulSoup(client.get(HERE).text, "lxml") for _ in range(2)]
    first, second = ({"before": p.select_one("input[name=before]")["value"]} for p in pages)
    standing = {
        "maker": "on", "hour": "2", "every": "24",
        "last": "3", "daily": "7", "weekly": "4", "monthly": "12",
    }  # fmt: skip
    assert client.post(HERE, data=standing | first | {"daily": "30"}).status_code == 303
    assert client.post(HERE, data=standing | second | {"weekly": "9"}).status_code == 303
    assert house.site.plan.retention == Retention(3, 30, 9, 12)
    answer = client.post(HERE, data=standing | second | {"daily": "10"})
    assert answer.status_code == 422
    assert "Somebody changed this meanwhile: it is “30” now" in answer.text


def test_the_preview_tells_what_would_stay_and_why_and_saves_nothing(house):
    made = [backup_of(house.site, hours) for hours in (5, 4, 3, 2, 1)]
    catalogue.pin(catalogue.backup_named(house.site.backup_dir, made[0]), True)
    client = house.client()
    rules = TYPED | {"last": "3", "daily": "0", "weekly": "0", "monthly": "0"}
    page = client.post(f"{HERE}/preview", data=rules)
    assert page.status_code == 200
    assert "<html" in page.text
    part = client.post(f"{HERE}/preview", data=rules, headers={"HX-Request": "true"})
    for answer in (page, part):
        text = re.sub(r"\s+", " ", BeautifulSoup(answer.text, "lxml").get_text())
        assert "4 of 5 stay. 1 goes after the next verified backup" in text
        assert text.count("One of the last") == 3
        assert text.count("Pinned") == 1
        assert text.count("No rule keeps it") == 1
    assert "<html" not in part.text
    wrong = client.post(f"{HERE}/preview", data=rules | {"last": "1"})
    assert wrong.status_code == 422
    assert "Write 3 or more" in wrong.text
    assert not (house.folder / plan.FILE).exists()
    assert len(catalogue.backups_in(house.site.backup_dir)) == 5


def test_who_leaves_it_to_cron_has_files_verified_and_old_ones_removed(house, tmp_path):
    save_plan(house.folder, Plan(False, 2, 24, Retention(3, 0, 0, 0)))
    for hours in (5, 4, 3, 2, 1):
        backup_of(house.site, hours)
    assert nightly.by_schedule(house.site) == "0 verified"
    assert len(catalogue.backups_in(house.site.backup_dir)) == 5
    other = back_up(house.site, "manual", "Alice", tmp_path / "other")
    shutil.copy(other.path, house.site.backup_dir / "proman-20260101-030000.sqlite")
    assert nightly.by_schedule(house.site) == "1 verified, 2 older removed"
    left = catalogue.backups_in(house.site.backup_dir)
    assert {one.reason for one in left} == {"schedule", "found"}
    page = house.client().get("/admin/database").text
    assert "Made by cron or another tool, every day" in page


def test_the_list_tells_by_whom_and_which_checks(house):
    back_up(house.site, "manual", "Zoë Müller")
    back_up(house.site, "schedule", nightly.BY)
    page = house.client().get("/admin/database").text
    for words in ("Zoë Müller", "the schedule", "integrity, references, counts, hash"):
        assert words in page


def test_only_an_operator_may_see_or_change_it(app, sign_in):
    for person in ("mona", "vera", "charlie"):
        client = sign_in(person)
        assert client.get(HERE).status_code == 403
        assert client.post(HERE, data=TYPED).status_code == 403
        assert client.post(f"{HERE}/preview", data=TYPED).status_code == 403
