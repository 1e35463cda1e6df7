"""Isolation: no statement reaches another organization's rows, and none forgets to say whose."""

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, select, update

from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.properties.models import Property, Unit
from proman.scope import OutsideOrganization
from tests.conftest import Cast
from tests.factories import make_property, make_unit

table = Property.__table__


def test_orm_statements_see_their_own_organization_only(home: Cast) -> None:
    mine = make_property(name="Mine")
    with acting_for(home.other_organization):
        theirs = make_property(name="Theirs")
        assert db.session.scalars(select(Property.id)).all() == [theirs]
    assert db.session.scalars(select(Property.id)).all() == [mine]
    assert db.session.get(Property, theirs) is None


def test_orm_updates_change_their_own_organization_only(home: Cast) -> None:
    make_property(name="Mine")
    with acting_for(home.other_organization):
        make_property(name="Theirs")
    begin_write()
    changed = db.session.execute(update(Property).values(city="Moved"))
    db.session.commit()
    assert changed.rowcount == 1


def test_joins_and_aliases_are_scoped(home: Cast) -> None:
    unit = make_unit()
    with acting_for(home.other_organization):
        make_unit()
    rows = db.session.execute(select(Unit.id, Property.name).join(Unit.property)).all()
    assert [row.id for row in rows] == [unit]


def test_core_statement_must_name_its_organization(home: Cast) -> None:
    make_property()
    with pytest.raises(OutsideOrganization):
        db.session.execute(select(table.c.id))
    named = select(table.c.id).where(table.c.organization_id == bindparam("organization_id"))
    assert len(db.session.execute(named).all()) == 1
    with acting_for(home.other_organization):
        assert db.session.execute(named).all() == []


def test_core_parameter_cannot_name_another_organization(home: Cast) -> None:
    with acting_for(home.other_organization):
        make_property()
    named = select(table.c.id).where(table.c.organization_id == bindparam("organization_id"))
    answer = db.session.execute(named, {"organization_id": home.other_organization})
    assert answer.all() == []


def test_core_update_in_bulk_is_scoped(home: Cast) -> None:
    mine = make_property(name="Mine")
    with acting_for(home.other_organization):
        theirs = make_property(name="Theirs")
    statement = (
        update(table)
        .where(
            table.c.id == bindparam("of_id"),
            table.c.organization_id == bindparam("of_organization"),
        )
        .values(city=bindparam("new_city"))
    )
    begin_write()
    rows = [{"of_id": row_id, "new_city": "Moved"} for row_id in (mine, theirs)]
    db.session.execute(statement, rows)
    db.session.commit()
    cities = select(table.c.name, table.c.city).order_by(table.c.name)
    found = db.session.execute(cities, execution_options={"everywhere": True}).all()
    assert [tuple(row) for row in found] == [("Mine", "Moved"), ("Theirs", "Berlin")]


def test_core_insert_gets_the_organization(home: Cast) -> None:
    begin_write()
    row = {"name": "Bulk", "type": "house", "country": "DE", "notes": "", "is_single_unit": False}
    db.session.execute(insert(table), [row])
    db.session.commit()
    names = select(Property.name).where(Property.organization_id == home.organization)
    assert db.session.scalars(names).all() == ["Bulk"]


def test_nothing_scoped_runs_without_an_organization(app: Flask) -> None:
    with app.app_context(), pytest.raises(OutsideOrganization):
        db.session.execute(select(Property))


def test_a_change_outside_begin_write_is_refused(home: Cast) -> None:
    db.session.add(Property(name="Stray", type="house", country="DE"))
    with pytest.raises(RuntimeError, match="begin_write"):
        db.session.flush()
    db.session.rollback()
