"""`flask database deploy`: a verified backup before any change, a rehearsal, all or nothing."""

from collections.abc import Iterator
from dataclasses import replace
from signal import SIGKILL

import pytest
from click import ClickException
from flask_migrate import upgrade

from proman.app import MIGRATIONS, create_app
from proman.base.errors import Refused
from proman.database import catalogue
from proman.database.backup import back_up
from proman.database.deploying import deploy
from proman.database.description import describe
from proman.database.installation import Installation
from proman.database.live import live_database
from proman.database.migrating import looking_connection
from proman.database.revisions import chain_to
from proman.db import db
from proman.settings import Settings
from tests import factories, processes
from tests.database.interrupting import REVISION, with_keys
from tests.database.interrupting import run as cut_off
from tests.portfolio import make_portfolio

pytestmark = pytest.mark.engines
CHAIN = chain_to(MIGRATIONS, "head")
HEAD = CHAIN[-1]


@pytest.fixture
def site(blank_settings: Settings) -> Iterator[Installation]:
    """An empty database; the application's context stands for as long as the test."""
    app = create_app(blank_settings)
    with app.app_context():
        yield app.extensions["proman_installation"]
        db.session.remove()
        db.engine.dispose()


def fill() -> None:
    home = factories.make_organization()
    make_portfolio(home, "Zebra", factories.make_user(home, "alice@example.com", "administrator"))
    db.session.remove()
    db.engine.dispose()


def state_of(site: Installation) -> object:
    with looking_connection(site.settings) as connection:
        rows = live_database(site).count_rows()
        told = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        debit = connection.exec_driver_sql("SELECT SUM(debit) FROM postings").scalar()
        return describe(connection), rows, told, debit


def engine_of(site: Installation) -> str:
    return site.settings.database_url.get_backend_name()


def made_in(site: Installation) -> list[tuple[str, str | None, bool]]:
    listed = catalogue.backups_in(site.backup_dir)
    return [(one.reason, one.manifest.revision, one.is_verified) for one in listed]


def run(site: Installation, *more: str) -> tuple[int, str]:
    app = create_app(site.settings)
    done = app.test_cli_runner().invoke(args=["database", "deploy", *more])
    return done.exit_code, done.output


def test_an_empty_database_is_migrated_one_at_head_left_alone_a_newer_one_refused(site):
    code, said = run(site)
    assert code == 0
    assert said.endswith(f"The database is at {HEAD}.\n")
    assert state_of(site)[2] == HEAD
    assert run(site) == (0, f"The database is at {HEAD}: nothing to do.\n")
    with db.engine.execution_options(write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '29991231_2359'")
    code, said = run(site)
    assert (code, said.count("\n")) == (1, 1)
    assert "at revision 29991231_2359" in said
    assert f"up to {HEAD}" in said
    assert made_in(site) == []


def test_rows_are_backed_up_before_the_first_change_or_nothing_is_changed(site):
    upgrade()
    fill()
    whole = state_of(site)
    newer = replace(site, migrations=with_keys(site.data_dir, HEAD))
    site.backup_dir.write_text("in the way")
    with pytest.raises(Refused, match="cannot be made"):
        deploy(newer, "Alice", print)
    assert state_of(site) == whole
    site.backup_dir.unlink()
    assert deploy(newer, "Alice", print)
    _, rows, revision, debit = state_of(site)
    assert (revision, debit) == (REVISION, whole[3])
    assert rows == whole[1] | {"unit_keys": 2}
    assert made_in(site) == [("before-upgrade", HEAD, True)]
    assert not list(site.data_dir.glob(".proman-*"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('op.execute("UPDATE nowhere SET id = 1")', "nowhere"),
        ('op.execute("UPDATE postings SET debit = debit + 1 WHERE debit > 0")', "sums to nil"),
    ],
    ids=["fails", "breaks the books"],
)
def test_a_migration_that_fails_or_breaks_the_books_leaves_all_as_it_was(site, more, words):
    upgrade()
    fill()
    whole = state_of(site)
    directory = with_keys(site.data_dir, HEAD, more)
    with pytest.raises((Refused, ClickException), match=words) as refused:
        deploy(replace(site, migrations=directory), "Alice", print)
    said = refused.value.message
    assert made_in(site) == [("before-upgrade", HEAD, True)]
    if engine_of(site) == "mysql":  # which commits every change of the schema
        assert " stays" in said
        return
    assert said.endswith("Nothing was changed.")
    assert said.startswith("The rehearsal on a copy failed") == site.settings.is_sqlite
    assert state_of(site) == whole


@pytest.mark.engines("mysql")
def test_what_was_cut_off_half_way_goes_on_when_there_is_a_backup_from_before(site):
    upgrade()
    fill()
    directory = with_keys(site.data_dir, HEAD)
    newer = replace(site, migrations=directory)
    made = back_up(site, "manual", "Alice")
    start = processes.start(site.data_dir, cut_off, site.settings, "upgrade", directory, 100)
    assert start.end()[0] == -SIGKILL
    hidden = made.path.rename(site.data_dir / "hidden")
    with pytest.raises(Refused, match="It goes on with: flask db upgrade"):
        deploy(newer, "Alice", print)
    hidden.rename(made.path)
    assert deploy(newer, "Alice", print)
    assert state_of(site)[2] == REVISION
    assert made_in(site) == [("manual", HEAD, True)]


def test_of_three_at_once_one_backs_up_and_upgrades(site):
    upgrade(revision=CHAIN[-2])
    with db.engine.execution_options(write=True).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO login_failures VALUES ('somewhere', 3, '2026-01-01 00:00:00')"
        )
    db.engine.dispose()
    replicas = [processes.flask(site.settings, "database", "deploy") for _ in range(3)]
    ended = [replica.end() for replica in replicas]
    assert [code for code, _ in ended] == [0, 0, 0], ended
    assert sorted(said.count("Applied ") for _, said in ended) == [0, 0, 1], ended
    assert made_in(site) == [("before-upgrade", CHAIN[-2], True)]
    assert state_of(site)[2] == HEAD
