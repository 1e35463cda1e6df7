"""`flask database baseline`: an exact match is stamped after a backup, anything else is told."""

from collections.abc import Iterator

import pytest
from click import ClickException
from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from proman.app import MIGRATIONS, create_app
from proman.base.errors import Refused
from proman.database import catalogue
from proman.database.baselining import baseline
from proman.database.description import Schema, describe
from proman.database.installation import Installation
from proman.database.live import live_database
from proman.database.migrating import looking_connection, migration_connection
from proman.database.revisions import chain_to
from proman.database.verifying import drill
from proman.db import db
from proman.doctor import drifted, examine
from proman.settings import Settings
from tests import factories
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


def change(site: Installation, *statements: str) -> None:
    with migration_connection(site.settings) as connection:
        for statement in statements:
            connection.execute(text(statement))


def run(site: Installation) -> tuple[int, str, str]:
    app = create_app(site.settings)
    done = app.test_cli_runner().invoke(args=["database", "baseline"])
    return done.exit_code, done.stdout, done.stderr


def state_of(site: Installation) -> tuple[Schema, dict[str, int]]:
    with looking_connection(site.settings) as connection:
        return describe(connection), live_database(site).count_rows()


def test_the_schema_of_an_older_revision_is_stamped_after_a_backup_and_upgraded(site):
    upgrade()
    fill()
    downgrade(revision=CHAIN[-2])
    change(site, "DROP TABLE alembic_version")
    with pytest.raises(ClickException, match="flask database baseline"):
        upgrade()
    before = state_of(site)
    code, said, _ = run(site)
    assert code == 0
    assert said.endswith(
        f"The database is at {CHAIN[-2]}. This version needs {HEAD}: flask database deploy\n"
    )
    assert state_of(site) == (before[0], before[1] | {"alembic_version": 1})
    (made,) = catalogue.backups_in(site.backup_dir)
    assert (made.reason, made.manifest.revision) == ("before-baseline", CHAIN[-2])
    assert {name: made.manifest.rows[name] for name in before[1]} == before[1]
    assert drill(site, None, "Alice").rows == sum(made.manifest.rows.values())
    upgrade()
    with looking_connection(site.settings) as connection:
        assert [*examine(connection, HEAD), *drifted(connection, MIGRATIONS)] == []
    with pytest.raises(Refused, match=f"under migrations already, at revision {HEAD}"):
        baseline(site, "Alice", print)


@pytest.mark.fault(
    "Unversioned drift",
    how="tables, a column and a trigger that differ",
    outcome="baseline refuses and names each difference",
)
def test_what_differs_is_told_line_by_line_and_nothing_is_changed(site):
    code, _, told = run(site)
    assert (code, told) == (
        1,
        "Error: The database is empty. Make its tables with: flask db upgrade\n",
    )
    upgrade()
    change(
        site,
        "DROP TABLE alembic_version",
        "CREATE TABLE extra (id INTEGER)",
        "ALTER TABLE tenants ADD COLUMN shoe_size INTEGER",
        "ALTER TABLE leases DROP CONSTRAINT ex_leases_overlap"
        if db.engine.dialect.name == "postgresql"
        else "DROP TRIGGER leases_overlap_insert",
    )
    before = state_of(site)
    code, said, told = run(site)
    assert code == 1
    assert told.count("\n") == 1
    assert f"the nearest is {HEAD}, and above is what differs (3). Nothing was changed." in told
    lines = said.splitlines()
    assert lines[0].startswith("not of this revision: table extra")
    assert lines[1].startswith("missing: ")
    assert "leases_overlap" in lines[1]
    assert lines[2] == "not of this revision: column tenants.shoe_size INTEGER"
    assert state_of(site) == before
    assert catalogue.backups_in(site.backup_dir) == []
