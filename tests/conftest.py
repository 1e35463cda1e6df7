"""Fixtures of every test: a real migrated database, an application on it, and its cast.

The migrations run once for each worker; every test gets an empty database (on SQLite a copy of the
migrated file) and commits for real. The cast: Alice (administrator), Mona (manager), Vera (viewer)
of Harbour Homes; Charlie, the administrator of another organization.
"""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import text

from proman.addresses import parse_database_url
from proman.app import MIGRATIONS, create_app
from proman.database.revisions import head_revision
from proman.db import db
from proman.identity.session import acting_for
from proman.settings import Settings
from tests import containers, engines, factories, faults
from tests.factories import PASSWORD


class Client(FlaskClient):
    """A client whose every request has its own application context, as on a real server.

    Without it a request made inside a test's context would share its `g`, and with it the person
    whom an earlier request signed in.
    """

    def open(self, *args: Any, **kw: Any) -> Any:
        kw.setdefault("buffered", True)
        with self.application.app_context():
            return super().open(*args, **kw)


def make_settings(folder: Path, **changes: object) -> Settings:
    """Settings of an installation that lives in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, object] = {
        "data_dir": folder,
        "backup_dir": folder / "backups",
        "database_url": parse_database_url("", folder),
        "secret_key": "only-for-tests",
        "port": 0,
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """A server that ran within a test logs what goes well; the next test's commands do not."""
    yield
    logging.getLogger("proman").setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file at head, made by the migrations."""
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app(make_settings(folder))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return folder / "proman.sqlite"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests on the `engine` run on SQLite; those marked `engines` on the servers too, and so does
    every one of them when `-m` names a server. Those marked with names of engines run on these, and
    those marked `sqlite` on no server.
    """
    is_of_sqlite = metafunc.definition.get_closest_marker("sqlite") is not None
    if "engine" not in metafunc.fixturenames or is_of_sqlite:
        return
    marker = metafunc.definition.get_closest_marker("engines")
    expression = metafunc.config.getoption("markexpr")
    servers = [
        pytest.param(name, marks=getattr(pytest.mark, name))
        for name in (marker and marker.args) or engines.SERVERS
        if marker or engines.is_asked_for(name, expression)
    ]
    if servers:
        sqlite = [] if marker and marker.args else [engines.SQLITE]
        metafunc.parametrize("engine", sqlite + servers, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that makes a fault of the list is known by its id in the report of the run."""
    for item in items:
        try:
            if any(faults.made_by(item)):
                item.user_properties.append(("nodeid", item.nodeid))
        except (TypeError, ValueError) as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from error


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """Which engine the test runs on: sqlite, postgresql or mysql."""
    return str(getattr(request, "param", engines.SQLITE))


@pytest.fixture(scope="session")
def podman() -> Iterator[containers.Engine]:
    """Runs containers; tests that take it belong to the xdist group `image`."""
    with containers.container_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def image(podman: containers.Engine) -> containers.Engine:
    """The same with `proman:test`, which takes minutes to build and is built once in a run."""
    containers.build(podman)
    return podman


@pytest.fixture(scope="session")
def new_installation(engine: str, migrated_file: Path) -> Iterator[Callable[..., Settings]]:
    """A function that makes an installation in a folder: its database is empty and at head."""
    with ExitStack() as stack:

        def make(folder: Path, **changes: object) -> Settings:
            if engine == engines.SQLITE:
                settings = make_settings(folder, **changes)
                shutil.copyfile(migrated_file, folder / "proman.sqlite")
                return settings
            url = stack.enter_context(engines.fresh_database(engine))
            settings = make_settings(folder, **changes, database_url=url)
            app = create_app(settings)
            with app.app_context():
                upgrade()
                db.engine.dispose()
            return settings

        yield make


@pytest.fixture(scope="session")
def _worker_app(
    tmp_path_factory: pytest.TempPathFactory, new_installation: Callable[..., Settings]
) -> Iterator[Flask]:
    app = make_app(new_installation(tmp_path_factory.mktemp("data")))
    yield app
    with app.app_context():
        db.engine.dispose()


def make_app(settings: Settings) -> Flask:
    """The application as tests call it: forged-request checks are off."""
    app = create_app(settings)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    app.test_client_class = Client
    return app


@pytest.fixture
def empty_again(_worker_app: Flask, migrated_file: Path) -> Callable[[], None]:
    """A function that empties the database of `app`; call it outside of any context."""
    settings: Settings = _worker_app.extensions["proman_settings"]
    live = settings.database_file

    def empty() -> None:
        with _worker_app.app_context():
            db.engine.dispose()
            if live is None:
                with db.engine.execution_options(write=True).begin() as connection:
                    engines.empty(connection, [table.name for table in db.metadata.sorted_tables])
                    head = {"head": head_revision(MIGRATIONS)}
                    connection.execute(text("UPDATE alembic_version SET version_num = :head"), head)
                return
        # A new file each time: SQLite goes by the inode, and a connection that a test left open has
        # the old one.
        for side in ("", "-wal", "-shm", "-journal"):
            Path(f"{live}{side}").unlink(missing_ok=True)
        shutil.copyfile(migrated_file, live)

    return empty


@pytest.fixture
def app(_worker_app: Flask, empty_again: Callable[[], None]) -> Iterator[Flask]:
    """The application on an empty database at head; forged-request checks are off."""
    empty_again()
    yield _worker_app
    with _worker_app.app_context():
        db.engine.dispose()


@dataclass(frozen=True)
class Cast:
    """The organizations and people of a test, by id."""

    organization: int
    alice: int
    mona: int
    vera: int
    other_organization: int
    charlie: int


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Harbour Homes with Alice, Mona and Vera; the outsider Charlie with an organization of his."""
    with app.app_context():
        home = factories.make_organization()
        other = factories.make_organization(name="Charlie's Courts", currency="USD", country="US")
        return Cast(
            organization=home,
            alice=factories.make_user(home, "alice@example.com", "administrator", operator=True),
            mona=factories.make_user(home, "mona@example.com", "manager"),
            vera=factories.make_user(home, "vera@example.com", "viewer"),
            other_organization=other,
            charlie=factories.make_user(other, "charlie@example.com", "administrator"),
        )


@pytest.fixture
def home(app: Flask, cast: Cast) -> Iterator[Cast]:
    """An application context whose session works for Harbour Homes, as ProMan itself."""
    with app.app_context(), acting_for(cast.organization):
        yield cast


@pytest.fixture
def sign_in(app: Flask, cast: Cast) -> Callable[[str], FlaskClient]:
    """A function that gives the client of a person of the cast: `sign_in("mona")`."""

    def sign_in(person: str) -> FlaskClient:
        client = app.test_client()
        email = f"{person}@example.com"
        answer = client.post("/login", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return client

    return sign_in


@pytest.fixture
def mona(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """The manager's client."""
    return sign_in("mona")


@pytest.fixture
def alice(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """The administrator's client (also the operator)."""
    return sign_in("alice")
