"""The schedule: each job once, whoever asks; one catch-up; clocks that jump."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta

import pytest

from proman import jobs
from proman.base.errors import Refused
from proman.database.maintenance import Notice, maintenance
from proman.database.models import ScheduledJob
from proman.db import begin_write, db
from proman.jobs import Job, run_due, schedule

MORNING = datetime(2026, 11, 22, 1, 0)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield
        db.session.remove()


def job(said: list[datetime], at: time = time(2), **options) -> Job:
    def run(now: datetime) -> str:
        said.append(now)
        return "done"

    return Job("test", run, at, **options)


def row() -> ScheduledJob:
    db.session.rollback()
    found = db.session.get(ScheduledJob, "test", populate_existing=True)
    assert found is not None
    return found


def test_a_new_job_waits_for_its_first_time_then_runs_once_a_day():
    said: list[datetime] = []
    one = job(said)
    assert run_due(MORNING, [one]) == []
    assert row().next_due_at == datetime(2026, 11, 22, 2, 0)
    for hours in (0.5, 1, 1.5, 2, 24, 25, 26):
        run_due(MORNING + timedelta(hours=hours), [one])
    assert said == [MORNING + timedelta(hours=1), MORNING + timedelta(hours=25)]
    assert (row().last_result, row().claimed_at) == ("done", None)


@pytest.mark.fault(
    "Missed schedule",
    how="a week of moments that nobody looked at",
    outcome="one catch-up",
)
def test_after_a_week_of_downtime_it_is_made_up_for_once():
    said: list[datetime] = []
    one = job(said)
    run_due(MORNING, [one])
    back = MORNING + 7 * DAY
    for minutes in range(0, 30, 10):
        run_due(back + timedelta(minutes=minutes), [one])
    assert said == [back]
    assert row().next_due_at == datetime(2026, 11, 29, 2, 0)


def test_a_job_that_fails_is_tried_again_within_the_hour_and_says_why():
    def fail(now: datetime) -> str:
        raise Refused("No space is left.")

    one = Job("test", fail, time(2))
    run_due(MORNING, [one])
    due = MORNING + timedelta(hours=1)
    assert [each.result for each in run_due(due, [one])] == ["failed: No space is left."]
    assert row().next_due_at == due + timedelta(hours=1)
    assert run_due(due + timedelta(minutes=59), [one]) == []
    assert len(run_due(due + timedelta(hours=1), [one])) == 1


@pytest.mark.fault(
    "Clock set back",
    how="a time set while the clock was ahead",
    outcome="put right, so that no night is missed",
)
def test_a_time_set_while_the_clock_was_ahead_is_put_right():
    said: list[datetime] = []
    one = job(said)
    run_due(MORNING + 3650 * DAY, [one])
    run_due(MORNING, [one])
    assert row().next_due_at == datetime(2026, 11, 22, 2, 0)
    run_due(MORNING + timedelta(hours=1), [one])
    assert len(said) == 1


def test_a_claim_of_a_process_that_died_lapses():
    said: list[datetime] = []
    one = job(said)
    run_due(MORNING, [one])
    due = MORNING + timedelta(hours=1)
    begin_write()
    row_ = db.session.get(ScheduledJob, "test")
    row_.claimed_at, row_.claimed_by = due, "dead 1"
    db.session.commit()
    assert run_due(due + timedelta(minutes=1), [one]) == []
    assert len(run_due(due + jobs.CLAIM, [one])) == 1


@pytest.mark.engines
def test_eight_at_once_run_it_once(app):
    said: list[datetime] = []
    one = job(said)

    def work(now: datetime) -> None:
        with app.app_context():
            run_due(now, [one])
            db.session.remove()

    for now in (MORNING, MORNING + timedelta(hours=2)):
        with ThreadPoolExecutor(8) as processes:
            assert list(processes.map(work, [now] * 8)) == [None] * 8
    assert said == [MORNING + timedelta(hours=2)]


def test_in_maintenance_nothing_runs_and_nothing_is_missed(app):
    said: list[datetime] = []
    one = job(said)
    run_due(MORNING, [one])
    settings = app.extensions["proman_settings"]
    due = MORNING + timedelta(hours=1)
    with maintenance(settings, Notice("a restore", "Alice", "now")):
        assert run_due(due, [one]) == []
    assert len(run_due(due, [one])) == 1


def test_early_morning_is_the_organizations_own_also_when_clocks_change():
    one = job([], at=time(4), zone="Europe/Berlin")
    assert one.next_after(datetime(2026, 7, 1, 0, 0)) == datetime(2026, 7, 1, 2, 0)
    assert one.next_after(datetime(2026, 10, 24, 12, 0)) == datetime(2026, 10, 25, 3, 0)
    auckland = job([], at=time(4), zone="Pacific/Auckland")
    assert auckland.next_after(datetime(2026, 7, 1, 0, 0)) == datetime(2026, 7, 1, 16, 0)


def test_a_job_of_every_few_hours_runs_through_the_day():
    one = job([], at=time(22), every=8)
    moment, due = datetime(2026, 11, 16, 5, 59), []
    for _ in range(4):
        moment = one.next_after(moment)
        due.append((moment.day, moment.hour))
    assert due == [(16, 6), (16, 14), (16, 22), (17, 6)]


def test_a_weekly_job_waits_for_its_day():
    one = job([], at=time(3), weekday=6)
    assert one.next_after(datetime(2026, 11, 16, 0, 0)) == datetime(2026, 11, 22, 3, 0)
    assert one.next_after(datetime(2026, 11, 22, 3, 0)) == datetime(2026, 11, 29, 3, 0)


def test_the_installations_own_schedule_runs(cast):
    names = [one.name for one in schedule()]
    assert names[:3] == ["backup", "statistics", "drill"]
    assert f"billing {cast.organization}" in names
    assert f"billing {cast.other_organization}" in names
    run_due(MORNING)
    ran = {one.name: one.result for one in run_due(MORNING + 8 * DAY)}
    assert set(ran) == set(names)
    assert not [one for one in ran.values() if one.startswith(jobs.FAILED)], ran
    assert ran[f"billing {cast.organization}"] == "0 issued"
    assert ran[f"late fees {cast.organization}"] == "0 charged, 0 taken back"
    assert ran["drill"].endswith("rows restored")
