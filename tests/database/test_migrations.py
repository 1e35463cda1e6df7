"""The chain of migrations on each engine: there and back with data, checked, written anew."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import check, downgrade, migrate, stamp, upgrade
from sqlalchemy import MetaData

from proman.app import MIGRATIONS, create_app
from proman.database.autogenerate import OWN_TABLES
from proman.database.migrating import looking_connection
from proman.database.revisions import script_directory
from proman.db import db
from proman.doctor import examine
from proman.settings import Settings
from tests import factories
from tests.conftest import make_settings
from tests.engines import MYSQL, fresh_database
from tests.portfolio import make_portfolio

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
CHAIN = [one.revision for one in script_directory(MIGRATIONS).walk_revisions()][::-1]
HEAD = CHAIN[-1]
Rows = dict[str, list[dict[str, object]]]


@pytest.fixture
def blank(blank_settings: Settings) -> Iterator[Flask]:
    """The application on a database in which nothing has been made yet."""
    app = create_app(blank_settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def rows_in(app: Flask) -> Rows:
    """Every row of every table as the database has it, whatever its revision."""
    metadata = MetaData()
    with looking_connection(app.extensions["proman_settings"]) as connection:
        metadata.reflect(connection)
        return {
            table.name: sorted(
                (dict(row) for row in connection.execute(table.select()).mappings()), key=str
            )
            for table in metadata.sorted_tables
            if table.name not in OWN_TABLES
        }


def fill() -> None:
    home = factories.make_organization()
    alice = factories.make_user(home, "alice@example.com", "administrator", operator=True)
    for number in range(SCALE):
        make_portfolio(home, f"Mark{number}", alice)
    db.session.remove()
    db.engine.dispose()


FORGOTTEN = {"billed_periods": "ended_itself"}
"""A column whose values an older revision has no place for, by its table."""


def what_is_kept(whole: Rows, before: Rows) -> Rows:
    """The rows at head once they were at an older revision.

    A table that did not exist by then goes with its rows; all others keep theirs.
    """
    kept = whole | {name: [] for name in whole.keys() - before.keys()}
    for table, column in FORGOTTEN.items():
        if any(column not in row for row in before[table]):
            kept[table] = sorted((row | {column: None} for row in whole[table]), key=str)
    return kept


def revision_in(app: Flask) -> list[object]:
    return [row["version_num"] for row in rows_in(app)["alembic_version"]]


@pytest.mark.fault(
    "Older revision with data",
    how="rows at every past revision",
    outcome="upgraded to head and back",
)
@pytest.mark.engines
def test_from_every_past_revision_with_data_to_head_and_back(blank):
    upgrade()
    fill()
    whole = rows_in(blank)
    for revision in CHAIN[-2::-1]:
        downgrade(revision=revision)
        before = rows_in(blank)
        assert revision_in(blank) == [revision]
        whole = what_is_kept(whole, before)
        assert {name: len(rows) for name, rows in before.items()} == {
            name: len(whole[name]) for name in before
        }
        upgrade()
        assert rows_in(blank) == whole
        downgrade(revision=revision)
        assert rows_in(blank) == before
    upgrade()
    with looking_connection(blank.extensions["proman_settings"]) as connection:
        assert examine(connection, HEAD) == []
    downgrade(revision="base")
    assert rows_in(blank) == {"alembic_version": []}
    upgrade()
    assert revision_in(blank) == [HEAD]


@pytest.mark.engines
def test_models_and_migrations_agree_and_say_so(blank):
    upgrade()
    check()


@pytest.mark.engines
def test_a_migration_is_written_named_by_its_minute_and_applied(blank, tmp_path, capsys):
    upgrade()
    with db.engine.execution_options(write=True).begin() as connection:
        of = " ON tenants" if connection.dialect.name in ("mysql", "mariadb") else ""
        connection.exec_driver_sql(f"DROP INDEX ix_tenants_archived_at{of}")
    with pytest.raises(SystemExit):
        check()
    directory = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, directory, ignore=shutil.ignore_patterns("__pycache__"))
    migrate(directory=str(directory), message="Cover archived tenants")
    written = max((directory / "versions").glob("2*.py"))
    revision = written.name[:13]
    assert written.name == f"{revision}_cover_archived_tenants.py"
    text = written.read_text()
    assert f"revision = '{revision}'\ndown_revision = '{HEAD}'" in text
    assert "ix_tenants_archived_at" in text
    assert "import proman" not in text
    upgrade(directory=str(directory))
    assert revision_in(blank) == [revision]
    migrate(directory=str(directory), message="Nothing")
    assert max((directory / "versions").glob("2*.py")) == written
    assert "no migration is due" in capsys.readouterr().out
    downgrade(directory=str(directory))
    assert revision_in(blank) == [HEAD]


@pytest.mark.engines
def test_stamping_alone_changes_no_table(blank):
    upgrade()
    whole = rows_in(blank)
    stamp(revision=CHAIN[0])
    assert revision_in(blank) == [CHAIN[0]]
    stamp()
    assert rows_in(blank) == whole


@pytest.mark.mysql
def test_a_mariadb_is_the_same_under_its_own_name(tmp_path):
    with fresh_database(MYSQL) as url:
        settings = make_settings(tmp_path, database_url=url.set(drivername="mariadb+pymysql"))
        app = create_app(settings)
        with app.app_context():
            upgrade()
            check()
            fill()
            with looking_connection(settings) as connection:
                assert connection.dialect.name == "mariadb"
                assert examine(connection, HEAD) == []
            downgrade(revision="base")
            db.engine.dispose()


def test_migrations_are_one_chain_named_by_their_minute_and_documented():
    for one in script_directory(MIGRATIONS).walk_revisions():
        file = Path(one.path)
        assert re.fullmatch(r"\d{8}_\d{4}_[a-z]+(_[a-z0-9]+)+\.py", file.name)
        assert one.revision == file.name[:13]
        assert "Why:" in one.longdoc
        assert "import proman" not in file.read_text()
        assert "from proman" not in file.read_text()
        # MySQL would do it again when a run that was cut off goes on.
        assert not re.search(r"get_bind\(\)\.exec", file.read_text())
    assert script_directory(MIGRATIONS).get_heads() == [HEAD]
