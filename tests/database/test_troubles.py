"""Whatever a database or a disk refuses: one line with what and what to do, and exit code 1."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import URL, inspect

from proman import cli, server
from proman.addresses import parse_database_url
from proman.app import MIGRATIONS, create_app
from proman.database.migrating import looking_connection
from proman.database.revisions import chain_to
from proman.db import db
from proman.settings import Settings
from tests import clusters, engines
from tests.conftest import make_settings
from tests.engines import MYSQL, POSTGRESQL

CHAIN = chain_to(MIGRATIONS, "head")
CHANGING = ("db upgrade", "db stamp", "database deploy", "database push")
LOOKING = ("db current", "db check", "database status", "database backup", "database baseline")


@pytest.fixture(autouse=True)
def in_development(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `flask database push` does what it is asked."""
    monkeypatch.setenv("FLASK_DEBUG", "1")


@contextmanager
def application(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


def run(settings: Settings, command: str) -> Result:
    with application(settings) as app:
        return app.test_cli_runner().invoke(args=command.split())


def serve(settings: Settings) -> Result:
    """What `proman serve` says."""
    with application(settings) as app:
        command = click.Command("serve", callback=lambda: server.serve(app))
        cli.speak_plainly(command)
        return CliRunner().invoke(command)


def refusal(done: Result) -> str:
    assert done.exit_code == 1, done.output
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def on(tmp_path: Path, address: str) -> Settings:
    return make_settings(tmp_path / "data", database_url=parse_database_url(address, tmp_path))


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "mariadb"])
def test_an_unreachable_server(tmp_path, scheme):
    settings = on(tmp_path, f"{scheme}://proman:secret@127.0.0.1:{clusters.free_port()}/proman")
    for done in (*(run(settings, one) for one in (*CHANGING, *LOOKING)), serve(settings)):
        said = refusal(done)
        assert "Start the server, or correct host and port in DATABASE_URL." in said
        assert "secret" not in said


def test_an_unknown_scheme(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMAN_DATA_DIR", str(tmp_path))
    said = refusal(CliRunner(env={"DATABASE_URL": "oracle://here/it"}).invoke(cli.program, "serve"))
    assert "DATABASE_URL is not an address of SQLite, PostgreSQL, MySQL or MariaDB" in said


STRANGER = "proman_test_stranger"
MAKE_STRANGER = {
    POSTGRESQL: (
        f"DROP ROLE IF EXISTS {STRANGER}",
        f"CREATE ROLE {STRANGER} LOGIN PASSWORD 'right'",
    ),
    MYSQL: (
        f"DROP USER IF EXISTS {STRANGER}",
        f"CREATE USER {STRANGER} IDENTIFIED BY 'right'",
        f"GRANT SELECT ON `proman\\_test\\_%%`.* TO {STRANGER}",
    ),
}


@contextmanager
def stranger(engine: str) -> Iterator[URL]:
    """The address of an empty database for one who may look and nothing else."""
    kind = "ROLE" if engine == POSTGRESQL else "USER"
    with engines.fresh_database(engine) as url, engines.administration(engine) as administrator:
        for statement in MAKE_STRANGER[engine]:
            administrator.exec_driver_sql(statement)
        try:
            yield url.set(username=STRANGER, password="right")
        finally:
            administrator.exec_driver_sql(f"DROP {kind} {STRANGER}")


def tables(settings: Settings) -> list[str]:
    with looking_connection(settings) as connection:
        return inspect(connection).get_table_names()


@pytest.mark.engines("postgresql", "mysql")
def test_a_user_without_privileges_a_missing_database_a_wrong_password(engine, tmp_path):
    with stranger(engine) as url:
        settings = make_settings(tmp_path, database_url=url)
        for command in CHANGING:
            said = refusal(run(settings, command))
            assert "Give ProMan's user every privilege on its database" in said
        assert tables(settings) == []
        gone = make_settings(tmp_path, database_url=url.set(database="proman_test_nowhere"))
        for done in (run(gone, "db upgrade"), run(gone, "database status"), serve(gone)):
            said = refusal(done)
            assert "privilege" in said or "Make an empty database of that name" in said
        if engine == MYSQL:  # the test server of PostgreSQL may trust whoever comes
            wrong = make_settings(tmp_path, database_url=url.set(password="wrong"))
            for done in (run(wrong, "db upgrade"), run(wrong, "database status"), serve(wrong)):
                said = refusal(done)
                assert "Correct user and password in DATABASE_URL." in said
                assert "wrong" not in said


@pytest.mark.clusters
def test_a_wrong_password_on_postgresql(tmp_path):
    with clusters.with_password("right") as cluster:
        url = cluster.url().set(password="wrong")
        settings = make_settings(tmp_path / "data", database_url=url)
        for done in (run(settings, "db upgrade"), serve(settings)):
            assert "Correct user and password in DATABASE_URL." in refusal(done)


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name(engine, tmp_path, encoding):
    with engines.fresh_database(engine) as url:
        name = url.database
        with engines.administration(engine) as administrator:
            engines.drop(administrator, str(name))
            administrator.exec_driver_sql(
                f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
                " TEMPLATE template0"
            )
        settings = make_settings(tmp_path, database_url=url)
        for done in (*(run(settings, one) for one in (*CHANGING, "db check")), serve(settings)):
            said = refusal(done)
            assert f"is in {encoding}, which does not hold every name" in said
            assert f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0" in said


def test_a_file_that_is_no_database_and_a_directory_that_is_not_there(tmp_path):
    file = tmp_path / "letter.sqlite"
    file.write_text("Dear Madam, " * 100)
    for done in (
        *(run(on(tmp_path, f"sqlite:///{file}"), one) for one in (*CHANGING, *LOOKING)),
        serve(on(tmp_path, f"sqlite:///{file}")),
    ):
        assert "file is not a database" in refusal(done)
    assert file.read_text() == "Dear Madam, " * 100
    settings = on(tmp_path, f"sqlite:///{tmp_path}/nowhere/proman.sqlite")
    for done in (*(run(settings, one) for one in CHANGING), serve(settings)):
        assert "The directory has to be there and ProMan's user has to write in it." in refusal(
            done
        )


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A function that mounts a small disk, or the same again with other options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        subprocess.run(command, check=True)
        return place

    yield mount
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.fault(
    "Disk full",
    how="upgrade on a tmpfs of 200 KiB",
    outcome="one line, nothing was changed",
)
@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a tmpfs")
def test_a_disk_that_is_full(tmp_path, mounted):
    file = mounted("size=200k") / "proman.sqlite"
    settings = on(tmp_path, f"sqlite:///{file}")
    for command in ("db upgrade", "database deploy", "database push"):
        said = refusal(run(settings, command))
        assert "Nothing was changed" in said
        assert "Free some space and try again." in said
        assert tables(settings) == []


@pytest.mark.fault(
    "Read-only volume",
    how="the data directory on a tmpfs remounted read-only",
    outcome="one line that says what to do; the file is untouched",
)
@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a tmpfs")
def test_a_file_that_can_only_be_read(tmp_path, mounted):
    file = mounted("size=8m") / "proman.sqlite"
    settings = on(tmp_path, f"sqlite:///{file}")
    with application(settings) as app, app.app_context():
        upgrade()
        downgrade(revision=CHAIN[-2])
    before = file.read_bytes()
    mounted("remount,ro")
    for done in (*(run(settings, one) for one in CHANGING), serve(settings)):
        said = refusal(done)
        assert "ProMan's user has to write in it" in said or "ProMan has to write there" in said
    assert file.read_bytes() == before
