"""Several replicas start at once: one migrates, all go on; what serves already stays live."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click
import pytest
import requests
from flask_migrate import check, current, downgrade, upgrade

from proman.app import MIGRATIONS, create_app
from proman.database.lock import holder
from proman.database.migrating import looking_connection, migration_connection
from proman.database.readiness import MIGRATION
from proman.database.revisions import head_revision, script_directory
from proman.db import db
from proman.doctor import examine
from proman.server import serve
from proman.settings import Settings
from tests import processes
from tests.processes import Running
from tests.servers import database_of, serving

pytestmark = pytest.mark.engines
HEAD = head_revision(MIGRATIONS)
CHAIN = [one.revision for one in script_directory(MIGRATIONS).walk_revisions()][::-1]
UNKNOWN = "29991231_2359"


@pytest.fixture
def settings(blank_settings: Settings) -> Settings:
    return blank_settings


def migrate_to(settings: Settings, revision: str) -> None:
    app = create_app(settings)
    with app.app_context():
        upgrade(revision=revision)
        db.engine.dispose()


def change(settings: Settings, *statements: str) -> None:
    with migration_connection(settings) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def assert_at_head(settings: Settings) -> None:
    with looking_connection(settings) as connection:
        assert examine(connection, HEAD) == []


@pytest.mark.fault(
    "Three replicas start at once",
    how="three processes at one moment",
    outcome="one migrates, all go on",
)
@pytest.mark.parametrize("start", [None, CHAIN[0]], ids=["empty", "old"])
def test_of_three_upgrades_at_once_one_migrates_and_all_succeed(settings, start):
    if start is not None:
        migrate_to(settings, start)
    replicas = [processes.flask(settings, "db", "upgrade") for _ in range(3)]
    ended = [replica.end() for replica in replicas]
    assert [code for code, _ in ended] == [0, 0, 0], ended
    pending = CHAIN[1:] if start else CHAIN
    assert sorted(said.count("Applied ") for _, said in ended) == [0, 0, len(pending)], ended
    assert_at_head(settings)


def hold(settings: Settings, statement: str, line: Any) -> None:
    """Runs a statement of a long migration, which ends when the line is closed."""
    with migration_connection(settings) as connection:
        connection.exec_driver_sql(statement)
        line.send("held")
        with suppress(EOFError):
            line.recv()


@contextmanager
def held(settings: Settings, statement: str) -> Iterator[Running]:
    """Another process in the middle of a migration, ended in peace afterwards unless killed."""
    ours, theirs = processes.pipe()
    running = processes.start(settings.data_dir, hold, settings, statement, theirs)
    theirs.close()
    assert ours.poll(processes.SECONDS), running.said.read_text()
    assert ours.recv() == "held"
    yield running
    ours.close()
    running.end()


@pytest.mark.fault(
    "Lock holder dies",
    how="SIGKILL to the replica that migrates",
    outcome="the one that waits migrates",
)
def test_killing_the_one_that_migrates_lets_the_next_go_on(settings):
    migrate_to(settings, CHAIN[0])
    with held(settings, "SELECT 1") as migrating:
        found = holder(settings)
        assert found is not None
        assert found.what == MIGRATION
        waiting = processes.flask(settings, "db", "upgrade")
        migrating.kill()
        code, said = waiting.end()
    assert code == 0, said
    assert said.count("Applied ") == len(CHAIN) - 1
    assert_at_head(settings)


def test_what_serves_already_stays_live_while_another_migrates(settings):
    migrate_to(settings, HEAD)
    with serving(settings.data_dir, **database_of(settings)) as server:
        assert requests.get(f"{server.url}/readyz", timeout=30).status_code == 200
        with held(settings, "ALTER TABLE tenants ADD COLUMN shoe_size INTEGER"):
            assert requests.get(f"{server.url}/healthz", timeout=30).status_code == 200
            assert requests.get(f"{server.url}/login", timeout=30).status_code == 200
            ready = requests.get(f"{server.url}/readyz", timeout=30)
            if settings.is_sqlite:
                assert ready.status_code == 503
                assert ready.text.startswith("Under way: migration, started by flask db upgrade")
            else:
                assert ready.status_code == 200
        assert requests.get(f"{server.url}/readyz", timeout=30).status_code == 200


def run_serve(settings: Settings) -> None:
    serve(create_app(settings))


def refusal(settings: Settings, act: Callable[[], None]) -> str:
    app = create_app(settings)
    with app.app_context(), pytest.raises(click.ClickException) as refused:
        act()
    return refused.value.message


def test_a_database_ahead_of_the_code_stops_everything_and_both_revisions_are_named(settings):
    migrate_to(settings, HEAD)
    change(settings, f"UPDATE alembic_version SET version_num = '{UNKNOWN}'")
    code, said = processes.start(settings.data_dir, run_serve, settings).end()
    assert (code, said.count("\n")) == (1, 1)
    told = [refusal(settings, act) for act in (upgrade, downgrade, current, check)]
    for line in (said, *told):
        assert f"at revision {UNKNOWN}" in line
        assert f"up to {HEAD}" in line


@pytest.mark.parametrize(
    ("table", "words"),
    [("invoices", "holds tables (invoices)"), ("_prisma_migrations", "the earlier ProMan")],
)
def test_tables_that_no_migration_made_are_refused_and_left(settings, table, words):
    change(settings, f"CREATE TABLE {table} (id INTEGER)", f"INSERT INTO {table} VALUES (7)")
    assert words in refusal(settings, upgrade)
    with looking_connection(settings) as connection:
        assert connection.exec_driver_sql(f"SELECT id FROM {table}").scalar() == 7
