"""An installation of its own for each test that backs up or restores, with real files."""

import contextvars
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import URL, text

from proman.app import create_app
from proman.database import keys, sealing
from proman.database.backup import back_up
from proman.database.catalogue import Backup
from proman.database.contents import Content
from proman.database.engines import direct_engine
from proman.database.installation import Installation
from proman.database.sealing import Key
from proman.db import db
from proman.settings import Settings
from tests import engines, factories
from tests.conftest import make_settings
from tests.database.locking import LATER, OURS, furnish
from tests.factories import PASSWORD


class Browser(FlaskClient):
    """A client whose requests share nothing with the context that the test itself stands in."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        return contextvars.Context().run(partial(super().open, *arguments, **options))


@dataclass
class House:
    """An application on its own data directory, with Alice, who is administrator and operator."""

    app: Flask
    site: Installation
    organization: int
    alice: int

    @property
    def folder(self) -> Path:
        return self.site.data_dir

    def sql(self, statement: str, **values: object) -> object:
        """Runs one statement on the live database and commits it; the first value it gives."""
        with self.app.app_context():
            engine = db.engine.execution_options(write=True)
        with engine.connect() as connection:
            found = connection.execute(text(statement), values)
            first = found.scalar() if found.returns_rows else None
            connection.commit()
        return first

    def name(self) -> object:
        """What tells in these tests which state the database is in."""
        return self.sql("SELECT legal_name FROM organizations ORDER BY id")

    def rename(self, name: str) -> None:
        self.sql("UPDATE organizations SET legal_name = :name", name=name)

    def client(self) -> FlaskClient:
        """Alice, signed in."""
        self.app.test_client_class = Browser
        client = self.app.test_client()
        answer = client.post("/login", data={"email": "alice@example.com", "password": PASSWORD})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return client


@pytest.fixture
def blank_settings(engine: str, tmp_path: Path) -> Iterator[Settings]:
    """Those of an installation whose database is empty: no migration has run yet."""
    with ExitStack() as stack:
        changes = {}
        if engine != engines.SQLITE:
            changes["database_url"] = stack.enter_context(engines.fresh_database(engine))
        yield make_settings(tmp_path, **changes)


@pytest.fixture
def house(tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    settings = make_settings(tmp_path / "data")
    shutil.copyfile(migrated_file, settings.data_dir / "proman.sqlite")
    with living_in(settings) as house:
        yield house


@pytest.fixture(scope="session")
def migrated_server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL | None]:
    """The address of a database at head on the engine's server, None for SQLite."""
    if engine == engines.SQLITE:
        yield None
        return
    with engines.fresh_database(engine) as url:
        app = create_app(make_settings(tmp_path_factory.mktemp("server"), database_url=url))
        with app.app_context():
            upgrade()
            db.engine.dispose()
        yield url


@pytest.fixture
def anywhere(tmp_path: Path, migrated_file: Path, migrated_server: URL | None) -> Iterator[House]:
    """The same house on the engine of the test."""
    if migrated_server is None:
        settings = make_settings(tmp_path / "anywhere")
        shutil.copyfile(migrated_file, settings.data_dir / "proman.sqlite")
    else:
        settings = make_settings(tmp_path / "anywhere", database_url=migrated_server)
        engine = direct_engine(migrated_server)
        with engine.begin() as connection:
            engines.empty(connection, [table.name for table in db.metadata.sorted_tables])
    with living_in(settings) as house:
        yield house


@contextmanager
def living_in(settings: Settings) -> Iterator[House]:
    """The application on these settings, with Alice in it."""
    app = create_app(settings)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    with app.app_context():
        home = factories.make_organization(legal_name="before")
        alice = factories.make_user(home, "alice@example.com", "administrator", operator=True)
        yield House(app, app.extensions["proman_installation"], home, alice)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def files(house: House) -> Callable[[], set[str]]:
    """A function that tells every file of the installation, side files of SQLite apart."""

    def files() -> set[str]:
        every = (one for one in house.folder.rglob("*") if one.is_file())
        names = {str(one.relative_to(house.folder)) for one in every}
        return {one for one in names if not one.endswith(("-wal", "-shm"))}

    return files


@pytest.fixture(scope="session")
def made_keys() -> dict[str, Key]:
    """A key costs seconds on purpose, so all tests share theirs, as an installation does."""
    return {one: sealing.make_key(one, "for tests") for one in (OURS, LATER)}


@pytest.fixture
def set_to(made_keys: dict[str, Key]) -> Callable[[House, str | None], None]:
    """A function that starts the installation anew with that passphrase, or none."""

    def set_to(house: House, passphrase: str | None) -> None:
        settings = replace(house.site.settings, backup_passphrase=passphrase)
        house.site = replace(house.site, settings=settings)
        house.app.extensions["proman_installation"] = house.site
        if passphrase is not None:
            key = made_keys[passphrase]
            keys.keep(house.site.backup_dir, key.recipient, key.sealed)

    return set_to


@pytest.fixture
def locked(anywhere, set_to) -> tuple[House, Backup, Content]:
    """A house with a document, and an encrypted backup from before its name was changed."""
    lease = furnish(anywhere)
    set_to(anywhere, OURS)
    made = back_up(anywhere.site, "manual", "Alice")
    anywhere.rename("after")
    return anywhere, made, lease
