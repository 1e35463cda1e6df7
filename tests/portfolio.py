"""A small business with something of everything, each name of it marked, and its rows compared."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Select, Table, func, select

from proman.base.period import add_months
from proman.billing.actions import run_billing
from proman.billing.adjusting import write_off
from proman.billing.deposit_settling import Outcome, settle_deposit
from proman.billing.deposits import request_deposit, take_over_deposit
from proman.db import Base, begin_write, db, utc_now
from proman.identity.actor import system_actor
from proman.identity.models import TaxRate, User
from proman.identity.session import acting_for
from proman.leases.index_actions import (
    Agreed,
    agree_clause,
    index_rents,
    save_series,
    save_value,
)
from proman.leases.index_models import IndexSeries, IndexValue
from proman.leases.index_queries import the_candidate
from proman.leases.indexing import Indexation
from proman.leases.queries import the_lease
from proman.payments.actions import NewPayment, Share, record_payment
from proman.portal.models import PortalAccess
from tests import factories

Rows = dict[str, list[tuple[Any, ...]]]
WRITTEN_BY_TRYING = frozenset({"login_failures"})


@dataclass(frozen=True)
class Portfolio:
    """What was made for one tenant: ids by the name they have in addresses, and the login."""

    ids: dict[str, int]
    login: str


def make_portfolio(organization_id: int, mark: str, user_id: int) -> Portfolio:
    """A building, a flat, a tenant with a login, a lease that is billed and partly paid."""
    with acting_for(organization_id) as actor:
        today = utc_now().date()
        building = factories.make_property(name=f"{mark} House", street=f"{mark} Street 1")
        unit = factories.make_unit(building, label=f"{mark}-01")
        email = f"{mark.lower()}@tenants.example.com"
        tenant = factories.make_tenant(name=f"Tara {mark}", email=email)
        parking = {"description": f"Parking {mark}", "amount": 5_000}
        lease = factories.make_lease(
            unit, [tenant], charges=[parking], first_day=today - timedelta(days=70)
        )
        begin_write()
        issued = run_billing(today, today=today, actor=actor, lease_ids=[lease]).issued
        request_deposit(lease, 100_000, today, today=today, actor=actor)
        share = Share(lease_id=lease, amount=70_000)
        paid = NewPayment(today, "transfer", f"{mark} pays", (share,), payer=f"Tara {mark}")
        payment = record_payment(paid, today=today, actor=actor)[0].id
        rate = TaxRate(name=f"{mark} rate", rate=19_000)
        db.session.add(rate)
        db.session.commit()
        rate_id = rate.id
        document = factories.make_document(lease, f"{mark} signed.txt", f"{mark} signs".encode())
        begin_write()
        given_up = write_off(issued[-1].id, 100, today, f"{mark} gone", today=today, actor=actor)
        take_over_deposit(lease, 30_000, today, actor=actor)
        outcome = Outcome(today, f"{mark} leaves", returned=1_000)
        returned = settle_deposit(lease, outcome, today=today, actor=actor)[0].id
        db.session.commit()
        adjustment = given_up.id
        series, value = _index_rent(lease, mark, today)
        expense = factories.make_expense(building, supplier=f"{mark} Repairs")
        login = factories.make_user(organization_id, email, "tenant")
        _give_access(login, tenant)
        ids = {
            "property_id": building,
            "unit_id": unit,
            "tenant_id": tenant,
            "lease_id": lease,
            "invoice_id": issued[0].id,
            "payment_id": payment,
            "rate_id": rate_id,
            "user_id": user_id,
            "document_id": document,
            "expense_id": expense,
            "adjustment_id": adjustment,
            "event_id": returned,
            "series_id": series,
            "value_id": value,
        }
        return Portfolio(ids, email)


def _index_rent(lease_id: int, mark: str, today: date) -> tuple[int, int]:
    """A clause by an index of its own, a rent that was indexed, and a value since; the ids of the
    index and that value."""
    actor = system_actor(db.session.info["organization_id"])
    begin_write()
    series = save_series(IndexSeries(), f"{mark} index")
    for months, thousandths in ((30, 100_000), (20, 110_000)):
        month = add_months(today.replace(day=1), -months)
        save_value(IndexValue(series_id=series.id), month, thousandths, month, today=today)
    base = add_months(today.replace(day=1), -30)
    agreed = Agreed(series.id, base, hold_months=0)
    agree_clause(the_lease(lease_id), agreed, today=today, actor=actor)
    rent = the_candidate(lease_id, today).outcome
    assert isinstance(rent, Indexation)
    index_rents({lease_id: rent.new_rent}, today, today=today, actor=actor)
    month = add_months(today.replace(day=1), -10)
    value = save_value(IndexValue(series_id=series.id), month, 120_000, month, today=today)
    ids = series.id, value.id
    db.session.commit()
    return ids


def _give_access(user_id: int, tenant_id: int) -> None:
    begin_write()
    db.session.add(PortalAccess(user_id=user_id, tenant_id=tenant_id, invited_at=utc_now()))
    db.session.get_one(User, user_id).invited_at = utc_now()
    db.session.commit()


def all_rows(app: Flask, organization_id: int | None = None) -> Rows:
    """Every row of the database, or of one organization, read past ProMan."""
    rows: Rows = {}
    with app.app_context(), db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in WRITTEN_BY_TRYING:
                found = connection.execute(_rows_of(table, organization_id))
                rows[table.name] = sorted((tuple(row) for row in found), key=repr)
    return rows


def _rows_of(table: Table, organization_id: int | None) -> Select[*tuple[Any, ...]]:
    every = select(table)
    if organization_id is None:
        return every
    if "organization_id" in table.c:
        return every.where(table.c.organization_id == organization_id)
    if "user_id" in table.c:
        users = User.__table__.c
        own = select(users.id).where(users.organization_id == organization_id)
        return every.where(table.c.user_id.in_(own))
    return every.where(table.c.id == organization_id) if table.name == "organizations" else every


def mixed_references(app: Flask) -> list[str]:
    """Foreign keys by which a row of one organization refers to a row of another."""
    found = []
    with app.app_context(), db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for key in table.foreign_keys:
                other = key.column.table.alias()
                if "organization_id" not in table.c or "organization_id" not in other.c:
                    continue
                refers = table.c[key.parent.name] == other.c[key.column.name]
                is_mixed = table.c.organization_id != other.c.organization_id
                if connection.scalar(select(func.count()).where(refers, is_mixed)):
                    found.append(f"{table.name}.{key.parent.name}")
    return found
