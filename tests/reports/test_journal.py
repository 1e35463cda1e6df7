"""Journal and trial balance show each entry and each account, as of a day and as known then."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from proman.db import begin_write, db, utc_now
from proman.ledger.actions import Concerning, post
from proman.ledger.models import Entry, Posting
from proman.ledger.queries import account_totals
from proman.reports.journal import trial_balance
from proman.reports.statements import lease_statement
from tests import factories
from tests.billing.books import pay
from tests.conftest import Cast
from tests.money import actor, make_invoice, property_of

FIRST = date(2026, 3, 1)
SPAN = "from=2026-03-01&to=2026-03-31"
LAST = date(2026, 3, 31)


@pytest.fixture
def lease(home: Cast) -> int:
    """A lease with an invoice and a payment in March, and an expense of its property."""
    lease_id = factories.make_lease()
    make_invoice(lease_id, 119_000, due=FIRST, tax=19_000)
    pay(lease_id, 50_000, FIRST + timedelta(days=2))
    factories.make_expense(property_of(lease_id), paid_on=FIRST + timedelta(days=9))
    return lease_id


def standing(**asked: object) -> dict[str, int]:
    rows = trial_balance(LAST, **asked)  # type: ignore[arg-type]
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
    return {row.account: row.debit - row.credit for row in rows}


@pytest.mark.engines
def test_the_trial_balance_is_the_journal_of_all_of_a_lease_a_property_and_a_tenant(
    lease: int,
) -> None:
    other = factories.make_lease()
    make_invoice(other, 70_000, due=FIRST)
    every = standing()
    assert every == {key: one for key, one in account_totals(LAST).items() if one}
    assert standing(of="lease", of_id=other) == {"receivable": 70_000, "income": -70_000}
    assert standing(of="property", of_id=property_of(lease))["expense"] == every["expense"]
    assert "expense" not in standing(of="lease", of_id=lease)
    assert standing(of="tenant", of_id=987_654) == {}


@pytest.mark.engines
def test_what_was_recorded_later_is_left_out_whatever_day_it_is_dated(lease: int) -> None:
    then, before = utc_now(), standing()
    begin_write()
    about = Concerning(lease, property_of(lease))
    late = post("opening_owed", FIRST, about, actor=actor(), amount=4_000)
    db.session.execute(
        update(Entry).where(Entry.id == late).values(recorded_at=then + timedelta(days=1))
    )
    db.session.commit()
    assert standing(known=then) == before
    assert standing()["receivable"] == before["receivable"] + 4_000
    assert lease_statement(lease, FIRST, LAST).closing == 73_000
    assert lease_statement(lease, FIRST, LAST, then).closing == 69_000
    assert lease_statement(lease, LAST, LAST, then).opening == 69_000


def test_the_journal_shows_each_entry_with_its_lines_and_opens_its_source(
    lease: int, mona: FlaskClient
) -> None:
    page = mona.get(f"/reports/journal?{SPAN}")
    rows = BeautifulSoup(page.text, "html.parser").select("#list tbody tr")
    assert len(rows) == db.session.scalar(select(func.count(Posting.id)))
    links = {str(link["href"]).rsplit("/", 1)[0] for row in rows for link in row.select("td a")}
    assert {"/payments", "/invoices", "/expenses", "/leases", "/properties"} <= links


def test_every_kind_of_entry_of_the_demonstration_opens_what_it_came_from(
    demonstrate: Callable[[int], FlaskClient], app: Flask
) -> None:
    client = demonstrate(10)
    with app.app_context():
        kinds = db.session.execute(text("SELECT DISTINCT event FROM entries")).scalars().all()
    assert len(kinds) > 8
    for kind in kinds:
        page = client.get(f"/reports/journal?from=1950-01-01&to=2150-01-01&kind={kind}")
        soup = BeautifulSoup(page.text, "html.parser")
        source = soup.select_one("#list tbody td[data-label=Entry] a")
        assert source is not None, kind
        assert client.get(str(source["href"])).status_code == 200, kind


@pytest.mark.parametrize(
    ("asked", "events"),
    [
        ("account=expense", {"expense"}),
        ("account=tenant_credit", {"payment", "allocation"}),
        ("kind=invoice", {"invoice"}),
        ("known=2020-01-01", set()),
        ("lease={lease}", {"invoice", "payment", "allocation"}),
        ("property={property}", {"invoice", "payment", "allocation", "expense"}),
        ("kind=nonsense&account=nonsense", {"invoice", "payment", "allocation", "expense"}),
    ],
)
def test_the_journal_is_filtered_on_the_page_and_in_its_download(
    lease: int, mona: FlaskClient, asked: str, events: set[str]
) -> None:
    asked = asked.format(lease=lease, property=property_of(lease))
    sheet = mona.get(f"/reports/journal.csv?{SPAN}&{asked}").get_data().decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(sheet)))
    assert {line["Event"] for line in lines} == events
    assert sum(float(x["Debit"]) for x in lines) == sum(float(x["Credit"]) for x in lines)
    page = BeautifulSoup(mona.get(f"/reports/journal?{SPAN}&{asked}").text, "html.parser")
    assert len(page.select("#list tbody tr")) == len(lines)


def test_the_trial_balance_page_its_download_and_what_cannot_be(
    lease: int, mona: FlaskClient
) -> None:
    page = mona.get("/reports/trial-balance?as_of=2026-03-31&known=2020-01-01")
    assert "Nothing in the books" in page.text
    page = mona.get(f"/reports/trial-balance?as_of=2026-03-31&lease={lease}")
    assert "Receivable" in page.text
    assert "Expense" not in BeautifulSoup(page.text, "html.parser").select("#list")[0].text
    sheet = mona.get("/reports/trial-balance.csv?as_of=2026-03-31").get_data().decode("utf-8-sig")
    assert "Expense,240.00,0.00,EUR" in sheet
    assert mona.get("/reports/trial-balance?lease=987654").status_code == 404
    wrong = mona.get("/reports/journal?from=2026-04-01&to=2026-03-01")
    assert wrong.status_code == 422
    assert "before the first day" in wrong.text
