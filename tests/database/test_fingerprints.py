"""Each revision makes the schema that is written down for it; what differs from it is told."""

import shutil
from pathlib import Path

import click
import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy.dialects import postgresql

from proman.app import MIGRATIONS, create_app
from proman.database import status
from proman.database.description import Schema, describe, engine_of, plain_check
from proman.database.fingerprints import FOLDER, differences, drift_in, fingerprint_of
from proman.database.migrating import looking_connection, migration_connection
from proman.database.revisions import chain_to
from proman.db import db
from proman.doctor import drifted
from proman.settings import Settings

CHAIN = chain_to(MIGRATIONS, "head")
HEAD = CHAIN[-1]
UNIT = {"table units": "", "column units.id": "BIGINT not null", "key units": "(id)"}


def schema_in(settings: Settings) -> tuple[str, Schema]:
    with looking_connection(settings) as connection:
        return engine_of(connection), describe(connection)


@pytest.mark.engines
def test_every_revision_makes_the_schema_that_is_written_down_for_it(blank_settings):
    app = create_app(blank_settings)
    with app.app_context():
        for act, chain in ((upgrade, CHAIN), (downgrade, CHAIN[-2::-1])):
            for revision in chain:
                act(revision=revision)
                engine, schema = schema_in(blank_settings)
                wanted = fingerprint_of(MIGRATIONS, engine, revision)
                assert wanted is not None, "it is missing; run scripts/fingerprints"
                assert differences(schema, wanted) == []
        db.engine.dispose()


BY_HAND = {
    "sqlite": ("DROP TRIGGER leases_overlap_update", "CREATE INDEX mine ON tenants (upper(name))"),
    "postgresql": (
        "ALTER TABLE leases DROP CONSTRAINT ex_leases_overlap",
        "CREATE INDEX mine ON tenants (lower(name))",
        "ALTER TABLE rents DROP CONSTRAINT ck_rents_amount",
        "ALTER TABLE rents ADD CONSTRAINT ck_rents_amount CHECK (amount > 0)",
    ),
    "mysql": (
        "DROP TRIGGER leases_overlap_update",
        "CREATE INDEX mine ON tenants (name)",
        "ALTER TABLE rents DROP CONSTRAINT ck_rents_amount",
        "ALTER TABLE rents ADD CONSTRAINT ck_rents_amount CHECK (amount > 0)",
    ),
}
GUARD = {
    "sqlite": "missing: trigger leases.leases_overlap_update",
    "postgresql": "missing: exclusion leases.ex_leases_overlap",
    "mysql": "missing: trigger leases.leases_overlap_update",
}


@pytest.mark.engines
def test_what_was_changed_by_hand_is_told_by_all_and_an_upgrade_goes_on(blank_settings, capsys):
    app = create_app(blank_settings)
    with app.app_context():
        upgrade(revision=CHAIN[-2])
        with migration_connection(blank_settings) as connection:
            engine = engine_of(connection)
            for statement in BY_HAND[engine]:
                connection.exec_driver_sql(statement)
        capsys.readouterr()
        upgrade()
        said = capsys.readouterr().err
        with looking_connection(blank_settings) as connection:
            found = drift_in(connection, MIGRATIONS, HEAD)
            assert [one.what for one in drifted(connection, MIGRATIONS)] == found
        assert status.drift(app.extensions["proman_installation"]) == found
        db.engine.dispose()
    assert len(found) == (2 if engine == "sqlite" else 3)
    assert any(line.startswith(GUARD[engine]) for line in found)
    assert any(line.startswith("not of this revision: index tenants.mine") for line in found)
    if engine != "sqlite":
        assert any(line.startswith("different: check rents.ck_rents_amount is") for line in found)
    assert said.count("Note, the schema is not its revision's: ") == len(found)


@pytest.mark.engines
def test_a_migration_that_makes_something_else_than_was_written_down_is_refused(
    blank_settings, tmp_path
):
    directory = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, directory, ignore=shutil.ignore_patterns("__pycache__"))
    app = create_app(blank_settings)
    with app.app_context():
        upgrade(revision=CHAIN[-2])
        engine, before = schema_in(blank_settings)
        file = directory / FOLDER / engine / f"{HEAD}.txt"
        file.write_text(file.read_text() + "+ index tenants.ix_forgotten: (name)\n")
        with pytest.raises(click.ClickException, match="missing: index tenants"):
            upgrade(directory=str(directory))
        db.engine.dispose()
    if engine != "mysql":
        assert schema_in(blank_settings)[1] == before


def test_differences_are_told_thing_by_thing_and_a_whole_table_once():
    assert differences({}, UNIT) == ["missing: table units"]
    assert differences(UNIT, {}) == ["not of this revision: table units"]
    assert differences(UNIT | {"column units.id": "INTEGER"}, UNIT) == [
        "different: column units.id is INTEGER, should be BIGINT not null"
    ]
    assert differences(UNIT, UNIT) == []


@pytest.mark.parametrize(
    ("restored", "first"),
    [
        (
            "ANY (ARRAY[('a'::character varying)::text, ('it''s)'::character varying)::text])",
            "ANY ((ARRAY['a'::character varying, 'it''s)'::character varying])::text[])",
        ),
        (
            "ANY (ARRAY[('a'::character varying)::text])",
            "ANY ((ARRAY['a'::character varying])::text[])",
        ),
        ("(x > 0) AND (ARRAY[1, 2])", "(x > 0) AND (ARRAY[1, 2])"),
    ],
)
def test_a_check_of_a_restored_dump_says_what_it_said_before(restored: str, first: str):
    assert plain_check(postgresql.dialect(), restored) == first
    assert plain_check(postgresql.dialect(), first) == first


def test_of_a_revision_that_was_never_written_down_nothing_is_claimed(tmp_path: Path):
    assert fingerprint_of(MIGRATIONS, "sqlite", "29991231_2359") is None
    assert fingerprint_of(MIGRATIONS, "oracle", HEAD) is None
