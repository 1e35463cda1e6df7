"""What a server took back in favour of another is done again, whole, and nothing else is."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from proman.database.retrying import ATTEMPTS, again_if_taken_back, until_it_stands
from proman.db import begin_write, db
from proman.payments.models import Payment
from tests.conftest import Cast
from tests.engines import POSTGRESQL
from tests.factories import make_lease, make_tenant
from tests.payments.test_views import typed
from tests.test_processes import wait_until

pytestmark = pytest.mark.engines("postgresql", "mysql")
WAITING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'",
    "mysql": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
}


def somebody_waits(watch: Connection) -> bool:
    if watch.dialect.name != POSTGRESQL:
        watch.execute(text("DO SLEEP(0.2)"))  # asked more often, InnoDB repeats its last answer
    found: int = watch.execute(text(WAITING[watch.dialect.name])).scalar_one()
    watch.rollback()
    return found > 0


def payments() -> int:
    db.session.rollback()
    found: int = db.session.execute(select(func.count(Payment.id))).scalar_one()
    return found


def test_a_request_that_lost_a_deadlock_is_done_again(
    app: Flask, home: Cast, mona: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lease_id = make_lease()
    for _ in range(30):
        make_tenant()
    fields = typed(lease_id)
    db.session.rollback()
    with ThreadPoolExecutor(1) as other, db.engine.connect() as watch:
        with db.engine.connect().execution_options(write=True) as rival, rival.begin():
            # The rival has changed more, so that MySQL, too, gives up the payment.
            rival.execute(text("UPDATE tenants SET phone = '030'"))
            rival.execute(text("SELECT id FROM leases WHERE id = :id FOR UPDATE"), {"id": lease_id})
            answer = other.submit(mona.post, "/payments/", data=fields)
            wait_until(lambda: answer.done() or somebody_waits(watch))
            assert not answer.done(), answer.result().get_data(as_text=True)[-3000:]
            rival.execute(
                text("SELECT id FROM organizations WHERE id = :id FOR UPDATE"),
                {"id": home.organization},
            )
        assert answer.result().status_code == 303
    assert "tried again (1)" in caplog.text
    assert payments() == 1


def test_it_is_tried_twenty_times_and_then_told(app: Flask, home: Cast) -> None:
    tries = 0

    def work() -> None:
        nonlocal tries
        tries += 1
        begin_write()
        _lose(db.session.connection())

    with pytest.raises(OperationalError):
        until_it_stands(work)
    assert tries == ATTEMPTS


def _lose(connection: Connection) -> None:
    """Have the server itself say that the transaction lost a deadlock."""
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"))
    connection.execute(text("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"))


def test_another_fault_is_not_tried_again(app: Flask, home: Cast) -> None:
    tries = 0

    def work() -> None:
        nonlocal tries
        tries += 1
        begin_write()
        connection = db.session.connection()
        if connection.dialect.name == POSTGRESQL:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        connection.execute(text("KILL CONNECTION_ID()"))

    with pytest.raises(OperationalError):
        until_it_stands(work)
    assert tries == 1


def test_what_was_saved_is_not_done_again(app: Flask, home: Cast) -> None:
    tries = 0

    def work() -> None:
        nonlocal tries
        tries += 1
        begin_write()
        db.session.commit()
        _lose(db.session.connection())

    with pytest.raises(OperationalError):
        until_it_stands(work)
    assert tries == 1


@pytest.mark.engines("mysql")
def test_a_look_at_a_table_that_is_being_changed_is_taken_again(app: Flask, home: Cast) -> None:
    """As the server says it (1684) of a table that a migration of another process is at."""
    asked = []

    def look() -> int:
        asked.append(1)
        with db.engine.connect() as connection:
            if len(asked) < 3:
                connection.execute(text("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1684"))
            return connection.execute(text("SELECT 7")).scalar_one()

    assert again_if_taken_back(look) == 7
    assert len(asked) == 3
