"""A run that is killed at any statement leaves nothing half done, and the next one does it all."""

import os
import signal
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import event

from proman.billing.actions import run_billing
from proman.db import begin_write, db
from proman.identity.session import acting_for
from tests.billing.books import breaches, invoices, pay, run
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

AS_OF = date(2027, 3, 1)


def _die_at(app: Flask, organization: int, statement: int) -> bool:
    """Run billing in a child that kills itself at its n-th statement; False if it came through."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status)
    try:
        with app.app_context(), acting_for(organization):
            db.engine.dispose(close=False)
            left = statement

            def count_down(*_: object) -> None:
                nonlocal left
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(db.engine, "after_cursor_execute", count_down)
            begin_write()
            run_billing(AS_OF, today=AS_OF, actor=actor())
            db.session.commit()
    finally:
        os._exit(0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_killed_at_any_statement(app: Flask, home: Cast) -> None:
    charge = {"amount": 6000, "tax_rate": 19000}
    leases = [make_lease(first_day=date(2027, 1, 17), charges=[charge]) for _ in range(2)]
    pay(leases[0], 70000, date(2027, 1, 2))
    db.session.remove()
    db.engine.dispose()
    statement = 1
    while _die_at(app, home.organization, statement):
        with acting_for(home.organization):
            assert invoices() == []
            assert breaches() == []
        db.session.remove()
        db.engine.dispose()
        statement += 1
    assert statement > 20
    with acting_for(home.organization):
        assert [i.number for i in invoices()] == [f"2027-{n:05d}" for n in range(1, 7)]
        assert run(AS_OF).issued == ()
        assert breaches() == []
