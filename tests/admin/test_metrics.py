"""The page for Prometheus: off unless it is on, well formed, true, and not for those outside."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from proman.admin.metrics import METRICS
from proman.base.errors import Refused
from proman.database.backup import back_up
from proman.database.verifying import drill
from proman.db import db
from proman.settings import Settings
from tests.database.aging import backup_of
from tests.database.conftest import House, living_in
from tests.scraping import Scrape, parsed
from tests.servers import ROOT, database_of, serving

ONCE_THERE_IS_A_BACKUP = {
    "proman_backup_last_success_timestamp_seconds", "proman_backup_age_seconds",
    "proman_drill_last_success_timestamp_seconds",
}  # fmt: skip
ONCE_JOBS_RAN = {
    "proman_job_last_run_timestamp_seconds", "proman_job_last_success_timestamp_seconds",
    "proman_job_next_due_timestamp_seconds", "proman_job_failing", "proman_job_failures_total",
}  # fmt: skip
ONCE_THERE_WAS_A_REQUEST = {
    "proman_http_request_duration_seconds", "proman_http_statements_total",
}  # fmt: skip
OF_SERVERS = {
    "proman_process_start_time_seconds", "proman_process_resident_memory_bytes",
}  # fmt: skip
OF_A_REPLICA = {"proman_replica_usable", "proman_replica_lag_seconds"}
ALWAYS = {metric.name for metric in METRICS} - (
    ONCE_THERE_IS_A_BACKUP | ONCE_JOBS_RAN | ONCE_THERE_WAS_A_REQUEST | OF_SERVERS | OF_A_REPLICA
)


@pytest.fixture
def measured(tmp_path: Path, new_installation: Callable[..., Settings]) -> Iterator[House]:
    """An installation whose metrics are on."""
    with living_in(new_installation(tmp_path / "data", metrics=True)) as house:
        yield house


def asked(house: House) -> Scrape:
    answer = house.app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(answer.text)


def test_it_is_off_unless_it_is_on(app):
    assert app.test_client().get("/metrics").status_code == 404


@pytest.mark.engines
def test_what_it_says_is_so(measured):
    found = asked(measured)
    assert set(found.kinds) == ALWAYS
    assert found["proman_ready"] == 1
    assert found["proman_database_size_bytes"] > 0
    assert found["proman_free_bytes"] > 0
    assert (found["proman_backups"], found["proman_backup_overdue"]) == (0, 0)
    made = back_up(measured.site, "manual", "Alice")
    drill(measured.site, None, "Alice")
    found = asked(measured)
    assert set(found.kinds) >= ALWAYS | ONCE_THERE_IS_A_BACKUP
    taken = made.created_at.replace(tzinfo=UTC).timestamp()
    assert found["proman_backup_last_success_timestamp_seconds"] == taken
    now = datetime.now(UTC).timestamp()
    assert 0 <= found["proman_backup_age_seconds"] <= now - taken + 1
    assert taken <= found["proman_drill_last_success_timestamp_seconds"] <= now
    assert (found["proman_backups"], found["proman_backup_failed"]) == (1, 0)


@pytest.mark.sqlite
def test_what_goes_wrong_is_measured_even_without_a_database(measured):
    backup_of(measured.site, 72)
    db.session.remove()
    db.engine.dispose()
    for suffix in ("", "-wal", "-shm"):
        measured.site.live.with_name(f"proman.sqlite{suffix}").unlink(missing_ok=True)
    with pytest.raises(Refused):
        back_up(measured.site, "manual", "Alice")
    found = asked(measured)
    assert found["proman_ready"] == 0
    assert "proman_database_size_bytes" not in found
    assert found["proman_backup_age_seconds"] >= 72 * 3600
    assert (found["proman_backup_failed"], found["proman_backup_overdue"]) == (1, 1)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_what_comes_through_a_proxy_is_refused(measured, header):
    client = measured.app.test_client()
    assert client.get("/metrics", headers={header: "203.0.113.7"}).status_code == 403


def test_a_server_answers_prometheus_and_no_proxy(
    tmp_path: Path, new_installation: Callable[..., Settings]
) -> None:
    settings = new_installation(tmp_path / "data")
    on = database_of(settings) | {"PROMAN_METRICS": "on"}
    with serving(settings.data_dir, **on) as server:
        answer = requests.get(f"{server.url}/metrics", timeout=30)
        assert parsed(answer.text)["proman_ready"] == 1
        outside = {"X-Forwarded-For": "203.0.113.7"}
        refused = requests.get(f"{server.url}/metrics", headers=outside, timeout=30)
        assert refused.status_code == 403


def test_every_metric_is_documented_with_its_kind_and_labels():
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    told = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in page.splitlines()
        if line.startswith("| `proman_")
    ]
    assert told == [
        (f"`{one.name}`", one.kind, ", ".join(f"`{label}`" for label in one.labels), one.help)
        for one in METRICS
    ]
