"""The database is lost: at COMMIT, right after it, between two statements, or for a while."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.orm import Session

from proman.db import db
from tests.conftest import Cast
from tests.engines import POSTGRESQL, administration
from tests.factories import make_lease
from tests.payments.test_views import count as payments
from tests.payments.test_views import typed

pytestmark = pytest.mark.engines("postgresql", "mysql")


@contextmanager
def closed(database: URL) -> Iterator[None]:
    """PostgreSQL lets nobody into the database, and those who are in it are gone."""
    name = database.database
    with administration(POSTGRESQL) as server:
        server.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        going = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        server.execute(text(going), {"name": name})
        try:
            yield
        finally:
            server.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_connection_that_breaks_at_commit_leaves_it_open(
    app: Flask, home: Cast, mona: FlaskClient
) -> None:
    lease_id = make_lease()
    fields = typed(lease_id)

    def break_off(connection: Connection) -> None:
        """End the connection from another one, at the moment of its COMMIT."""
        if connection.get_execution_options().get("write"):
            _end(connection)

    db.session.rollback()
    event.listen(db.engine, "commit", break_off)
    try:
        answer = mona.post("/payments/", data=fields)
    finally:
        event.remove(db.engine, "commit", break_off)
    assert answer.status_code == 503
    assert "Look whether it is there" in answer.text
    assert "Nothing was changed" not in answer.text
    assert payments() == 0


@pytest.mark.engines("postgresql")
def test_what_was_saved_is_not_said_to_be_undone(app: Flask, home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    fields = typed(lease_id)
    with ExitStack() as stack:

        def shut(session: Session) -> None:
            stack.enter_context(closed(db.engine.url))

        db.session.rollback()
        event.listen(db.session, "after_commit", shut)
        try:
            answer = mona.post("/payments/", data=fields)
        finally:
            event.remove(db.session, "after_commit", shut)
    assert answer.status_code == 503
    assert "It was saved" in answer.text
    assert "Nothing was changed" not in answer.text
    assert payments() == 1


@pytest.mark.engines("postgresql")
def test_an_outage_is_a_page_that_says_so(app: Flask, home: Cast, mona: FlaskClient) -> None:
    db.session.rollback()
    with closed(db.engine.url):
        answers = [mona.get("/payments/"), mona.post("/payments/", data={})]
    for answer in answers:
        assert answer.status_code == 503
        assert "Nothing was changed" in answer.text
    assert mona.get("/payments/").status_code == 200


def test_a_connection_that_broke_is_left_without_a_word(app: Flask, home: Cast) -> None:
    for leave in (db.session.rollback, db.session.remove):
        _end(db.session.connection())
        leave()
        assert db.session.scalar(text("SELECT 1")) == 1


def _end(connection: Connection) -> None:
    """End the connection from another one."""
    own, kill = "SELECT connection_id()", "KILL {}"
    if connection.dialect.name == POSTGRESQL:
        own, kill = "SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"
    number = connection.exec_driver_sql(own).scalar_one()
    with connection.engine.connect() as other:
        other.exec_driver_sql(kill.format(number))
