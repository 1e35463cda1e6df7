"""The demonstration is loaded by the real rules: the books balance, and it is the same again."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from proman.app import MIGRATIONS
from proman.base.errors import Refused
from proman.billing.models import DepositEvent, Invoice, LateFee
from proman.database.revisions import head_revision
from proman.db import begin_write, db
from proman.demo.actions import Wanted, load_demonstration
from proman.doctor import examine
from proman.identity.models import User
from proman.identity.passwords import hash_password
from proman.identity.session import acting_for
from proman.leases.index_models import RentIndexation
from proman.leases.models import Lease
from proman.payments.models import Payment, PaymentReversal
from tests.conftest import Cast

TODAY = date(2026, 11, 22)


def load(leases: int = 60, seed: int = 1) -> int:
    begin_write()
    wanted = Wanted(leases, 6, seed, TODAY)
    organization = load_demonstration(wanted, hash_password("look around"), lambda a, b: None)
    db.session.commit()
    return organization


def test_it_holds_all_that_happens_to_a_portfolio(app: Flask) -> None:
    with app.app_context(), acting_for(load()):
        assert db.session.scalar(select(func.count(Lease.id))) == 60
        assert len(set(db.session.scalars(select(Lease.status)))) == 3
        opens = db.session.execute(select(Invoice.total, Invoice.open)).all()
        assert any(row.open == row.total for row in opens)
        assert any(0 < row.open < row.total for row in opens)
        assert sum(row.open == 0 for row in opens) > len(opens) // 2
        assert {"invoice", "credit_note", "deposit_request"} == set(
            db.session.scalars(select(Invoice.kind))
        )
        assert db.session.scalar(select(func.count(LateFee.id)))
        assert db.session.scalar(select(func.count(RentIndexation.id)))
        assert db.session.scalar(select(func.count(Payment.id)))
        assert db.session.scalar(select(func.count(PaymentReversal.id)))
        assert {"requested", "received", "returned"} <= set(
            db.session.scalars(select(DepositEvent.event))
        )
        roles = set(db.session.scalars(select(User.role)))
        assert roles == {"administrator", "manager", "viewer", "tenant"}


def test_the_books_are_in_order(app: Flask) -> None:
    with app.app_context():
        load()
        with db.engine.connect() as connection:
            assert examine(connection, head_revision(MIGRATIONS)) == []


def test_the_same_seed_makes_the_same_books(app: Flask) -> None:
    with app.app_context():
        begin_write()
        first = load_demonstration(Wanted(20, 3, 7, TODAY), "x", lambda a, b: None)
        rows = issued_by(first)
        db.session.rollback()
        begin_write()
        again = load_demonstration(Wanted(20, 3, 7, TODAY), "x", lambda a, b: None)
        assert rows == issued_by(again)
        assert rows
        db.session.rollback()


def issued_by(organization: int) -> list[tuple[object, ...]]:
    """What was issued, read inside the same write."""
    statement = (
        select(Invoice.number, Invoice.due_date, Invoice.total, Invoice.open)
        .where(Invoice.organization_id == organization)
        .order_by(Invoice.id)
        .execution_options(everywhere=True)
    )
    return [tuple(row) for row in db.session.execute(statement)]


def test_a_database_with_real_data_is_refused(app: Flask, cast: Cast) -> None:
    result = app.test_cli_runner().invoke(args=["demo", "load", "--leases", "5"])
    assert result.exit_code == 1
    assert "real data (Charlie's Courts, Harbour Homes)" in result.output


def test_the_command_prints_its_logins_and_is_not_repeated(app: Flask) -> None:
    runner = app.test_cli_runner()
    result = runner.invoke(args=["demo", "load", "--leases", "5", "--months", "2"])
    assert result.exit_code == 0, result.output
    for word in ("admin@example.com", "tenant@example.com", "look around freely"):
        assert word in result.output
    again = runner.invoke(args=["demo", "load"])
    assert again.exit_code == 1
    assert "loaded already" in again.output


def test_one_cannot_load_beside_another(app: Flask) -> None:
    with app.app_context():
        load(5)
        begin_write()
        with pytest.raises(Refused, match="loaded already"):
            load_demonstration(Wanted(5, 2, 1, TODAY), "x", lambda a, b: None)
