"""A migration killed at any moment: all old or all new; on MySQL the next run goes on."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask_migrate import downgrade, stamp, upgrade
from sqlalchemy import text

from proman.app import MIGRATIONS, create_app
from proman.database.description import Schema, describe
from proman.database.migrating import looking_connection
from proman.database.mysql_steps import Interrupted, interrupted_in
from proman.database.revisions import chain_to
from proman.db import db
from proman.doctor import drifted, examine
from proman.identity.session import acting_for
from proman.settings import Settings
from tests import factories, processes
from tests.conftest import make_settings
from tests.database.interrupting import REVISION, run, with_keys
from tests.engines import MYSQL, fresh_database
from tests.instances import mariadb
from tests.instances import run as run_on

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
HEAD = chain_to(MIGRATIONS, "head")[-1]
State = tuple[Schema, dict[str, list[tuple[object, ...]]]]


@pytest.fixture
def place(blank_settings: Settings) -> Settings:
    """An installation at head with three tenants."""
    return filled(blank_settings)


@pytest.fixture
def on_mysql(tmp_path: Path) -> Iterator[Settings]:
    """The same on MySQL alone."""
    with fresh_database(MYSQL) as url:
        yield filled(make_settings(tmp_path / "data", database_url=url))


def filled(settings: Settings) -> Settings:
    app = create_app(settings)
    with app.app_context():
        upgrade()
        with acting_for(factories.make_organization()):
            for _ in range(3):
                factories.make_tenant()
        db.session.remove()
        db.engine.dispose()
    return settings


def state_of(settings: Settings) -> State:
    with looking_connection(settings) as connection:
        schema = describe(connection)
        rows = {}
        for name in ("alembic_version", "tenants", "unit_keys"):
            if name == "alembic_version" or f"table {name}" in schema:
                found = connection.execute(text(f"SELECT * FROM {name} ORDER BY 1"))
                rows[name] = [tuple(row) for row in found]
        return schema, rows


def go(settings: Settings, way: str, directory: Path, *killed: object) -> tuple[int | None, str]:
    return processes.start(settings.data_dir, run, settings, way, directory, *killed).end()


@pytest.mark.fault(
    "Kill during an upgrade",
    how="SIGKILL before and after statements",
    outcome="all old or all new (MySQL and MariaDB: the next run goes on)",
)
@pytest.mark.engines
@pytest.mark.parametrize("way", ["upgrade", "downgrade"])
def test_killed_at_any_moment_it_is_old_or_new_and_the_next_run_finishes(place, tmp_path, way):
    directory = with_keys(tmp_path, HEAD)
    back = {"upgrade": "downgrade", "downgrade": "upgrade"}[way]
    if way == "downgrade":
        assert go(place, "upgrade", directory)[0] == 0
    old = state_of(place)
    code, said = go(place, way, directory)
    assert code == 0, said
    new = state_of(place)
    first, last = map(int, said.rsplit("changes: ", 1)[1].split(" to "))
    went_on = 0
    for number in range(last, first - 1, -max(1, (last - first) // (4 * SCALE))):
        assert go(place, back, directory)[0] == 0
        assert state_of(place) == old
        assert go(place, way, directory, number, number % 2 == 0)[0] == -9
        if place.database_url.get_backend_name() in ("sqlite", "postgresql"):
            assert state_of(place) in (old, new)
        code, said = go(place, way, directory)
        assert code == 0, said
        assert state_of(place) == new
        went_on += f"Going on with the {way} of {REVISION}" in said
    assert (went_on > 0) == (place.database_url.get_backend_name() == "mysql")


@pytest.mark.engines
def test_every_change_of_rows_happens_once(place, tmp_path):
    assert go(place, "upgrade", with_keys(tmp_path, HEAD))[0] == 0
    schema, rows = state_of(place)
    assert rows["unit_keys"] == [(1, "front", 3), (2, "back", 2)]
    assert [row[-1] for row in rows["tenants"]] == [1, 1, 1]
    assert "unique tenants.uq_tenants_keys" in schema


@pytest.mark.engines
def test_killed_in_the_very_first_migration_the_next_run_makes_all(blank_settings):
    for number in (40, 90):
        assert go(blank_settings, "upgrade", MIGRATIONS, number)[0] == -9
    code, said = go(blank_settings, "upgrade", MIGRATIONS)
    assert code == 0, said
    with looking_connection(blank_settings) as connection:
        assert drifted(connection, MIGRATIONS) == []
        assert examine(connection, HEAD) == []


def refusal(settings: Settings, act: object, directory: Path) -> str:
    app = create_app(settings)
    with app.app_context(), pytest.raises(click.ClickException) as refused:
        act(directory=str(directory))
    return refused.value.message


@pytest.mark.engines
def test_a_migration_that_fails_says_how_to_go_on(place, tmp_path, capsys):
    directory = with_keys(tmp_path, HEAD, "op.execute('INSERT INTO unit_keys (id) VALUES (1)')")
    old = state_of(place)
    capsys.readouterr()
    told = refusal(place, upgrade, directory)
    if place.database_url.get_backend_name() != "mysql":
        assert told.startswith("The migration failed: ")
        assert told.endswith("Nothing was changed.")
        assert state_of(place) == old
        return
    stop = f"The upgrade of {REVISION} stopped at statement 11 (INSERT INTO unit_keys"
    assert told.startswith(stop)
    assert told.endswith("Remove the cause and run again: flask db upgrade")
    said = capsys.readouterr().err
    assert "Done: 1. CREATE TABLE unit_keys" in said
    assert "Done: 10. UPDATE tenants SET key_count" in said
    with looking_connection(place) as connection:
        assert interrupted_in(connection) == Interrupted(REVISION, "upgrade", 10)
    app = create_app(place)
    with app.app_context():
        told = app.extensions["proman_readiness"]()
    assert told.startswith(f"Cut off: the upgrade of {REVISION}")
    assert "flask db upgrade" in refusal(place, downgrade, directory)
    with_keys(tmp_path, HEAD, "op.execute('INSERT INTO unit_keys (id, label) VALUES (3, 2)')")
    app = create_app(place)
    with app.app_context():
        upgrade(directory=str(directory))
        db.engine.dispose()
    assert state_of(place)[1]["unit_keys"] == [(1, "front", 3), (2, "back", 2), (3, "2", None)]
    with looking_connection(place) as connection:
        assert interrupted_in(connection) is None


@pytest.mark.mysql
def test_nothing_goes_over_a_first_migration_that_was_cut_off(tmp_path, monkeypatch):
    with fresh_database(MYSQL) as url:
        place = make_settings(tmp_path / "data", database_url=url)
        assert go(place, "upgrade", MIGRATIONS, 40)[0] == -9
        first = chain_to(MIGRATIONS, "head")[0]
        for words in (
            ("db", "stamp", "head"),
            ("db", "stamp", first),
            ("db", "stamp", "--purge", first),
            ("database", "status"),
            ("database", "backup"),
        ):
            code, said = processes.flask(place, *words).end()
            assert code == 1, (words, said)
            assert f"Cut off: the upgrade of {first}" in said, (words, said)
            assert "It goes on with: flask db upgrade" in said, (words, said)
        monkeypatch.setenv("FLASK_DEBUG", "1")
        pushed = create_app(place).test_cli_runner().invoke(args=["database", "push"])
        assert pushed.stderr.startswith(f"Error: Cut off: the upgrade of {first}")
        code, said = go(place, "upgrade", MIGRATIONS)
        assert code == 0, said
        with looking_connection(place) as connection:
            assert drifted(connection, MIGRATIONS) == []


@pytest.mark.mysql
def test_a_file_that_was_changed_in_what_is_done_is_refused(on_mysql, tmp_path):
    place = on_mysql
    directory = with_keys(tmp_path, HEAD, "op.execute('nonsense')")
    refusal(place, upgrade, directory)
    file = next((directory / "versions").glob(f"{REVISION}*"))
    file.write_text(file.read_text().replace("'front'", "'back'"))
    assert "was changed after its first 10 statements" in refusal(place, upgrade, directory)
    app = create_app(place)
    with app.app_context():
        stamp(directory=str(directory))
        db.engine.dispose()
    with looking_connection(place) as connection:
        assert interrupted_in(connection) is None


@pytest.mark.mysql
def test_a_server_that_refuses_triggers_says_so_before_anything_is_changed(tmp_path):
    with mariadb(tmp_path, "--log-bin", "--server-id=1") as root:
        run_on(
            root,
            "CREATE DATABASE proman",
            "CREATE USER proman@'127.0.0.1' IDENTIFIED BY 'pw'",
            "GRANT ALL ON proman.* TO proman@'127.0.0.1'",
        )
        url = root.set(username="proman", password="pw", database="proman")
        settings = make_settings(tmp_path / "data", database_url=url)
        told = refusal(settings, upgrade, MIGRATIONS)
        assert "log_bin_trust_function_creators = 1" in told
        with looking_connection(settings) as connection:
            assert describe(connection) == {}
        run_on(root, "SET GLOBAL log_bin_trust_function_creators = 1")
        code, said = go(settings, "upgrade", MIGRATIONS)
        assert code == 0, said
