"""What is kept while the database stands is what would be read anew, whoever changed it."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, func, select, update

from proman.database.kept import MOST, rows_while_unchanged
from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.properties.models import Property
from proman.scope import OutsideOrganization
from tests.conftest import Cast
from tests.factories import make_property
from tests.statements import statements_of

table = Property.__table__
NAMES = (
    select(table.c.name)
    .where(table.c.organization_id == bindparam("organization_id"), table.c.name != bindparam("no"))
    .order_by(table.c.name)
)


def names(no: str = "") -> list[str]:
    return [row.name for row in rows_while_unchanged(NAMES, {"no": no})]


def read_anew() -> list[str]:
    db.session.rollback()
    return names()


def asked(app: Flask, look: Callable[[], object]) -> int:
    with statements_of(app) as said:
        look()
    return sum("properties" in statement for statement in said)


@pytest.mark.sqlite
def test_an_unchanged_database_is_asked_once(app: Flask, home: Cast) -> None:
    make_property(name="Mill")
    assert read_anew() == ["Mill"]
    assert asked(app, read_anew) == 0
    assert asked(app, lambda: names("Mill")) == 1


def test_ones_own_change_is_seen(home: Cast) -> None:
    make_property(name="Mill")
    assert read_anew() == ["Mill"]
    make_property(name="Barn")
    assert read_anew() == ["Barn", "Mill"]
    begin_write()
    db.session.execute(update(Property).values(name=Property.name + "s"))
    assert names() == ["Barns", "Mills"]
    db.session.commit()
    assert read_anew() == ["Barns", "Mills"]


def test_what_was_taken_back_is_not_kept(home: Cast) -> None:
    make_property(name="Mill")
    begin_write()
    db.session.execute(update(Property).values(name="Yard"))
    assert names() == ["Yard"]
    db.session.rollback()
    assert names() == ["Mill"]


@pytest.mark.sqlite
def test_the_change_of_another_process_is_seen(home: Cast) -> None:
    make_property(name="Mill")
    assert read_anew() == ["Mill"]
    change = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); "
    command = [sys.executable, "-c", change + "c.commit()", str(db.engine.url.database)]
    subprocess.run([*command, "UPDATE properties SET name = 'Elsewhere'"], check=True)
    # What this transaction sees does not change under it.
    assert names() == ["Mill"]
    assert read_anew() == ["Elsewhere"]


def test_each_organization_has_its_own(home: Cast) -> None:
    make_property(name="Mill")
    with acting_for(home.other_organization):
        make_property(name="Theirs")
        assert names() == ["Theirs"]
    assert names() == ["Mill"]
    with acting_for(home.other_organization):
        assert names() == ["Theirs"]


def test_without_an_organization_nothing_is_given_out(home: Cast) -> None:
    make_property(name="Mill")
    assert names() == ["Mill"]
    db.session.info["organization_id"] = None
    with pytest.raises(OutsideOrganization):
        names()


def test_it_does_not_grow_for_ever(home: Cast) -> None:
    for number in range(2 * MOST):
        names(f"{number}")
    assert len(db.session.connection().info.get("kept", {})) <= MOST + 1


CHANGES = st.lists(
    st.tuples(st.sampled_from(["here", "another thread", "taken back"]), st.integers(0, 2)),
    min_size=1,
    max_size=12,
)


@given(CHANGES)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_it_equals_what_is_read_anew(
    app: Flask, home: Cast, changes: list[tuple[str, int]]
) -> None:
    if not db.session.execute(select(func.count()).select_from(Property)).scalar():
        make_property(name="Mill")

    def change(where: str, number: int) -> None:
        begin_write()
        db.session.execute(update(Property).values(name=f"{where} {number}"))
        (db.session.rollback if where == "taken back" else db.session.commit)()

    def elsewhere(where: str, number: int) -> None:
        with app.app_context(), acting_for(home.organization):
            change(where, number)
            db.session.remove()

    for where, number in changes:
        if where == "another thread":
            thread = threading.Thread(target=elsewhere, args=(where, number))
            thread.start()
            thread.join()
        else:
            change(where, number)
        db.session.rollback()
        assert names() == list(db.session.scalars(select(Property.name).order_by(Property.name)))
