"""Profit and loss agrees with the journal, property by property, for any span of days."""

from collections import Counter
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.base.errors import NotThere
from proman.billing.actions import run_billing
from proman.billing.crediting import credit_invoice
from proman.billing.deposits import request_deposit
from proman.db import begin_write, db
from proman.expenses.actions import reverse_expense
from proman.expenses.queries import the_expense
from proman.ledger.models import Entry, Posting
from proman.reports.profit import PROFIT, profit_of
from tests import factories
from tests.conftest import Cast
from tests.money import actor

pytestmark = pytest.mark.engines
TODAY = date(2026, 6, 1)
SPANS = (
    (date(2026, 1, 1), date(2026, 12, 31)),
    (date(2026, 3, 1), date(2026, 3, 31)),
    (date(2026, 3, 2), date(2026, 3, 2)),
    (date(2025, 1, 1), date(2025, 12, 31)),
)


def journal(first: date, last: date) -> dict[int, tuple[int, int, int]]:
    """Income, expenses and losses by property, added up from the postings one by one."""
    sums: dict[int, Counter[str]] = {}
    rows = select(
        Posting.property_id, Posting.account, Posting.credit - Posting.debit, Entry.effective_on
    ).join(Entry, Entry.id == Posting.entry_id)
    for place, account, amount, on in db.session.execute(rows):
        if first <= on <= last and account in ("income", "expense", "bad_debt"):
            sums.setdefault(place or 0, Counter())[account] += amount
    return {
        place: (one["income"], -one["expense"], -one["bad_debt"]) for place, one in sums.items()
    }


@pytest.fixture
def business(home: Cast) -> int:
    """Two properties with rent, parking with tax, a credit note, a deposit and its credit note."""
    building = factories.make_property(name="Lindenhof")
    parking = {"description": "Parking", "amount": 5_000, "tax_rate": 19_000}
    lease = factories.make_lease(factories.make_unit(building), charges=[parking])
    factories.make_lease(factories.make_unit(factories.make_property(name="Harbour Court")))
    begin_write()
    issued = run_billing(TODAY, today=TODAY, actor=actor()).issued
    credit_invoice(issued[0].id, "Agreed", today=TODAY, actor=actor())
    deposit = request_deposit(lease, 100_000, TODAY, today=TODAY, actor=actor())
    credit_invoice(deposit.id, "Not needed", today=TODAY, actor=actor())
    db.session.commit()
    factories.make_expense(building)
    factories.make_expense(building, category="insurance", amount=61_000, paid_on=TODAY)
    factories.make_expense(None, category="advice", amount=9_900)
    back = factories.make_expense(building, category="waste", amount=1_234)
    begin_write()
    reverse_expense(the_expense(back), TODAY, "Not ours", today=TODAY, actor=actor())
    db.session.commit()
    return building


@pytest.mark.parametrize(("first", "last"), SPANS)
def test_each_property_is_what_the_journal_says(business: int, first: date, last: date) -> None:
    page = PROFIT.page({}, {"first": first, "last": last})
    found = {row.id: (row.income, row.expenses, row.losses) for row in page.rows}
    assert found == journal(first, last)
    assert page.totals["result"] == sum(row.income - row.expenses - row.losses for row in page.rows)
    for place, (income, expenses, losses) in found.items():
        account = profit_of(place, first, last)
        assert (account.earned, account.spent) == (income, expenses + losses)


def test_a_property_by_kind_and_category(business: int) -> None:
    account = profit_of(business, *SPANS[0])
    assert {line.words for line in account.income} == {"Rent", "Parking"}
    assert [(line.key, line.amount) for line in account.costs] == [
        ("repairs", 24_000),
        ("insurance", 61_000),
    ]
    with pytest.raises(NotThere):
        profit_of(987_654, *SPANS[0])


def test_the_pages_and_their_downloads(business: int, mona: FlaskClient) -> None:
    days = "?from=2026-01-01&to=2026-12-31"
    page = mona.get(f"/reports/profit-and-loss{days}")
    assert "Lindenhof" in page.text
    assert "Shared by all properties" in page.text
    one = mona.get(f"/reports/profit-and-loss/{business}{days}")
    assert "Insurance" in one.text
    assert f"/expenses/?property={business}&amp;category=insurance" in one.text
    assert "shared=1" in mona.get(f"/reports/profit-and-loss/0{days}").text
    assert "Lindenhof" in mona.get(f"/reports/profit-and-loss.csv{days}").text
    assert "Result" in mona.get(f"/reports/profit-and-loss/{business}.csv{days}").text
    wrong = mona.get("/reports/profit-and-loss?from=2026-12-31&to=2026-01-01")
    assert wrong.status_code == 422
    assert "before the first day" in wrong.text
