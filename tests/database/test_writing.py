"""What a change may rely on, on every engine: who waits for whom, what is read, which ids come."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import bindparam, func, insert, select, text

from proman.database.ids import insert_numbered
from proman.db import begin_write, db, utc_now
from proman.identity.session import acting_for
from proman.properties.models import Property
from proman.properties.queries import properties_listing
from proman.tenants.models import Tenant
from tests.conftest import Cast
from tests.factories import make_property, make_tenant

pytestmark = pytest.mark.engines
_tenants = Tenant.__table__
NAMES = (
    select(_tenants.c.id, _tenants.c.name)
    .where(_tenants.c.organization_id == bindparam("organization_id"))
    .order_by(_tenants.c.id)
)


def in_thread(app: Flask, organization: int, work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        with app.app_context(), acting_for(organization):
            work()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_change_waits_for_the_one_under_way_and_then_sees_it(app: Flask, home: Cast) -> None:
    seen: list[int] = []

    def count() -> None:
        begin_write()
        seen.append(db.session.scalar(select(func.count(Tenant.id))) or 0)
        db.session.rollback()

    begin_write()
    db.session.add(Tenant(kind="person", name="Ada"))
    db.session.flush()
    other = in_thread(app, home.organization, count)
    other.join(0.3)
    assert seen == []
    db.session.commit()
    other.join()
    assert seen == [1]


def test_on_a_server_organizations_do_not_wait_for_each_other(
    app: Flask, home: Cast, engine: str
) -> None:
    begun = threading.Event()

    def begin() -> None:
        begin_write()
        begun.set()
        db.session.rollback()

    begin_write()
    other = in_thread(app, home.other_organization, begin)
    if engine == "sqlite":
        assert not begun.wait(0.3)
    else:
        assert begun.wait(30)
    db.session.rollback()
    other.join()


def test_who_reads_sees_one_moment_until_they_begin_a_change(app: Flask, home: Cast) -> None:
    def add() -> None:
        make_tenant(name="Ada")

    how_many = select(func.count(Tenant.id))
    assert db.session.scalar(how_many) == 0
    in_thread(app, home.organization, add).join()
    assert db.session.scalar(how_many) == 0
    begin_write()
    assert db.session.scalar(how_many) == 1
    db.session.rollback()


def test_ids_of_many_rows_come_back_in_order_whoever_inserts_meanwhile(
    app: Flask, home: Cast
) -> None:
    def fill(organization: int, mark: str) -> list[tuple[int, str]]:
        told: list[tuple[int, str]] = []
        with app.app_context(), acting_for(organization):
            for number in range(6):
                names = [f"{mark} {number} {n:03d}" for n in range(200)]
                kept = {"kind": "person", "created_at": utc_now()}
                begin_write()
                rows = [{"name": name, **kept} for name in names]
                ids = insert_numbered(db.session(), insert(_tenants), rows)
                db.session.commit()
                told += zip(ids, names, strict=True)
            db.session.rollback()
            assert [tuple(row) for row in db.session.execute(NAMES)] == told
        return told

    with ThreadPoolExecutor(2) as writers:
        ours = writers.submit(fill, home.organization, "ours")
        theirs = writers.submit(fill, home.other_organization, "theirs")
        ids = {key for key, _ in ours.result() + theirs.result()}
    assert len(ids) == 2 * 6 * 200


def test_sums_are_whole_numbers_and_fractions_stay_exact(app: Flask, home: Cast) -> None:
    make_tenant()
    total = db.session.scalar(select(func.sum(Tenant.id * 2**40)))
    assert (type(total), total) == (int, db.session.scalar(select(Tenant.id)) * 2**40)
    assert db.session.scalar(select(func.sum(-Tenant.id))) < 0
    assert db.session.scalar(text("SELECT sum(v) FROM (SELECT 1.25 AS v) t")) == Decimal("1.25")


def test_a_list_that_is_not_read_to_its_end_leaves_nothing_open(app: Flask, home: Cast) -> None:
    for number in range(3):
        make_property(name=f"House {number}")
    rows = properties_listing().every({}, {"today": date(2027, 1, 1)})
    assert next(rows).name == "House 0"
    rows.close()  # type: ignore[attr-defined]
    assert db.session.scalar(select(func.count(Property.id))) == 3
