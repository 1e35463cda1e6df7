"""The pages of billing: the run with its preview, ending a lease."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from proman.billing.crediting import credit_invoice
from proman.db import begin_write, db
from proman.identity.session import today_in
from proman.leases.models import Lease, Rent
from tests.billing.books import breaches, invoices, pay, run
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant
from tests.money import actor

HTMX = {"HX-Request": "true"}


@pytest.fixture
def today(home: Cast) -> date:
    return today_in("Europe/Berlin")


@pytest.fixture
def begun(today: date) -> int:
    """A lease of 1,000.00 that began on the first of this month; nothing of the next is due."""
    ada = [make_tenant(name="Ada")]
    return make_lease(tenant_ids=ada, first_day=today.replace(day=1), lead_days=0)


def test_the_page_shows_what_is_due_and_issues_it_with_one_click(
    begun: int, today: date, mona: FlaskClient
) -> None:
    page = mona.get("/billing/").text
    assert f'hx-get="/billing/preview?as_of={today}"' in page
    preview = mona.get(f"/billing/preview?as_of={today}").text
    assert "Ada" in preview
    assert "1,000.00 for the whole period" in preview
    assert 'action="/billing/runs"' in preview
    answer = mona.post("/billing/runs", data={"as_of": today.isoformat()})
    assert answer.status_code == 303
    assert answer.location.startswith("/invoices/?run=")
    listed = mona.get(answer.location).text
    assert invoices()[0].number is not None
    assert str(invoices()[0].number) in listed
    again = mona.post("/billing/runs", data={"as_of": today.isoformat()})
    assert (again.status_code, again.location) == (303, "/billing/")
    page = mona.get("/billing/").text
    assert "Nothing was due" in page
    assert "Mona" in page
    assert breaches() == []


def test_the_preview_alone_for_htmx_and_whole_without(begun: int, mona: FlaskClient) -> None:
    part = mona.get("/billing/preview", headers=HTMX).text
    assert part.startswith('<div id="run-preview">')
    assert "<html" in mona.get("/billing/preview").text


@pytest.mark.parametrize("page", ["/billing/", "/billing/preview", "/billing/left-out"])
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("2026-02-31", "Write a date as year-month-day"),
        ("soon", "Write a date as year-month-day"),
        ("9999-12-31", "Write a year from 1900 to 2200"),
        ("2200-01-01", "A preview looks ahead to"),
    ],
)
def test_a_day_that_cannot_be_looked_at_is_told(
    begun: int, mona: FlaskClient, page: str, typed: str, told: str
) -> None:
    answer = mona.get(f"{page}?as_of={typed}")
    assert (answer.status_code, told in answer.text) == (422, True)


@pytest.mark.parametrize("typed", ["2026-02-31", "2201-01-01", "9999-12-31", "soon"])
def test_a_lease_is_not_ended_on_another_day_than_the_one_asked_for(
    begun: int, today: date, mona: FlaskClient, typed: str
) -> None:
    answer = mona.get(f"/billing/leases/{begun}/ending?ended_on={typed}")
    assert answer.status_code == 422
    assert "Write a " in answer.text
    assert today.isoformat() not in answer.text.split("<main")[1]


def test_a_day_in_the_future_is_shown_and_not_issued(
    begun: int, today: date, mona: FlaskClient
) -> None:
    later = today + timedelta(days=200)
    preview = mona.get(f"/billing/preview?as_of={later}").text
    assert "A day in the future can be looked at, not billed." in preview
    assert 'action="/billing/runs"' not in preview
    assert mona.post("/billing/runs", data={"as_of": later.isoformat()}).status_code == 422
    assert mona.post("/billing/runs", data={"as_of": "soon"}).status_code == 422
    assert invoices() == []


def test_what_is_left_out_says_why(today: date, mona: FlaskClient) -> None:
    make_lease(status="draft")
    assert "1 lease: The lease is a draft." in mona.get("/billing/preview").text
    assert "The lease is a draft." in mona.get(f"/billing/left-out?as_of={today}").text


def test_many_invoices_are_shown_in_pages(today: date, mona: FlaskClient) -> None:
    tenant = make_tenant()
    for _ in range(51):
        make_lease(tenant_ids=[tenant], first_day=today.replace(day=1), lead_days=0)
    first = mona.get("/billing/preview").text
    assert "51 invoices" in first
    assert "Page 1 of 2" in first
    assert "Page 2 of 2" in mona.get("/billing/preview?page=2").text
    assert "Page 2 of 2" in mona.get("/billing/preview?page=99").text


def test_a_viewer_looks_but_does_not_issue(
    begun: int, today: date, sign_in: Callable[[str], FlaskClient]
) -> None:
    vera = sign_in("vera")
    assert 'action="/billing/runs"' not in vera.get("/billing/preview").text
    assert vera.post("/billing/runs", data={"as_of": today.isoformat()}).status_code == 403
    assert vera.get(f"/billing/leases/{begun}/ending").status_code == 403
    assert invoices() == []


def test_an_outsider_finds_nothing(
    begun: int, today: date, mona: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    mona.post("/billing/runs", data={"as_of": today.isoformat()})
    charlie = sign_in("charlie")
    assert "Ada" not in charlie.get("/billing/preview").text
    assert charlie.get(f"/billing/leases/{begun}/ending").status_code == 404
    for day in (today.isoformat(), "soon"):
        answer = charlie.post(f"/billing/leases/{begun}/ending", data={"ended_on": day})
        assert answer.status_code == 404
    assert len(invoices()) == 1


def test_a_lease_is_ended_after_its_money_was_shown(
    begun: int, today: date, mona: FlaskClient
) -> None:
    mona.post("/billing/runs", data={"as_of": today.isoformat()})
    last = today.replace(day=15)
    usual = mona.get(f"/billing/leases/{begun}/ending")
    assert (usual.status_code, "is-invalid" in usual.text) == (200, False)
    page = mona.get(f"/billing/leases/{begun}/ending?ended_on={last}").text
    assert "Credit notes" in page
    part = mona.get(f"/billing/leases/{begun}/ending?ended_on={last}", headers=HTMX).text
    assert part.startswith('<div id="ending">')
    data = {"ended_on": last.isoformat(), "reason": "Notice given"}
    answer = mona.post(f"/billing/leases/{begun}/ending", data=data)
    assert (answer.status_code, answer.location) == (303, f"/leases/{begun}")
    db.session.rollback()
    assert db.session.get_one(Lease, begun).ended_on == last
    assert [note.reason for note in invoices(kind="credit_note")] == ["Notice given"]
    again = mona.post(f"/billing/leases/{begun}/ending", data=data)
    assert again.status_code == 422
    assert "ended already" in again.text


def test_an_ending_before_the_lease_began_is_told_beside_the_day(
    begun: int, today: date, mona: FlaskClient
) -> None:
    data = {"ended_on": "2020-01-01", "reason": "Kept as typed"}
    answer = mona.post(f"/billing/leases/{begun}/ending", data=data)
    assert answer.status_code == 422
    assert "cannot be before its first" in answer.text
    assert "Kept as typed" in answer.text


@pytest.mark.parametrize(
    ("recurrence", "issued"), [("at_once", [(2500, "2026-00001")]), ("once", []), ("period", [])]
)
def test_a_charge_may_be_invoiced_at_once(
    home: Cast, mona: FlaskClient, recurrence: str, issued: list[tuple[int, str]]
) -> None:
    today = today_in("Europe/Berlin")
    lease_id = make_lease(first_day=today)
    data = {
        "description": "Key",
        "kind": "fee",
        "amount": "25.00",
        "recurrence": recurrence,
        "first_day": (today + timedelta(days=40)).isoformat(),
        "tax_rate": "0",
    }
    answer = mona.post(f"/billing/leases/{lease_id}/charges", data=data)
    assert (answer.status_code, answer.location) == (303, f"/leases/{lease_id}")
    found = [(i.total, str(i.number).replace(str(today.year), "2026")) for i in invoices()]
    assert found == issued
    assert breaches() == []


def test_a_leases_account_names_the_state_of_its_documents(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(first_day=date(2020, 1, 1))
    run(date(2020, 2, 1))
    pay(lease_id, 150000, date(2020, 2, 1))
    text = mona.get(f"/billing/leases/{lease_id}/account").text
    assert "Paid" in text
    assert "Overdue" in text


def test_credit_that_is_not_used_is_told_beside_what_is_owed(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(first_day=date(2020, 1, 1))
    run(date(2020, 2, 1))
    january, february = invoices()
    pay(lease_id, 30_000, date(2020, 1, 2))
    begin_write()
    credit_invoice(january.id, "Wrong flat", today=date(2020, 2, 2), actor=actor())
    db.session.commit()
    assert february.open > 30_000
    text = mona.get(f"/billing/leases/{lease_id}/account").text
    assert "€300.00 of credit not used yet" in text


def test_an_amount_opens_to_who_agreed_it_and_a_later_change_is_not_named(
    home: Cast, mona: FlaskClient
) -> None:
    lease_id = make_lease(first_day=date(2020, 1, 17))
    run(date(2020, 1, 17))
    begin_write()
    later = {"effective_from": date(2020, 1, 17), "amount": 1, "recorded_by": home.mona}
    db.session.add(Rent(lease_id=lease_id, **later))
    db.session.commit()
    text = mona.get(f"/invoices/{invoices()[0].id}").text
    assert "1,000.00 × 15/31 days = 483.87" in text
    terms = text.split("Terms recorded by")[1].split("</div>")[0]
    assert "ProMan" in terms
    assert "Mona" not in terms
