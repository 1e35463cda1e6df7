"""Many let one unit at once: the database gives it to one of them, on every engine."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.exc import DBAPIError

from proman.base.errors import Refused
from proman.db import db
from proman.leases.models import Lease, LeaseParty
from tests.billing.test_concurrency import at_once
from tests.conftest import Cast
from tests.factories import make_lease, make_unit
from tests.leases.test_actions import Signer, agreement, write

pytestmark = pytest.mark.engines
TRIES = 6
OF_HERE = Lease.__table__.c.organization_id == bindparam("organization_id")


def test_of_many_agreements_for_a_unit_one_holds(app: Flask, home: Cast) -> None:
    unit = make_unit()

    def let(number: int) -> str:
        try:
            return str(write(agreement(unit, Signer(name=f"Tenant {number}"))).status)
        except Refused:
            db.session.rollback()
            return "refused"

    works = [lambda number=number: let(number) for number in range(TRIES)]
    said = at_once(app, home.organization, works)
    assert sorted(map(str, said)) == ["active"] + ["refused"] * (TRIES - 1)
    db.session.rollback()
    in_force = select(func.count(Lease.id)).where(Lease.status == "active")
    assert db.session.scalar(in_force) == 1
    assert db.session.scalar(select(func.count(LeaseParty.id))) == 1


def test_the_database_refuses_also_those_who_wait_for_nobody(app: Flask, home: Cast) -> None:
    """Past the session, which lets one change of an organization happen at a time."""
    make_lease(status="draft")
    leases = Lease.__table__
    like = dict(db.session.execute(select(leases).where(OF_HERE)).mappings().one())
    db.session.rollback()
    del like["id"]

    def put(day: int) -> str:
        own = {"first_day": date(2027, 1, day), "reference": f"{day}", "status": "active"}
        try:
            with db.engine.execution_options(write=True).begin() as connection:
                connection.execute(insert(leases), {**like, **own})
        except DBAPIError as error:
            # Two that wait for each other are a deadlock to a server: it refuses one for that.
            known = ("overlap", "deadlock")
            return "refused" if any(word in str(error).lower() for word in known) else str(error)
        return "active"

    works = [lambda day=day: put(day) for day in range(1, TRIES + 1)]
    said = at_once(app, home.organization, works)
    assert sorted(map(str, said)) == ["active"] + ["refused"] * (TRIES - 1)
    db.session.rollback()
    in_force = select(func.count(Lease.id)).where(Lease.status == "active")
    assert db.session.scalar(in_force) == 1
