"""Two who edit one draft of an invoice, and a form that is sent twice."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from proman.base.errors import Refused
from proman.billing.draft_models import InvoiceDraft
from proman.billing.drafting import issue_draft, refuse_twice, the_draft, write_draft
from proman.billing.models import Invoice
from proman.db import begin_write, db, utc_now
from proman.leases.actions import NewCharge
from tests.billing.test_concurrency import at_once
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

DUE = date(2026, 12, 1)
KEY = NewCharge("other", "A second key", 2_500, DUE, tax_rate=19_000)
CLEANING = NewCharge("service", "Cleaning", 11_900, DUE)
HERE = "/invoices/drafts/"


def draft_of(lease: int, *lines: NewCharge) -> int:
    begin_write()
    made = write_draft(InvoiceDraft(lines=[]), lease, DUE, lines, actor=actor())
    db.session.commit()
    return made.id


def typed(lease: int, **more: str) -> dict[str, str]:
    line = {"description": "A second key", "kind": "other", "amount": "25.00", "tax_rate": "0"}
    lines = {f"lines-0-{key}": value for key, value in line.items()}
    return {"lease_id": str(lease), "due_on": DUE.isoformat()} | lines | more


def before(client: FlaskClient, draft: int) -> str:
    kept = BeautifulSoup(client.get(f"{HERE}{draft}").text, "lxml").select_one("[name=before]")
    assert kept is not None
    return str(kept["value"])


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_day_and_a_line_that_two_change_are_both_kept(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease()
    untaxed = NewCharge("other", "A second key", 2_500, DUE)
    draft = draft_of(lease, untaxed)
    shown = typed(lease, before=before(mona, draft), keep="1")
    day = {"due_on": "2026-12-15"}
    assert mona.post(f"{HERE}{draft}", data=shown | day).status_code == 303
    amount = {"lines-0-amount": "30.00"}
    assert mona.post(f"{HERE}{draft}", data=shown | amount).status_code == 303
    db.session.rollback()
    kept = the_draft(draft)
    assert (kept.due_on, [line.amount for line in kept.lines]) == (date(2026, 12, 15), [3_000])
    # Who leaves the lines as they were keeps what the other made of them, in number too.
    more = {f"lines-1-{key}": value for key, value in (("description", "Bell"), ("kind", "other"))}
    shown["before"] = before(mona, draft)
    shown |= day | amount
    two = shown | more | {"lines-1-amount": "5.00", "lines-1-tax_rate": "0"}
    assert mona.post(f"{HERE}{draft}", data=two).status_code == 303
    assert mona.post(f"{HERE}{draft}", data=shown | {"due_on": "2026-12-20"}).status_code == 303
    db.session.rollback()
    assert [line.description for line in the_draft(draft).lines] == ["A second key", "Bell"]


def test_lines_that_two_changed_are_asked_about(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease()
    draft = draft_of(lease, NewCharge("other", "A second key", 2_500, DUE))
    shown = typed(lease, before=before(mona, draft), keep="1")
    assert mona.post(f"{HERE}{draft}", data=shown | {"lines-0-amount": "30"}).status_code == 303
    mine = shown | {"lines-0-amount": "40"}
    for step in ("keep", "issue"):
        asked = mona.post(f"{HERE}{draft}", data=mine | {step: "1"})
        assert asked.status_code == 422
        assert "it is “A second key 30.00” now" in asked.text
    mine["before"] = str(BeautifulSoup(asked.text, "lxml").select("[name=before]")[0]["value"])
    assert mona.post(f"{HERE}{draft}", data=mine).status_code == 303
    db.session.rollback()
    assert [line.amount for line in the_draft(draft).lines] == [4_000]


@pytest.mark.parametrize(("step", "told"), [("keep", "kept a moment ago"), ("issue", "issued a")])
def test_a_new_form_sent_twice_counts_once(
    home: Cast, mona: FlaskClient, step: str, told: str
) -> None:
    form = typed(make_lease(), **{step: "1"})
    assert mona.post(HERE, data=form).status_code == 303
    again = mona.post(HERE, data=form)
    assert (again.status_code, told in again.text) == (422, True)
    assert (count(InvoiceDraft), count(Invoice)) == ((1, 0) if step == "keep" else (0, 1))
    assert mona.post(HERE, data=form | {"lines-0-amount": "26"}).status_code == 303


@pytest.mark.engines
def test_a_new_form_sent_at_the_same_moment_counts_once(
    app: Flask, home: Cast, sign_in: Callable[[str], FlaskClient]
) -> None:
    form = typed(make_lease(), issue="1")
    clients = [sign_in("mona") for _ in range(4)]
    posts = [lambda each=each: each.post(HERE, data=form).status_code for each in clients]
    assert sorted(at_once(app, home.organization, posts)) == [303, 422, 422, 422]
    assert (count(InvoiceDraft), count(Invoice)) == (0, 1)


@pytest.mark.engines
def test_two_alike_that_are_meant_follow_later(home: Cast) -> None:
    lease = make_lease()
    draft_of(lease, KEY)
    issued = draft_of(lease, CLEANING, KEY)
    begin_write()
    issue_draft(the_draft(issued), today=DUE, actor=actor())
    db.session.commit()
    for lines in ((KEY,), (CLEANING, KEY), (CLEANING,)):
        with pytest.raises(Refused, match="a moment ago"):
            refuse_twice(lease, DUE, lines, utc_now())
        refuse_twice(lease, DUE, lines, utc_now() + timedelta(minutes=2))
        refuse_twice(make_lease(), DUE, lines, utc_now())
    refuse_twice(lease, DUE, (KEY, KEY), utc_now())
