"""What no copy can go to is told in one line, before anything is changed anywhere."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, inspect

from proman.app import MIGRATIONS
from proman.database.autogenerate import OWN_TABLES
from proman.database.engines import direct_engine
from proman.database.revisions import chain_to
from proman.database.sqlite_copy import opened
from tests.database.furniture import furnish, held_by
from tests.engines import MYSQL, POSTGRESQL, administration, fresh_database
from tests.instances import free_port

REFUSED = [
    ("", "names no database"),
    ("oracle://scott@host/proman", "--to is not an address of SQLite, PostgreSQL, MySQL"),
    ("postgresql://host", "--to names no host or no database"),
    ("sqlite://", "--to names no file"),
    ("sqlite:///{folder}/proman.sqlite", "the database that is in use itself"),
    ("file:{folder}/../{name}/proman.sqlite", "the database that is in use itself"),
    ("sqlite:///{folder}/nowhere/new.sqlite", "There is no directory"),
    ("sqlite:///{folder}", "is a directory"),
    (
        "sqlite:///{folder}/notes.txt",
        "The target cannot be used: file is not a database. Correct --to. Nothing was changed.",
    ),
    ("sqlite:///{folder}/other.sqlite", "The target is not empty (it holds shoes)"),
    (
        "postgresql://me@127.0.0.1:{port}/proman",
        "Connection refused. Start the server, or correct host and port in --to.",
    ),
    ("mysql://me@127.0.0.1:{port}/proman", "Can't connect to MySQL server"),
    ("mysql://me@nowhere.invalid/proman", "nowhere.invalid"),
]


def written(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def refusal(house, address: str) -> str:
    """The one line on standard error; that the source is as it was."""
    shape = shutil.copyfile(house.site.live, house.folder / "shape.sqlite")
    before = held_by(house, shape)
    command = ["database", "copy", "--to", address]
    done = house.app.test_cli_runner().invoke(args=command, catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert held_by(house, shape) == before
    return done.stderr


def tables_in(url: URL) -> set[str]:
    engine = direct_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - OWN_TABLES
    finally:
        engine.dispose()


def test_what_is_no_empty_database_is_refused(house):
    (house.folder / "notes.txt").write_text("Remember the milk.\n" * 100)
    with opened(house.folder / "other.sqlite", "mode=rwc") as other:
        other.execute("CREATE TABLE shoes (size INTEGER)")
    kept = (house.folder / "other.sqlite").read_bytes()
    place = {"folder": house.folder, "name": house.folder.name, "port": free_port()}
    for address, words in REFUSED:
        assert words in refusal(house, address.format(**place)), address
    assert (house.folder / "other.sqlite").read_bytes() == kept
    assert not (house.folder / "new.sqlite").exists()


def test_only_a_database_at_this_versions_revision_moves(house):
    house.sql("UPDATE alembic_version SET version_num = :old", old=chain_to(MIGRATIONS, "head")[0])
    assert "Run: flask db upgrade" in refusal(house, f"sqlite:///{house.folder}/new.sqlite")
    assert not (house.folder / "new.sqlite").exists()


def test_tables_of_this_revision_are_taken_when_nothing_is_in_them(house, migrated_file):
    furnish(house)
    target = Path(shutil.copyfile(migrated_file, house.folder / "new.sqlite"))
    command = ["database", "copy", "--to", f"sqlite:///{target}"]
    assert house.app.test_cli_runner().invoke(args=command).exit_code == 0
    assert "The target is not empty (it holds a" in refusal(house, command[-1])


@contextmanager
def person(engine: str, url: URL, *grants: str) -> Iterator[URL]:
    """The address of the database for somebody who may do no more than these."""
    name = f"{url.database}_guest"
    with administration(engine) as server:
        if engine == POSTGRESQL:
            server.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
        else:
            server.exec_driver_sql(f"CREATE USER {name}@'%%' IDENTIFIED BY 'pw'")
            for grant in grants:
                server.exec_driver_sql(f"GRANT {grant} ON {url.database}.* TO {name}@'%%'")
    try:
        yield url.set(username=name, password="pw")
    finally:
        with administration(engine) as server:
            user = name if engine == POSTGRESQL else f"{name}@'%%'"
            server.exec_driver_sql(f"DROP {'ROLE' if engine == POSTGRESQL else 'USER'} {user}")


@pytest.mark.postgresql
def test_what_postgresql_does_not_allow_is_told(house):
    with fresh_database(POSTGRESQL) as url:
        nobody = written(url.set(username="nobody_there"))
        assert 'role "nobody_there" does not exist' in refusal(house, nobody)
        with person(POSTGRESQL, url) as guest:
            said = refusal(house, written(guest))
        assert "permission denied for schema public. Give ProMan's user every privilege" in said
        with administration(POSTGRESQL) as server:
            server.exec_driver_sql(
                f"ALTER DATABASE {url.database} SET default_transaction_read_only = on"
            )
        assert "in a read-only transaction. ProMan has to write there" in refusal(
            house, written(url)
        )
        with administration(POSTGRESQL) as server:
            server.exec_driver_sql(f"DROP DATABASE {url.database}")
            server.exec_driver_sql(
                f"CREATE DATABASE {url.database} ENCODING 'LATIN1' TEMPLATE template0"
                " LC_COLLATE 'C' LC_CTYPE 'C'"
            )
        assert "is in LATIN1, which does not hold every name" in refusal(house, written(url))
        assert tables_in(url) == set()


@pytest.mark.mysql
def test_what_mysql_does_not_allow_is_told_and_taken_back(house):
    with fresh_database(MYSQL) as url:
        nobody = written(url.set(username="root", password="wrong"))
        assert "Access denied for user 'root'" in refusal(house, nobody)
        missing = written(url.set(database="no_such_database"))
        assert "Unknown database 'no_such_database'" in refusal(house, missing)
        with person(MYSQL, url, "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP") as guest:
            said = refusal(house, written(guest))
        assert "command denied to user" in said
        with administration(MYSQL) as server:
            most = server.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()
        house.sql(
            "INSERT INTO organization_logos (organization_id, media_type, content, uploaded_at)"
            f" VALUES (:own, 'image/png', zeroblob({most // 2}), '2026-01-01 00:00:00')",
            own=house.organization,
        )
        assert "Set max_allowed_packet = " in refusal(house, written(url))
        assert tables_in(url) == set()
