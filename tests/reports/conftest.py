"""The demonstration portfolio, loaded once a session for each size and put in place again."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from proman.db import begin_write, db
from proman.demo.actions import Wanted, demonstration_today, load_demonstration
from proman.identity.passwords import hash_password
from tests.engines import Contents, contents, fill
from tests.factories import PASSWORD

FEW = 10


@pytest.fixture(scope="session")
def loaded(engine: str) -> dict[int, Contents]:
    """The rows of the demonstrations loaded so far, by the number of leases."""
    return {}


@pytest.fixture
def demonstrate(
    app: Flask, empty_again: Callable[[], None], loaded: dict[int, Contents]
) -> Callable[[int], FlaskClient]:
    """A function that puts a demonstration in place and gives its manager's client."""

    def demonstrate(leases: int) -> FlaskClient:
        empty_again()
        with app.app_context():
            if leases in loaded:
                with db.engine.execution_options(write=True).begin() as connection:
                    fill(connection, loaded[leases])
            else:
                loaded[leases] = _load(leases)
        client = app.test_client()
        answer = client.post("/login", data={"email": "manager@example.com", "password": PASSWORD})
        assert answer.status_code == 303
        return client

    return demonstrate


def _load(leases: int) -> Contents:
    begin_write()
    wanted = Wanted(leases, 4, 1, demonstration_today())
    load_demonstration(wanted, hash_password(PASSWORD), lambda done, total: None)
    db.session.commit()
    with db.engine.connect() as connection:
        return contents(connection, db.metadata)


@pytest.fixture
def today() -> date:
    """The last day of the demonstration."""
    return demonstration_today()
