"""The pages of expenses: recorded, found, proven by a receipt, taken back."""

import io

from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.db import db
from proman.expenses.models import Expense
from tests import factories
from tests.conftest import Cast


def typed(**changes: str) -> dict[str, str]:
    values = {
        "supplier": "Drain Doctors",
        "amount": "240.00",
        "paid_on": "2026-03-02",
        "category": "repairs",
        "property_id": "",
        "reference": "R-17",
        "description": "Drain cleared",
    }
    return values | changes


def the_ids() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(Expense.id).order_by(Expense.id)))


def test_an_expense_is_recorded_found_proven_and_taken_back(home: Cast, mona: FlaskClient) -> None:
    building = factories.make_property(name="Lindenhof")
    page = mona.get(f"/expenses/new?property={building}").text
    chosen = BeautifulSoup(page, "lxml").select_one("#property_id option[selected]")
    assert chosen is not None
    assert chosen.text == "Lindenhof"
    answer = mona.post("/expenses/", data=typed(property_id=str(building)))
    (expense,) = the_ids()
    here = f"/expenses/{expense}"
    assert (answer.status_code, answer.headers["Location"]) == (303, here)
    for query in ("", "?q=drain", "?q=r-17", f"?property={building}", "?category=repairs"):
        assert here in mona.get(f"/expenses/{query}").text, query
    for query in ("?q=garden", "?shared=1", "?category=waste", "?to=2026-03-01", "?state=reversed"):
        assert here not in mona.get(f"/expenses/{query}").text, query
    bill = {"file": (io.BytesIO(b"%PDF-1.7 bill"), "Bill.pdf")}
    answer = mona.post(f"/files/of-expense/{expense}", data=bill)
    assert answer.headers["Location"] == here
    assert "Bill.pdf" in mona.get(f"/files/of-expense/{expense}").text
    assert mona.post(f"{here}/reversal", data={"on": "2026-03-01"}).status_code == 422
    answer = mona.post(f"{here}/reversal", data={"on": "2026-03-09", "reason": "Not ours"})
    assert answer.status_code == 303
    assert "Not ours" in mona.get(here).text
    assert here in mona.get("/expenses/?state=reversed").text
    assert "Drain Doctors" in mona.get("/expenses.csv").text


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    home: Cast, mona: FlaskClient
) -> None:
    answer = mona.post("/expenses/", data=typed(amount="much", supplier="", category="bribes"))
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "lxml")
    for field in ("amount", "supplier", "category"):
        assert page.select_one(f"#{field}-error"), field
    described = page.select_one("#description")
    assert described is not None
    assert described["value"] == "Drain cleared"
    assert the_ids() == []


def test_the_same_bill_asks_first(home: Cast, mona: FlaskClient) -> None:
    assert mona.post("/expenses/", data=typed()).status_code == 303
    answer = mona.post("/expenses/", data=typed())
    assert answer.status_code == 422
    assert f'href="/expenses/{the_ids()[0]}"' in answer.text
    assert mona.post("/expenses/", data=typed(confirmed="y")).status_code == 303
    assert len(the_ids()) == 2
