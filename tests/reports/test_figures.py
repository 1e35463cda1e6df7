"""Every figure equals the sum of the list that it leads to."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.billing.invoice_queries import INVOICES
from proman.db import db
from proman.identity.session import acting_for
from proman.leases.listing import LEASES
from proman.leases.models import Lease
from proman.leases.standing import days_of
from proman.ledger.queries import deposits_held, lease_balances
from proman.payments.listing import PAYMENTS
from proman.reports import receivables
from proman.reports.dashboard import dashboard, leases_that_end
from proman.reports.rent_roll import RENT_ROLL, whole_roll
from proman.reports.rules import BUCKETS
from proman.reports.statement_list import STATEMENTS, accounts
from proman.reports.statements import lease_statement

LEASES_IN_ALL = 120


@pytest.fixture
def portfolio(
    app: Flask, demonstrate: Callable[[int], FlaskClient]
) -> Iterator[Callable[[int], FlaskClient]]:
    demonstrate(LEASES_IN_ALL)
    with app.app_context(), acting_for(1):
        yield demonstrate


pytestmark = pytest.mark.usefixtures("portfolio")


def bound(day: date) -> dict[str, Any]:
    return {**receivables.bounds(day), "of_property": 0}


def test_what_is_due_and_received_in_each_month(today: date) -> None:
    figures = dashboard(today)
    assert any(figures.due)
    assert any(figures.received)
    for (first, last), due, received in zip(
        figures.months, figures.due, figures.received, strict=True
    ):
        span = {"from": first.isoformat(), "to": last.isoformat()}
        assert INVOICES.page(span, {"today": today}).totals["total"] == due
        assert PAYMENTS.page(span).totals["received"] == received


def test_what_is_open_by_age(today: date) -> None:
    figures = dashboard(today)
    assert figures.overdue > 0
    for bucket in BUCKETS:
        page = receivables.ITEMS.page({"bucket": bucket.key}, receivables.bounds(today))
        assert page.totals["open"] == figures.ages[bucket.key]
    items = receivables.ITEMS.page({}, receivables.bounds(today))
    assert items.totals["open"] == figures.open
    overdue = receivables.ITEMS.page({"bucket": "overdue"}, receivables.bounds(today))
    assert overdue.totals["open"] == figures.overdue
    listed = INVOICES.page({"state": "overdue"}, {"today": today})
    assert (listed.totals["open"], listed.count) == (figures.overdue, overdue.count)


@pytest.mark.parametrize("by", list(receivables.AGED))
def test_aged_receivables_come_to_the_same_for_whom_ever(by: str, today: date) -> None:
    figures = dashboard(today)
    page = receivables.AGED[by].page({"by": by}, bound(today))
    assert {key: page.totals[key] for key in figures.ages} == figures.ages
    assert page.totals["total"] == figures.open
    for row in page.rows:
        items = receivables.ITEMS.page({by: str(row.id)}, receivables.bounds(today))
        assert items.totals["open"] == row.total
        for bucket in BUCKETS:
            chosen = {by: str(row.id), "bucket": bucket.key}
            items = receivables.ITEMS.page(chosen, receivables.bounds(today))
            assert items.totals["open"] == row._mapping[bucket.key]


@pytest.mark.parametrize("days", [0, 1, 9, 40, 75])
def test_what_was_open_on_a_past_day_is_what_the_journal_says(days: int, today: date) -> None:
    day = today - timedelta(days=days)
    rows = list(receivables.AGED["lease"].every({"as_of": day.isoformat()}, bound(today)))
    ids = list(db.session.scalars(select(Lease.id)))
    owed = {key: one.receivable for key, one in lease_balances(ids, day).items()}
    assert {row.id: row.total for row in rows} == {k: v for k, v in owed.items() if v}


def test_occupancy_is_that_of_the_rent_roll(today: date) -> None:
    figures = dashboard(today)
    page = RENT_ROLL.page({}, {"as_of": today})
    assert (page.count, page.totals["let"]) == (figures.occupancy.units, figures.occupancy.let)
    vacant = RENT_ROLL.page({"let": "no"}, {"as_of": today})
    assert vacant.count == figures.occupancy.vacant > 0


def test_occupancy_is_that_of_the_running_leases(today: date) -> None:
    running = LEASES.page({"state": "current"}, days_of(today))
    assert running.count == dashboard(today).occupancy.let


def test_leases_that_end_are_those_of_the_list(today: date) -> None:
    figures = dashboard(today)
    assert LEASES.page({"state": "expiring"}, days_of(today)).count == figures.ending > 0
    assert LEASES.page({"state": "holding_over"}, days_of(today)).count == figures.holding_over
    days = [row.last_day for row in leases_that_end(today)]
    assert days == sorted(days)


@pytest.mark.parametrize("days", [0, 50])
def test_the_rent_roll_says_what_the_journal_says(days: int, today: date) -> None:
    day = today - timedelta(days=days)
    rows = list(whole_roll(RENT_ROLL.every({}, {"as_of": day}), day))
    let = [row for row in rows if row.lease_id is not None]
    balances = lease_balances([row.lease_id for row in let], day)
    held = deposits_held([row.lease_id for row in let], day)
    assert [row.balance for row in let] == [balances[row.lease_id].balance for row in let]
    assert [row.deposit for row in let] == [held[row.lease_id] for row in let]
    total = RENT_ROLL.page({}, {"as_of": day}).totals["yearly"]
    assert total == sum(row.yearly for row in let)


def test_a_statement_ends_with_what_the_list_says(today: date) -> None:
    page = STATEMENTS.page({}, days_of(today))
    for account in list(accounts(page.rows))[:20]:
        made = lease_statement(account.id, today - timedelta(days=45), today)
        assert made.closing == account.balance
        assert made.opening + made.debits - made.credits == made.closing
