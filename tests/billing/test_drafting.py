"""An invoice is prepared, changed, issued as one or discarded."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from proman.base.errors import NotThere, Refused
from proman.billing.draft_models import InvoiceDraft, InvoiceDraftLine
from proman.billing.drafting import discard_draft, drafts, issue_draft, the_draft, write_draft
from proman.billing.models import Invoice
from proman.db import begin_write, db
from proman.leases.actions import NewCharge
from tests.billing.books import breaches, lines_of
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

TODAY = date(2026, 11, 22)
DUE = date(2026, 12, 1)
HTMX = {"HX-Request": "true"}


def line(description: str, amount: int, tax_rate: int = 0, *, gross: bool = False) -> NewCharge:
    return NewCharge("other", description, amount, DUE, tax_rate=tax_rate, gross=gross)


KEY = line("A second key", 2_500, 19_000)
CLEANING = line("Cleaning", 11_900, 19_000, gross=True)


def written(lease: int, *lines: NewCharge, draft: int | None = None) -> int:
    begin_write()
    kept = the_draft(draft) if draft else InvoiceDraft(lines=[])
    made = write_draft(kept, lease, DUE, lines, actor=actor())
    db.session.commit()
    return made.id


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.engines
def test_its_lines_become_one_invoice(home: Cast) -> None:
    lease = make_lease()
    draft = written(lease, KEY)
    written(lease, CLEANING, KEY, draft=draft)
    assert [(one.id, one.lines, one.amount) for one in drafts()] == [(draft, 2, 14_400)]
    assert count(Invoice) == 0
    begin_write()
    (issued,) = issue_draft(the_draft(draft), today=TODAY, actor=actor())
    db.session.commit()
    assert (issued.due_date, issued.issue_date) == (DUE, TODAY)
    assert [one.description for one in lines_of(issued.id)] == ["Cleaning", "A second key"]
    assert (issued.net, issued.tax) == (12_500, 2_375)
    assert breaches() == []
    assert count(InvoiceDraft) == count(InvoiceDraftLine) == 0
    with pytest.raises(NotThere):
        the_draft(draft)


def test_a_discarded_one_leaves_nothing(home: Cast) -> None:
    draft = written(make_lease(), KEY)
    begin_write()
    discard_draft(the_draft(draft))
    db.session.commit()
    assert count(InvoiceDraft) == count(InvoiceDraftLine) == count(Invoice) == 0


def test_what_cannot_be_says_why(home: Cast) -> None:
    lease = make_lease()
    with pytest.raises(Refused, match="what is charged"):
        written(lease)
    db.session.rollback()
    with pytest.raises(Refused, match="more than nil") as refused:
        written(lease, KEY, line("Nothing", 0))
    assert refused.value.field == "lines-1-amount"
    db.session.rollback()
    waiting = written(make_lease(status="draft"), KEY)
    begin_write()
    with pytest.raises(Refused, match="Activate it first"):
        issue_draft(the_draft(waiting), today=TODAY, actor=actor())
    db.session.rollback()
    assert len(drafts()) == 1


def test_pages_prepare_keep_and_issue(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease(reference="KEYS")
    new = mona.get(f"/invoices/drafts/new?lease={lease}")
    assert "KEYS" in new.text
    form = {"lease_id": str(lease), "due_on": "2026-12-01", "lines-0-description": "A second key"}
    form |= {"lines-0-kind": "other", "lines-0-amount": "25.00", "lines-0-tax_rate": "0"}
    more = mona.post("/invoices/drafts/", data=form | {"step": "add-line"}, headers=HTMX)
    assert 'name="lines-1-description"' in more.text
    assert "A second key" in more.text
    assert "25.00" in mona.post("/invoices/drafts/preview", data=form, headers=HTMX).text
    wrong = mona.post("/invoices/drafts/", data=form | {"lines-0-amount": "0", "keep": "1"})
    assert wrong.status_code == 422
    assert "more than nil" in wrong.text
    assert mona.post("/invoices/drafts/", data=form | {"keep": "1"}).status_code == 303
    listed = mona.get("/invoices/drafts/").text
    (address,) = re.findall(r'href="(/invoices/drafts/\d+)"', listed)
    assert "A second key" in mona.get(address).text
    issued = mona.post(address, data=form | {"lines-0-amount": "30.00", "issue": "1"})
    assert issued.status_code == 303
    assert "30.00" in mona.get(issued.location).text
    gone = mona.get(address)
    assert gone.status_code == 404
    assert "Nothing is being prepared" in mona.get("/invoices/drafts/").text


def test_a_viewer_prepares_nothing(home: Cast, sign_in) -> None:
    lease = make_lease()
    vera = sign_in("vera")
    assert vera.get("/invoices/drafts/").status_code == 403
    assert vera.get(f"/invoices/drafts/new?lease={lease}").status_code == 403
    form = {"lease_id": str(lease), "due_on": "2026-12-01"}
    assert vera.post("/invoices/drafts/", data=form).status_code == 403
