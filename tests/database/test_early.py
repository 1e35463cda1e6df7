"""`flask database deploy` at a start: at rest it is told without loading the application."""

import pytest
from flask_migrate import upgrade

from proman.app import MIGRATIONS, create_app
from proman.database import marks, unfinished
from proman.database.early import VERSIONS, is_at_rest, newest_of
from proman.database.mysql_steps import Progress
from proman.database.revisions import head_revision
from proman.db import db
from proman.settings import Settings
from tests.servers import database_of, flask

HEAD = head_revision(MIGRATIONS)


@pytest.fixture
def settings(blank_settings: Settings, monkeypatch) -> Settings:
    """A blank database, to which the environment points."""
    monkeypatch.setenv("PROMAN_DATA_DIR", str(blank_settings.data_dir))
    monkeypatch.setenv("DATABASE_URL", database_of(blank_settings)["DATABASE_URL"])
    return blank_settings


def change(settings: Settings, *statements: str) -> None:
    with create_app(settings).app_context():
        with db.engine.execution_options(write=True).begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        db.engine.dispose()


def test_the_newest_revision_is_read_from_the_files(tmp_path):
    assert newest_of(VERSIONS) == HEAD
    assert newest_of(tmp_path) is None
    for name, down in (("1", "None"), ("2", "'1'"), ("3", "'2'")):
        (tmp_path / f"{name}.py").write_text(f"revision = '{name}'\ndown_revision = {down}\n")
        assert newest_of(tmp_path) == name
    for name, odd in (("two heads", "'2'"), ("a merge", "('2', '3')"), ("reckoned", "other")):
        file = tmp_path / "4.py"
        file.write_text(f"revision = '4'\ndown_revision = {odd}\n")
        assert newest_of(tmp_path) is None, name


@pytest.mark.engines
def test_only_a_database_at_the_newest_revision_is_at_rest(settings):
    assert not is_at_rest(HEAD)
    with create_app(settings).app_context():
        upgrade()
        db.engine.dispose()
    assert is_at_rest(HEAD)
    done = flask(settings.data_dir, "database", "deploy", **database_of(settings))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"The database is at {HEAD}: nothing to do.\n"
    change(settings, "UPDATE alembic_version SET version_num = '20261122_1700'")
    assert not is_at_rest(HEAD)


@pytest.mark.engines
def test_what_is_unfinished_takes_a_closer_look(settings):
    with create_app(settings).app_context():
        upgrade()
        with db.engine.execution_options(write=True).begin() as connection:
            unfinished.mark(connection, "2026-11-26 10:00")
        db.engine.dispose()
    assert not is_at_rest(HEAD)
    done = flask(settings.data_dir, "database", "deploy", **database_of(settings))
    assert (done.returncode, done.stdout) == (1, "")
    assert "was not finished" in done.stderr
    change(settings, f"DROP TABLE {marks.COPY}")
    assert is_at_rest(HEAD)


@pytest.mark.engines("mysql")
def test_a_migration_that_was_cut_off_takes_a_closer_look(settings):
    with create_app(settings).app_context():
        upgrade()
        with db.engine.execution_options(write=True).begin() as connection:
            Progress(connection, MIGRATIONS)
        db.engine.dispose()
    assert is_at_rest(HEAD)
    change(settings, f"INSERT INTO {marks.STEPS} VALUES ('{HEAD}', 'upgrade', 1, 'a', 'b')")
    assert not is_at_rest(HEAD)


@pytest.mark.sqlite
def test_a_replacement_that_was_cut_off_takes_a_closer_look(settings):
    with create_app(settings).app_context():
        upgrade()
        db.engine.dispose()
    pending = settings.data_dir / marks.QUARANTINE / marks.PENDING
    pending.parent.mkdir()
    pending.write_text("{}")
    assert not is_at_rest(HEAD)
    pending.unlink()
    assert is_at_rest(HEAD)


def test_an_address_that_cannot_be_used_is_told_by_the_application(tmp_path):
    done = flask(tmp_path, "database", "deploy", DATABASE_URL="nothing://here")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: DATABASE_URL is not an address of SQLite")


def test_every_other_command_is_the_applications_own(tmp_path):
    helped = flask(tmp_path, "database", "--help")
    assert "Usage: flask database [OPTIONS] COMMAND" in helped.stdout
    assert "drill" in helped.stdout
    refused = flask(tmp_path, "database", "deploi")
    assert refused.returncode == 2
    assert "Did you mean 'deploy'?" in refused.stderr
