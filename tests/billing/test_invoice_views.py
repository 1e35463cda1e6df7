"""The list and the page of invoices, as a manager's browser gets them."""

import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import event, select

from proman.billing.invoice_queries import INVOICES
from proman.billing.models import Invoice
from proman.billing.states import document_state
from proman.db import db
from tests.billing.books import invoices, pay, run
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant

SignIn = Callable[[str], FlaskClient]
TODAY = date(2027, 3, 10)


@pytest.fixture
def lease(home: Cast) -> int:
    """Three months of 1,000.00 billed, 1,500.00 paid."""
    made = make_lease(
        tenant_ids=[make_tenant(name="Hanna Vargas")],
        first_day=date(2027, 1, 1),
        charges=[{"amount": 5000, "tax_rate": 19000, "first_day": date(2027, 1, 1)}],
    )
    run(date(2027, 3, 1))
    pay(made, 150_000, date(2027, 2, 3))
    return made


def numbers_in(answer_text: str) -> list[str]:
    page = BeautifulSoup(answer_text, "html.parser")
    return [link.get_text() for link in page.select(".row-link")]


def test_the_list_shows_tenant_state_and_totals(lease: int, mona: FlaskClient) -> None:
    text = mona.get("/invoices/").text
    assert len(numbers_in(text)) == 3
    assert "Hanna Vargas" in text
    assert "€3,178.50" in text  # three times 1,059.50
    assert "€1,678.50" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=hanna", 3),
        ("q=2027-00002", 1),
        ("q=nobody", 0),
        ("q=%25", 0),
        ("from=2027-02-01&to=2027-02-28", 1),
        ("kind=credit_note", 0),
        ("delivered=no", 3),
        ("delivered=yes", 0),
        ("tenant=999", 0),
        ("from=never", 3),
    ],
)
def test_the_list_is_filtered(lease: int, mona: FlaskClient, query: str, found: int) -> None:
    assert len(numbers_in(mona.get(f"/invoices/?{query}").text)) == found


def test_every_document_is_under_exactly_one_state_and_that_is_its_own(lease: int) -> None:
    for day in (TODAY, TODAY - timedelta(60), TODAY + timedelta(60)):
        by_state = {
            state: {row.id for row in INVOICES.every({"state": state}, {"today": day})}
            for state in ("open", "partly_paid", "overdue", "paid", "credited")
        }
        for invoice in db.session.scalars(select(Invoice)):
            state = document_state(
                invoice.kind, invoice.total, invoice.open, 0, invoice.due_date, day
            )
            assert [name for name, ids in by_state.items() if invoice.id in ids] == [state]


def test_the_list_is_exported_with_exact_amounts(lease: int, mona: FlaskClient) -> None:
    lines = mona.get("/invoices.csv?sort=due").data.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Number,Kind,State,Tenant,Property,Unit,Lease,Issued,Due")
    assert lines[1].startswith("2027-00001,invoice,paid,Hanna Vargas")
    assert "2027-01-01,2027-01-01,2027-01-31,1050.00,9.50,1059.50,0.00,EUR" in lines[1]
    book = load_workbook(io.BytesIO(mona.get("/invoices.xlsx?sort=due").data))
    assert [cell.value for cell in book.active[2]][-2:] == [1059.5, 0]


def test_pages_and_lists_take_the_same_number_of_queries_for_any_number_of_rows(
    lease: int, mona: FlaskClient
) -> None:
    def queries_of(address: str) -> int:
        seen: list[str] = []
        listen = lambda *given: seen.append(given[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        assert mona.get(address).status_code == 200
        event.remove(db.engine, "before_cursor_execute", listen)
        return len([text for text in seen if text.lstrip().upper().startswith("SELECT")])

    before = queries_of("/invoices/"), queries_of("/invoices/1")
    for _ in range(5):
        make_lease(first_day=date(2027, 1, 1), charges=[{"amount": 1000}])
    run(date(2027, 3, 1))
    assert (queries_of("/invoices/"), queries_of("/invoices/1")) == before
    assert max(before) <= 6


def test_a_page_shows_lines_formula_payments_and_how_to_pay(lease: int, mona: FlaskClient) -> None:
    second = invoices()[1]
    text = mona.get(f"/invoices/{second.id}").text
    for said in ("Invoice 2027-00002", "Parking space", "Tax 19", "How to pay", "Hanna Vargas"):
        assert said in text
    assert 'href="/payments/' in text
    assert "€619.00" in text  # 2,119.00 less 1,500.00


def test_the_pdf_is_served_under_its_number(lease: int, mona: FlaskClient) -> None:
    answer = mona.get("/invoices/1.pdf")
    assert answer.content_type == "application/pdf"
    assert 'filename="2027-00001.pdf"' in answer.headers["Content-Disposition"]
    text = PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert "Hanna Vargas" in text
    assert "Payment received" in text


def test_an_invoice_is_credited_in_full_with_a_reason(lease: int, mona: FlaskClient) -> None:
    third = invoices()[2]
    assert "Issues a credit note dated today" in mona.get(f"/invoices/{third.id}/credit").text
    refused = mona.post(f"/invoices/{third.id}/credit", data={"reason": " "})
    assert refused.status_code == 422
    assert "Say why it is credited" in refused.text
    answer = mona.post(f"/invoices/{third.id}/credit", data={"reason": "Billed twice"})
    assert answer.status_code == 303
    note = mona.get(answer.location)
    assert "Credit note CN-" in note.text
    assert "Billed twice" in note.text
    assert mona.get("/invoices/?state=credited").text.count("row-link") == 1
    again = mona.post(f"/invoices/{third.id}/credit", data={"reason": "Once more"})
    assert again.status_code == 422
    assert "credited in full already" in again.text


def test_an_empty_installation_says_what_invoices_are(cast: Cast, mona: FlaskClient) -> None:
    assert "No invoices yet" in mona.get("/invoices/").text


def test_what_is_not_there_is_404(lease: int, mona: FlaskClient, sign_in: SignIn) -> None:
    charlie = sign_in("charlie")
    for address in ("/invoices/999", "/invoices/999.pdf", "/invoices/999/credit"):
        assert mona.get(address).status_code == 404
    for address in ("/invoices/1", "/invoices/1.pdf", "/invoices/1/credit"):
        assert charlie.get(address).status_code == 404
    assert charlie.post("/invoices/1/credit", data={"reason": "x"}).status_code in (404, 422)
    assert charlie.get("/invoices/1/deliveries").status_code == 404
    assert "row-link" not in charlie.get("/invoices/?q=2027").text


def test_a_viewer_reads_and_changes_nothing(lease: int, sign_in: SignIn) -> None:
    vera = sign_in("vera")
    page = vera.get("/invoices/1")
    assert page.status_code == 200
    assert "/invoices/1/credit" not in page.text
    assert vera.get("/invoices/1/credit").status_code == 403
    assert vera.post("/invoices/1/credit", data={"reason": "x"}).status_code == 403
    assert vera.post("/invoices/deliveries/", data={"invoice": "1"}).status_code == 403
