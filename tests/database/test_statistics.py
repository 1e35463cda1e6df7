"""Statistics for the planner: made when much has come, seen by all, no part of the schema."""

from contextlib import closing, suppress
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from proman.database.backup import back_up
from proman.database.driver import sqlite3
from proman.database.installation import installation
from proman.database.sqlite_copy import opened, schema_fingerprint
from proman.database.statistics import make_statistics, refresh_statistics
from proman.database.status import drift
from proman.database.verifying import drill
from proman.db import db
from proman.jobs import schedule
from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_unit
from tests.takeover.rolls import LINDENHOF
from tests.takeover.test_views import ANSWERS, chosen_columns, filled, import_button, page, upload


def tables_known(app: Flask) -> set[str]:
    """The tables of which there are statistics, read past ProMan."""
    live: Path = app.extensions["proman_settings"].database_file
    connection = sqlite3.connect(live)
    try:
        return {row[0] for row in connection.execute("SELECT DISTINCT tbl FROM sqlite_stat1")}
    except sqlite3.OperationalError:
        return set()
    finally:
        connection.close()


@pytest.mark.sqlite
def test_every_table_that_has_rows_is_known_afterwards(app: Flask, home: Cast) -> None:
    building = make_property()
    for _ in range(20):
        make_lease(make_unit(building))
    db.session.rollback()
    assert tables_known(app) == set()
    assert refresh_statistics(db.engine) == "looked at"
    assert {"leases", "lease_parties", "units", "rents", "audit_entries"} <= tables_known(app)


@pytest.mark.sqlite
def test_connections_see_new_statistics_and_none_outlives_the_pool(app: Flask, home: Cast) -> None:
    live: Path = app.extensions["proman_settings"].database_file
    make_lease()
    db.session.rollback()
    in_use = db.engine.connect()
    with db.engine.connect() as idle:
        older = {in_use.connection.dbapi_connection, idle.connection.dbapi_connection}
    refresh_statistics(db.engine)
    in_use.close()
    with db.engine.connect() as one, db.engine.connect() as other:
        assert {c.connection.dbapi_connection for c in (one, other)}.isdisjoint(older)
    older.clear()
    db.session.remove()
    db.engine.dispose()
    assert descriptors_of(live) == []


def descriptors_of(live: Path) -> list[str]:
    """What this process has open of the database and its side files."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [name for name in found if name.startswith(str(live))]


@pytest.mark.sqlite
def test_an_import_leaves_statistics(app: Flask, mona: FlaskClient) -> None:
    address = upload(mona, LINDENHOF).location
    mona.post(address, data=chosen_columns(mona, address))
    asked = page(mona.get(f"{address}/questions"))
    mona.post(f"{address}/questions", data=filled(asked, ANSWERS))
    assert mona.post(import_button(mona, address)).status_code == 303
    assert {"leases", "units", "postings"} <= tables_known(app)


@pytest.mark.sqlite
def test_the_schedule_looks_again_after_the_nightly_backup(app: Flask) -> None:
    with app.app_context():
        jobs = {job.name: job for job in schedule()}
    assert jobs["statistics"].at > jobs["backup"].at


@pytest.mark.sqlite
def test_statistics_are_no_part_of_the_schema(app: Flask, home: Cast) -> None:
    site = installation()
    for number in range(2):
        make_lease()
        made = back_up(site, "manual", "Alice")
        assert made.is_verified
        assert site.live is not None
        with opened(site.live, "mode=ro") as connection:
            fingerprint = schema_fingerprint(connection)
        assert drill(site, made.path, "Alice").rows > 0
        if number == 0:
            before = fingerprint
            db.session.rollback()
            refresh_statistics(db.engine)
    assert fingerprint == before
    assert drift(site) == []


@pytest.mark.sqlite
def test_a_rebuilt_file_comes_with_its_statistics(app: Flask, home: Cast, tmp_path: Path) -> None:
    make_lease()
    db.session.rollback()
    live: Path = app.extensions["proman_settings"].database_file
    copy = tmp_path / "copy.sqlite"
    with opened(live, "mode=ro") as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    make_statistics(copy)
    with opened(copy) as connection:
        found = {row[0] for row in connection.execute("SELECT tbl FROM sqlite_stat1")}
    assert "leases" in found


@pytest.mark.engines("postgresql")
def test_a_server_looks_at_once_at_what_came(app: Flask, home: Cast) -> None:
    building = make_property()
    refresh_statistics(db.engine)
    for _ in range(20):
        make_lease(make_unit(building))
    db.session.rollback()
    assert refresh_statistics(db.engine) == "looked at"
    known = db.session.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'leases'"))
    assert known.scalar_one() == 20
