"""`flask database push`: the schema that the models say, guards included; no row lost unasked."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import (
    VARCHAR,
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from proman import schema
from proman.app import MIGRATIONS, create_app
from proman.base.errors import Refused
from proman.database.changes import is_narrower
from proman.database.description import Schema, describe, engine_of
from proman.database.fingerprints import differences, fingerprint_of
from proman.database.migrating import looking_connection
from proman.database.pushing import push
from proman.database.revisions import head_revision
from proman.db import db
from proman.settings import Settings
from tests import factories
from tests.portfolio import make_portfolio

HEAD = head_revision(MIGRATIONS)


@pytest.fixture
def blank(blank_settings: Settings) -> Iterator[Flask]:
    """The application in development, on an empty database; its context stands."""
    app = create_app(blank_settings)
    app.debug = True
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def run(app: Flask, *words: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["database", *words])
    return done.exit_code, done.output


def schema_in(app: Flask) -> Schema:
    with looking_connection(app.extensions["proman_settings"]) as connection:
        return describe(connection)


def value(statement: str) -> object:
    with db.engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


@pytest.mark.engines
def test_it_makes_the_newest_revisions_schema_which_baseline_then_proves(blank):
    blank.debug = False
    code, said = run(blank, "push")
    assert (code, said.count("\n")) == (1, 1)
    assert "push is for development" in said
    blank.debug = True
    code, said = run(blank, "push")
    assert (code, said.splitlines()[-1]) == (0, "The database matches the models.")
    assert "make table leases" in said
    with looking_connection(blank.extensions["proman_settings"]) as connection:
        wanted = fingerprint_of(MIGRATIONS, engine_of(connection), HEAD)
        assert differences(describe(connection), wanted or {}) == []
    assert run(blank, "push") == (0, "Nothing to do.\n")
    code, said = run(blank, "baseline")
    assert (code, said.splitlines()[-1]) == (0, f"The database is at {HEAD}.")
    code, said = run(blank, "push")
    assert (code, said.count("\n")) == (1, 1)
    assert f"under migrations (at {HEAD})" in said


def other_models(*, losing: bool) -> MetaData:
    """The models with changes of every kind, with or without such as lose data."""
    other = MetaData(naming_convention=db.metadata.naming_convention)
    for table in schema.metadata.tables.values():
        if not (losing and table.name == "scheduled_jobs"):
            table.to_metadata(other)
    tenants, rents = other.tables["tenants"], other.tables["rents"]
    tenants.append_column(Column("shoe_size", Integer, server_default="40", nullable=False))
    Index("ix_tenants_shoe_size", tenants.c.shoe_size)
    tenants.indexes.remove(next(one for one in tenants.indexes if "archived" in str(one.name)))
    tenants.c.name.type = String(300)
    tenants.append_constraint(CheckConstraint("shoe_size < 99", name="shoes"))
    (old,) = (one for one in rents.constraints if isinstance(one, CheckConstraint))
    rents.constraints.remove(old)
    rents.append_constraint(CheckConstraint("amount >= -1", name="amount"))
    Table(
        "unit_keys",
        other,
        Column("id", Integer, primary_key=True),
        Column("unit_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("units.id")),
        Column("label", String(20), nullable=False),
        CheckConstraint("label LIKE 'a%'", name="label"),
    )
    if losing:
        tenants.c.name.type = String(4)
        leases = other.tables["leases"]
        leases._columns.remove(leases.c.notes)  # type: ignore[attr-defined]
    return other


@pytest.mark.engines
def test_what_would_lose_data_is_told_and_asked_for_and_all_else_keeps_every_row(blank):
    site = blank.extensions["proman_installation"]
    push(site, schema.metadata, "Alice", print)
    home = factories.make_organization()
    make_portfolio(home, "Zebra", factories.make_user(home, "alice@example.com", "administrator"))
    db.session.remove()
    db.engine.dispose()
    leases, longest = value("SELECT count(*) FROM leases"), value("SELECT max(name) FROM tenants")
    said: list[str] = []
    push(site, other_models(losing=False), "Alice", said.append)
    assert not [line for line in said if "LOSES DATA" in line]
    assert {"make table unit_keys", "make column tenants.shoe_size"} <= set(said)
    assert {"change check rents.ck_rents_amount", "make check tenants.ck_tenants_shoes"} <= set(
        said
    )
    assert push(site, other_models(losing=False), "Alice", print) == 0
    assert value("SELECT count(*) FROM leases") == leases
    assert value("SELECT max(name) FROM tenants") == longest
    assert value("SELECT min(shoe_size) FROM tenants") == 40

    before = schema_in(blank)
    assert any("leases_overlap" in key for key in before)
    said.clear()
    with pytest.raises(Refused, match="--accept-data-loss"):
        push(site, other_models(losing=True), "Alice", said.append)
    assert [line for line in said if line.startswith("LOSES DATA: ")] == said
    assert {line.split()[2] for line in said} == {"drop", "change"}
    assert len(said) == 3
    assert schema_in(blank) == before
    assert push(site, other_models(losing=True), "Alice", print, accept_data_loss=True) == 3
    assert value("SELECT count(*) FROM leases") == leases
    if not site.settings.is_sqlite:  # which keeps a text however long its column says
        assert value("SELECT max(name) FROM tenants") == str(longest)[:4]
    after = schema_in(blank)
    assert {key.split(".")[0] for key in before.keys() - after.keys()} >= {"table scheduled_jobs"}
    assert {key for key in before if "leases_overlap" in key} <= after.keys()


@pytest.mark.engines
def test_a_change_that_the_database_does_not_take_leaves_it_as_it_was(blank):
    site = blank.extensions["proman_installation"]
    push(site, schema.metadata, "Alice", print)
    with db.engine.execution_options(write=True).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO login_failures VALUES ('somewhere', 3, '2026-01-01 00:00:00')"
        )
    db.engine.dispose()
    other = MetaData(naming_convention=db.metadata.naming_convention)
    for table in schema.metadata.tables.values():
        table.to_metadata(other)
    failures = other.tables["login_failures"]
    failures.append_constraint(CheckConstraint("failures > 3", name="failures"))
    before = schema_in(blank)
    with pytest.raises(Refused, match="did not take it"):
        push(site, other, "Alice", print)
    assert schema_in(blank) == before
    assert value("SELECT failures FROM login_failures") == 3


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect(), mysql.dialect()])
def test_narrower_is_what_may_not_take_every_value(dialect: Dialect):
    for before, after, answer in (
        (String(20), String(10), True),
        (String(10), String(20), False),
        (Text(), String(10), True),
        (VARCHAR(10), Text(), False),
        (BigInteger(), Integer(), True),
        (Integer(), BigInteger(), False),
        (String(10), Integer(), True),
    ):
        assert is_narrower(before, after, dialect) is answer, (before, after)
    assert is_narrower(mysql.LONGTEXT(), mysql.TEXT(), mysql.dialect())
    assert not is_narrower(mysql.BLOB(), mysql.LONGBLOB(), mysql.dialect())
