"""Every alert rule on what a real server says: it fires when it should, and else is silent."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from proman import jobs
from proman.base.errors import Refused
from proman.database.backup import back_up
from proman.database.verifying import drill
from proman.db import begin_write, db, utc_now
from proman.identity.session import acting_for
from proman.settings import Settings
from tests import rigs
from tests.database.aging import backup_of
from tests.database.conftest import House, living_in
from tests.database.test_backup import orphan
from tests.factories import PASSWORD, make_lease
from tests.money import make_invoice
from tests.people import Person
from tests.promql import evaluated, seconds
from tests.scraping import Scrape, scraped
from tests.servers import ROOT, Server, serving
from tests.test_processes import is_waited_for, members, wait_until

FILE = ROOT / "deploy" / "prometheus" / "proman.rules.yaml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text("utf-8"))["groups"] for rule in group["rules"]
]
DAY = 86400
pytestmark = pytest.mark.sqlite
STUMBLE = (
    "CREATE TRIGGER stumble BEFORE UPDATE OF name ON users BEGIN SELECT RAISE(ABORT, 'no'); END"
)
Seen = list[Scrape]
"""What was scraped, one after the other."""


def firing(seen: Seen, later: float = 0) -> set[str]:
    """The alerts whose expression has a value, so many seconds after the last scrape."""
    now = seen[-1].at + later
    return {rule["alert"] for rule in RULES if evaluated(rule["expr"], seen, now)}


@pytest.fixture
def house(tmp_path: Path, new_installation: Callable[..., Settings]) -> Iterator[House]:
    """An installation with a good, proven backup."""
    with living_in(new_installation(tmp_path / "data")) as house:
        yield house


def proven(house: House) -> None:
    back_up(house.site, "manual", "Alice")
    drill(house.site, None, "Alice")


def watched(house: House, *words: str) -> Any:
    """A server of the house that tells."""
    return serving(house.folder, *words, PROMAN_METRICS="on")


def alice(server: Server) -> Person:
    return Person(server.url, "alice@example.com", PASSWORD)


def one_look(house: House) -> Seen:
    """What a server says at once."""
    with watched(house) as server:
        return [scraped(server.url)]


def test_while_all_is_well_no_alert_fires(house: House) -> None:
    proven(house)
    with house.app.app_context(), acting_for(house.organization):
        make_invoice(make_lease())
        jobs.run_due(utc_now())
        db.session.remove()
    with watched(house, "--processes", "2") as server:
        person = alice(server)
        seen = [scraped(server.url)]
        for _ in range(20):
            assert person.get("/properties/").ok
        seen.append(scraped(server.url))
    assert firing(seen) == set()


def is_absent(house: House) -> Seen:
    with serving(house.folder) as server:
        assert requests.get(f"{server.url}/metrics", timeout=30).status_code == 404
    return [Scrape(time.time())]


def is_not_ready(house: House) -> Seen:
    with watched(house) as server:
        house.sql("UPDATE alembic_version SET version_num = '20200101_0000'")
        return [scraped(server.url)]


def has_an_old_backup(house: House) -> Seen:
    backup_of(house.site, 72)
    return one_look(house)


def makes_no_backup(house: House) -> Seen:
    orphan(house.site.live)
    with pytest.raises(Refused):
        back_up(house.site, "manual", "Alice")
    return one_look(house)


def has_proven_none(house: House) -> Seen:
    back_up(house.site, "manual", "Alice")
    return one_look(house)


def has_a_damaged_backup(house: House) -> Seen:
    made = back_up(house.site, "manual", "Alice")
    made.path.write_bytes(made.path.read_bytes()[:-4096])
    with pytest.raises(Refused):
        drill(house.site, None, "Alice")
    return one_look(house)


def has_a_wrong_ledger(house: House) -> Seen:
    with house.app.app_context(), acting_for(house.organization):
        make_invoice(make_lease())
        db.session.remove()
    house.sql("UPDATE postings SET debit = debit + 1 WHERE debit > 0")
    return one_look(house)


def note_the_jobs(house: House) -> None:
    with house.app.app_context():
        jobs.run_due(utc_now())
        db.session.remove()


def has_a_job_that_fails(house: House) -> Seen:
    note_the_jobs(house)
    orphan(house.site.live)
    house.sql("UPDATE scheduled_jobs SET next_due_at = '2026-01-01 00:00:00'")
    seen: Seen = []

    def has_failed() -> bool:
        seen[:] = [scraped(server.url)]
        return seen[0].one("proman_job_failing", task="backup") == 1

    with watched(house) as server:
        wait_until(has_failed)
    assert seen[0].one("proman_job_failures_total", task="backup") == 1
    return seen


def has_a_job_of_a_process_that_died(house: House) -> Seen:
    note_the_jobs(house)
    house.sql(
        "UPDATE scheduled_jobs SET next_due_at = datetime('now', '-4 hours') || '.000000',"
        " claimed_at = datetime('now') || '.000000' WHERE name = 'backup'"
    )
    return one_look(house)


def answers_with_errors(house: House) -> Seen:
    house.sql(STUMBLE)
    with watched(house) as server:
        person = alice(server)
        seen = [scraped(server.url)]
        assert person.post("/password/name", name="Alicia").status_code == 500
        # A cluster asks more often than people do.
        for _ in range(40):
            assert requests.get(f"{server.url}/readyz", timeout=30).ok
        return [*seen, scraped(server.url)]


def is_slow(house: House) -> Seen:
    """Somebody else's change lasts for more than a second, and a person waits for it."""
    with watched(house) as server, house.app.app_context(), ThreadPoolExecutor(1) as people:
        person = alice(server)
        token = person.token()
        seen = [scraped(server.url)]
        begin_write()
        answer = people.submit(person.send, "/password/name", token, name="Alicia")
        wait_until(lambda: is_waited_for(house.site.settings))
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() > begun + 1.5)
        db.session.rollback()
        assert answer.result().status_code == 303
        db.session.remove()
        return [*seen, scraped(server.url)]


def loses_processes(house: House) -> Seen:
    with watched(house, "--processes", "2") as server:
        wait_until(lambda: scraped(server.url)["proman_processes"] == 2)
        seen = [scraped(server.url)]
        for died in (1, 2, 3):
            os.kill(max(members(server)), signal.SIGKILL)
            wait_until(lambda n=died: has_replaced(scraped(server.url), n))
        return [*seen, scraped(server.url)]


def test_a_server_that_begins_anew_again_and_again(house: House) -> None:
    proven(house)
    seen = [one_look(house)[0] for _ in range(4)]
    assert "ProManProcessesDie" not in firing(seen[:3])
    assert "ProManProcessesDie" in firing(seen)


def has_replaced(now: Scrape, died: int) -> bool:
    return now["proman_processes"] == 2 and now["proman_processes_replaced_total"] == died


def has_a_small_disk(house: House) -> Seen:
    with rigs.tmpfs(house.site.backup_dir, "64m"):
        return one_look(house)


SCENES: dict[str, Callable[[House], Seen]] = {
    "ProManAbsent": is_absent,
    "ProManNotReady": is_not_ready,
    "ProManBackupTooOld": has_an_old_backup,
    "ProManBackupFailed": makes_no_backup,
    "ProManRestoreNeverProven": has_proven_none,
    "ProManDrillFailed": has_a_damaged_backup,
    "ProManLedgerOutOfBalance": has_a_wrong_ledger,
    "ProManJobFailing": has_a_job_that_fails,
    "ProManJobLate": has_a_job_of_a_process_that_died,
    "ProManErrors": answers_with_errors,
    "ProManSlow": is_slow,
    "ProManProcessesDie": loses_processes,
}
ELSEWHERE = {
    "ProManRestoreNotProven",
    "ProManDiskNearlyFull",
    "ProManReplicaBehind",
    "ProManReplicaLost",
}


@pytest.mark.parametrize("alert", SCENES)
def test_it_fires_when_it_should(house: House, alert: str) -> None:
    assert alert in firing(SCENES[alert](house))


def test_a_restore_that_was_proven_long_ago(house: House) -> None:
    proven(house)
    seen = one_look(house)
    assert "ProManRestoreNotProven" not in firing(seen, 13 * DAY)
    assert "ProManRestoreNotProven" in firing(seen, 15 * DAY)


def test_one_of_two_installations_that_is_gone(house: House) -> None:
    proven(house)
    (alone,) = one_look(house)
    both = Scrape(alone.at)
    for job in ("office", "branch"):
        both.values |= {key | {("job", job)}: value for key, value in alone.values.items()}
    left = Scrape(alone.at + 600)
    left.values |= {key: value for key, value in both.values.items() if ("job", "office") in key}
    assert "ProManAbsent" not in firing([both])
    assert "ProManAbsent" in firing([both, left])
    assert "ProManAbsent" not in firing([both, left], later=DAY)


@pytest.mark.faults
def test_a_disk_that_is_nearly_full(house: House) -> None:
    assert "ProManDiskNearlyFull" in firing(has_a_small_disk(house))


def test_every_rule_is_exercised_documented_and_whole() -> None:
    names = [rule["alert"] for rule in RULES]
    assert sorted(names) == sorted([*SCENES, *ELSEWHERE])
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    assert re.findall(r"^\| `(ProMan\w+)`", page, re.MULTILINE) == names
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert seconds(rule.get("for", "1m")) > 0
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}
