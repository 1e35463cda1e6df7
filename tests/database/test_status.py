"""`flask database status` and the page of the database tell the same."""

import json

import pytest
from flask_migrate import downgrade, upgrade

from proman.app import MIGRATIONS
from proman.database import status
from proman.database.driver import SAFE_SINCE, sqlite3
from proman.database.revisions import chain_to
from proman.db import utc_now
from tests.database.conftest import House

CHAIN = chain_to(MIGRATIONS, "head")
OF_THE_CONTRACT = {
    "engine", "server_version", "revision", "head", "drift", "size_bytes", "last_backup",
    "last_proven",
}  # fmt: skip


def told_by_command(house: House) -> dict[str, object]:
    done = house.app.test_cli_runner().invoke(args=["database", "status", "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.engines
def test_the_command_and_the_page_tell_what_stands(anywhere):
    told = told_by_command(anywhere)
    assert told.keys() >= OF_THE_CONTRACT
    assert (told["revision"], told["head"], told["pending"], told["drift"]) == (
        CHAIN[-1], CHAIN[-1], [], [],
    )  # fmt: skip
    assert (told["replica"], told["replica_lag_seconds"]) == (False, None)
    assert told["sqlite_version"] == sqlite3.sqlite_version
    page = anywhere.client().get("/admin/database").text
    for words in ("None pending", "Drift from its revision", "Read replica", "no known fault"):
        assert words in page
    assert str(told["server_version"]) in page


def test_what_is_pending_and_what_drifted_is_told_by_name(house):
    downgrade(revision=CHAIN[-3])
    house.sql("CREATE TABLE extra (id INTEGER)")
    told = told_by_command(house)
    assert told["pending"] == CHAIN[-2:]
    assert told["drift"] == ["not of this revision: table extra"]
    upgrade()
    page = house.client().get("/admin/database").text
    assert "The schema is not what its revision makes: not of this revision: table extra" in page


def test_a_known_fault_of_the_library_is_told(house, monkeypatch):
    newer = (SAFE_SINCE[0], SAFE_SINCE[1] + 1, 0)
    monkeypatch.setattr("proman.database.driver.SAFE_SINCE", (99, *newer[1:]))
    found = status.status(house.site, utc_now())
    assert len(found.sqlite_faults) == 1
    assert found.sqlite_faults[0] in found.warnings
    assert "with a known fault" in house.client().get("/admin/database").text
