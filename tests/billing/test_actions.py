"""Billing through the database: what is issued, numbered and posted, once and for all."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from proman.base.errors import Refused
from proman.billing.actions import run_billing
from proman.billing.models import BilledPeriod, BillingRun, Invoice
from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.ledger import queries as journal
from proman.ledger.models import Entry, Posting
from tests.billing.books import TODAY, breaches, invoices, lines_of, pay, run
from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_tenant, make_unit
from tests.money import actor, open_of


def count(model: Any) -> int:
    return db.session.scalar(select(func.count(model.id))) or 0


def test_from_17_march_due_day_31(home: Cast) -> None:
    make_lease(first_day=date(2027, 3, 17), due_rule="day:31")
    result = run(date(2027, 5, 31))
    assert [(str(i.due_date), i.total, i.number) for i in result.issued] == [
        ("2027-03-31", 48387, "2027-00001"),
        ("2027-04-30", 100000, "2027-00002"),
        ("2027-05-31", 100000, "2027-00003"),
    ]
    first = invoices()[0]
    assert (first.issue_date, first.period_start, first.period_end) == (
        date(2027, 5, 31),
        date(2027, 3, 17),
        date(2027, 3, 31),
    )
    assert lines_of(first.id)[0].explanation == "1,000.00 × 15/31 days = 483.87"


def test_running_again_issues_nothing_and_takes_no_number(home: Cast) -> None:
    lease_id = make_lease(first_day=date(2027, 1, 1))
    assert len(run(date(2027, 3, 1)).issued) == 3
    again = run(date(2027, 3, 1))
    assert again.issued == ()
    assert again.run_id is None
    assert [(each.lease_id, each.skipped) for each in again.skipped] == [
        (lease_id, "Nothing is due before 1 April 2027; it is issued from 27 March 2027.")
    ]
    assert [i.number for i in run(date(2027, 4, 1)).issued] == ["2027-00004"]
    assert count(BillingRun) == 2
    assert count(BilledPeriod) == 4


def test_each_invoice_has_one_balanced_entry(home: Cast) -> None:
    charge = {"amount": 6000, "tax_rate": 19000}
    lease_id = make_lease(first_day=date(2027, 1, 1), charges=[charge])
    (issued,) = run(date(2027, 1, 1)).issued
    assert (issued.net, issued.tax) == (106000, 1140)
    rows = db.session.execute(
        select(Posting.account, Posting.debit, Posting.credit, Posting.lease_id)
        .where(Posting.invoice_id == issued.id)
        .order_by(Posting.account)
    )
    assert [tuple(row) for row in rows] == [
        ("income", 0, 106000, lease_id),
        ("receivable", 107140, 0, lease_id),
        ("tax", 0, 1140, lease_id),
    ]
    entry = db.session.scalars(select(Entry)).one()
    assert (entry.event, entry.effective_on) == ("invoice", date(2027, 1, 1))
    assert open_of(issued.id) == [107140]
    assert journal.lease_balance(lease_id).receivable == 107140


def test_an_invoice_keeps_the_names_and_addresses_of_its_day(home: Cast) -> None:
    one = make_tenant(name="Ada", street="Weg 1", postal_code="12", city="Ort", country="DE")
    place = make_property(name="Hof", is_single_unit=True)
    make_lease(
        make_unit(place), [one, make_tenant(name="Ben")], first_day=date(2027, 1, 1), reference="R1"
    )
    run(date(2027, 1, 1))
    (invoice,) = invoices()
    assert invoice.recipient["names"] == ["Ada", "Ben"]
    assert invoice.recipient["street"] == "Weg 1"
    assert (invoice.recipient["property_name"], invoice.recipient["unit_label"]) == ("Hof", "")
    assert invoice.recipient["lease_reference"] == "R1"
    assert invoice.issuer["name"] == "Harbour Homes"
    assert (invoice.currency, invoice.property_id) == ("EUR", place)


def test_the_series_dates_never_go_back(home: Cast) -> None:
    make_lease(first_day=date(2027, 1, 1), last_day=date(2027, 1, 31), holding_over="stop")
    run(date(2027, 1, 20))
    make_lease(first_day=date(2027, 1, 1))
    late = run(date(2027, 1, 10))
    assert [(i.issue_date, i.number) for i in late.issued] == [(date(2027, 1, 20), "2027-00002")]


def test_the_number_has_the_year_of_the_issue_date_and_begins_anew(home: Cast) -> None:
    make_lease(first_day=date(2026, 12, 1))
    assert [i.number for i in run(date(2026, 12, 1)).issued] == ["2026-00001"]
    assert [i.number for i in run(date(2026, 12, 30)).issued] == ["2026-00002"]
    assert [i.number for i in run(date(2027, 2, 1)).issued] == ["2027-00001"]
    assert invoices(number="2026-00002")[0].due_date == date(2027, 1, 1)


def test_a_day_in_the_future_is_refused(home: Cast) -> None:
    make_lease(first_day=date(2027, 1, 1))
    begin_write()
    with pytest.raises(Refused) as refusal:
        run_billing(date(2028, 1, 1), today=TODAY, actor=actor())
    assert refusal.value.field == "as_of"
    db.session.rollback()
    assert count(Invoice) == 0


def test_working_days_of_the_property_else_of_the_organization(home: Cast) -> None:
    """The organization is in Berlin; 6 January is a holiday in Bavaria."""
    here = make_unit(make_property(region=""))
    bavaria = make_unit(make_property(region="BY"))
    for unit in (here, bavaria):
        make_lease(unit, first_day=date(2027, 1, 1), due_rule="workday:3")
    assert [str(i.due_date) for i in run(date(2027, 1, 8)).issued] == ["2027-01-06", "2027-01-07"]


def test_the_units_next_lease_ends_a_held_over_one(home: Cast) -> None:
    unit = make_unit()
    make_lease(unit, first_day=date(2027, 1, 1), last_day=date(2027, 1, 31))
    make_lease(unit, first_day=date(2027, 2, 11), rent=84000)
    found = run(date(2027, 3, 1))
    assert [(str(i.due_date), i.total) for i in found.issued] == [
        ("2027-01-01", 100000),
        ("2027-02-01", 35714),
        ("2027-02-11", 54000),
        ("2027-03-01", 84000),
    ]


def test_gaps_are_found_and_only_the_missed_is_caught_up(home: Cast) -> None:
    lease_id = make_lease(first_day=date(2027, 1, 1))
    run(date(2027, 3, 1))
    begin_write()
    middle = db.session.scalars(
        select(BilledPeriod).where(BilledPeriod.period_start == date(2027, 2, 1))
    ).one()
    db.session.delete(middle)
    db.session.commit()
    found = run(date(2027, 3, 1))
    assert [(i.lease_id, str(i.due_date)) for i in found.issued] == [(lease_id, "2027-02-01")]


def test_a_run_leaves_a_trace(home: Cast) -> None:
    from proman.identity.models import AuditEntry

    make_lease(first_day=date(2027, 1, 1))
    result = run(date(2027, 1, 1))
    billing_run = db.session.scalars(select(BillingRun)).one()
    assert (billing_run.issued, billing_run.total) == (1, 100000)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "issued")).one()
    assert (entry.subject_type, entry.subject_id) == ("billing_runs", result.run_id)
    assert entry.after == {"as_of": "2027-01-01", "issued": 1, "total": 100000}
    assert {invoice.run_id for invoice in invoices()} == {result.run_id}


def test_credit_on_the_lease_is_used_up_by_new_invoices(home: Cast) -> None:
    lease_id = make_lease(first_day=date(2027, 1, 1))
    pay(lease_id, 150000, date(2026, 12, 20))
    issued = run(date(2027, 2, 1)).issued
    assert open_of(*(i.id for i in issued)) == [0, 50000]
    assert journal.lease_balance(lease_id) == (50000, 0)
    assert breaches() == []


def test_another_organization_is_not_billed(home: Cast) -> None:
    make_lease(first_day=date(2027, 1, 1))
    with acting_for(home.other_organization):
        make_lease(first_day=date(2027, 1, 1))
        assert [i.number for i in run(date(2027, 1, 1)).issued] == ["2027-00001"]
    assert invoices() == []
    assert [i.number for i in run(date(2027, 1, 1)).issued] == ["2027-00001"]
    assert breaches() == []
