"""Clocks that lie, nights that are missed, verification that never succeeds: the real schedule."""

import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from proman import jobs
from proman.database import catalogue
from proman.db import db, utc_now
from tests import rigs
from tests.database.aging import backup_of
from tests.database.conftest import House
from tests.database.test_backup import orphan
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import serving

pytestmark = pytest.mark.faults
DAY = timedelta(days=1)
MORNING = utc_now().replace(hour=1, minute=0, second=0, microsecond=0)


def with_history(house: House, nights: int) -> list[str]:
    """Backups of so many nights, oldest first, and a schedule that knows its next one."""
    names = [backup_of(house.site, 24 * n) for n in range(nights, 0, -1)]
    jobs.run_due(MORNING, jobs.schedule())
    db.session.remove()
    db.engine.dispose()
    return names


def jobs_run(folder: Path, moment: datetime) -> subprocess.CompletedProcess[str]:
    """What cron does at a moment that the clock of the machine says it is."""
    return rigs.flask(rigs.clock(f"{moment:%Y-%m-%d %H:%M:%S}"), folder, "jobs", "run")


def listed(folder: Path) -> set[str]:
    return {one.name for one in catalogue.backups_in(folder / "backups")}


@pytest.mark.fault(
    "Clock set back",
    how="faketime: the clock falls back by 30 days before a night of the schedule",
    outcome="the backup is made and nothing is removed",
)
def test_a_clock_that_falls_back_removes_nothing(house):
    before = set(with_history(house, 14))
    done = jobs_run(house.folder, MORNING - 30 * DAY + timedelta(hours=2))
    assert done.returncode == 0, done.stderr
    after = listed(house.folder)
    assert before <= after
    done = jobs_run(house.folder, MORNING + timedelta(hours=2))
    made = listed(house.folder) - before
    assert made
    newest = catalogue.newest_verified(catalogue.backups_in(house.site.backup_dir))
    assert newest is not None
    assert newest.name in made


@pytest.mark.fault(
    "Clock ten years ahead",
    how="faketime: the clock leaps by ten years before a night of the schedule, and comes back",
    outcome="no more is removed than in any night; afterwards the schedule goes on",
)
def test_a_clock_ten_years_ahead_removes_no_more_than_any_night(house, tmp_path):
    before = set(with_history(house, 14))
    ordinary = tmp_path / "ordinary"
    shutil.copytree(house.folder, ordinary)
    assert jobs_run(ordinary, MORNING + DAY + timedelta(hours=2)).returncode == 0
    ahead = jobs_run(house.folder, MORNING + 3653 * DAY + timedelta(hours=2))
    assert ahead.returncode == 0, ahead.stderr
    removed = before - listed(house.folder)
    assert removed <= before - listed(ordinary) != set()
    left = listed(house.folder)
    back = jobs_run(house.folder, MORNING + DAY + timedelta(hours=2))
    assert back.returncode == 0, back.stderr
    back = jobs_run(house.folder, MORNING + 2 * DAY + timedelta(hours=2))
    assert left < listed(house.folder)


@pytest.mark.fault(
    "Missed schedule",
    how="faketime: the machine is off for a week",
    outcome="one backup makes up for all nights",
)
def test_a_week_that_was_missed_is_made_up_for_once(house):
    before = set(with_history(house, 1))
    for minutes in (0, 10):
        done = jobs_run(house.folder, MORNING + 7 * DAY + timedelta(hours=8, minutes=minutes))
        assert done.returncode == 0, done.stderr
        assert len(listed(house.folder) - before) == 1


@pytest.mark.fault(
    "Verification always fails",
    how="a database with a broken reference, night after night",
    outcome="nothing is made, nothing is removed, and the alarm rings",
)
def test_when_no_backup_is_good_nothing_is_removed_and_the_alarm_rings(house):
    before = set(with_history(house, 14))
    orphan(house.site.live)
    for night in (1, 2):
        done = jobs_run(house.folder, MORNING + night * DAY + timedelta(hours=2))
        assert "access_tokens" in done.stdout + done.stderr
        assert listed(house.folder) == before
    with serving(house.folder, PROMAN_METRICS="1") as server:
        metrics = requests.get(f"{server.url}/metrics", timeout=30).text
        assert "\nproman_backup_failed 1" in metrics
        alice = Person(server.url, "alice@example.com", PASSWORD)
        assert "The last backup failed" in alice.get("/").text
