"""A mistake in a statement of ProMan is told as such, and not as a database that is away."""

import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from proman.db import db
from tests.conftest import Cast
from tests.factories import make_property

RENAME = "ALTER TABLE properties RENAME COLUMN {} TO {}"


def change(statement: str) -> None:
    db.session.rollback()
    with db.engine.execution_options(write=True).begin() as connection:
        connection.execute(text(statement))


@pytest.fixture
def lacking(app: Flask, home: Cast) -> Iterator[str]:
    """A page whose statement names a column that is not there."""
    page = f"/properties/{make_property()}"
    change(RENAME.format("notes", "remarks"))
    yield page
    change(RENAME.format("remarks", "notes"))


@pytest.mark.engines
def test_a_mistake_in_a_statement_is_no_database_that_is_away(
    mona: FlaskClient, lacking: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = mona.get(lacking)
    assert answer.status_code == 500
    assert "The database does not answer" not in answer.text
    assert [one.levelno for one in caplog.records if one.exc_info] == [logging.ERROR]
