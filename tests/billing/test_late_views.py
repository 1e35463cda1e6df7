"""Late fees as a manager meets them: decided, looked at, charged."""

import json
from datetime import timedelta

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from proman.billing.late import LatePolicy
from proman.billing.late_charging import decide
from proman.db import begin_write, db, utc_now
from tests.billing.books import breaches, invoices, run
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

DECIDED = "/admin/organization/late-fees"
PAGE = "/billing/late-fees"
TODAY = utc_now().date()
TYPED = {"kind": "percent", "rate": "5", "grace_days": "3", "flat": "", "minimum": "", "cap": ""}


def late_invoice() -> int:
    """Due ten days ago under a rule of five per cent that was decided long before."""
    due = TODAY - timedelta(days=10)
    begin_write()
    decide(LatePolicy(3, rate=5_000), today=due - timedelta(days=90), actor=actor())
    db.session.commit()
    make_lease(first_day=due, proration="none", lead_days=0)
    (issued,) = run(due).issued
    return issued.id


def errors_of(page: str) -> set[str]:
    return {str(one["id"]) for one in BeautifulSoup(page, "lxml").select(".field-error[id]")}


def test_an_administrator_decides_and_says_when_it_is_charged(
    home: Cast, alice: FlaskClient, mona: FlaskClient
) -> None:
    assert mona.get(DECIDED).status_code == 403
    assert mona.post(DECIDED, data=TYPED).status_code == 403
    assert "never charged" in alice.get(DECIDED).text
    assert alice.post(DECIDED, data=TYPED | {"cap": "50"}).status_code == 303
    page = alice.get(DECIDED).text
    assert "Day 5" in page
    assert "at most" in page
    assert alice.post(DECIDED, data=TYPED | {"cap": "50"}).status_code == 422
    assert alice.post(DECIDED, data={"kind": "off"}).status_code == 303
    assert "never charged" in alice.get(DECIDED).text


def test_what_cannot_be_is_said_beside_its_field(home: Cast, alice: FlaskClient) -> None:
    for wrong, field in (
        ({"rate": ""}, "rate"),
        ({"rate": "100.1"}, "rate"),
        ({"kind": "flat"}, "flat"),
        ({"grace_days": ""}, "grace_days"),
        ({"grace_days": "-1"}, "grace_days"),
        ({"grace_days": "999999"}, "grace_days"),
        ({"minimum": "-1"}, "minimum"),
        ({"cap": "much"}, "cap"),
        ({"kind": "else"}, "kind"),
    ):
        answer = alice.post(DECIDED, data=TYPED | wrong)
        assert (answer.status_code, errors_of(answer.text)) == (422, {f"{field}-error"}), wrong
    assert "Decisions so far" not in alice.get(DECIDED).text


def test_a_manager_looks_and_charges_once(home: Cast, mona: FlaskClient) -> None:
    assert "Nothing to charge" in mona.get(PAGE).text
    late_invoice()
    page = mona.get(PAGE).text
    assert "5 % of 1,000.00 = 50.00" in page
    assert len(invoices()) == 1
    assert mona.post(f"{PAGE}/runs").status_code == 303
    assert "Nothing to charge" in mona.get(PAGE).text
    mona.post(f"{PAGE}/runs")
    fee = invoices()[-1]
    assert (len(invoices()), fee.total, fee.open) == (2, 5_000, 5_000)
    assert "Late fee for" in mona.get(f"/invoices/{fee.id}").text
    assert mona.get(f"/invoices/{fee.id}.pdf").data.startswith(b"%PDF")
    assert breaches() == []


def test_a_day_ahead_is_looked_at_and_not_charged(home: Cast, mona: FlaskClient) -> None:
    late_invoice()
    ahead = (TODAY + timedelta(days=1)).isoformat()
    assert "Charge late fees" in mona.get(PAGE).text
    assert "Charge late fees" not in mona.get(f"{PAGE}?as_of={ahead}").text
    assert mona.get(f"{PAGE}?as_of=soon").status_code == 422
    part = mona.get(PAGE, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="late-fees">')


def test_the_command_previews_charges_and_is_done(app: Flask, home: Cast) -> None:
    late_invoice()
    runner = app.test_cli_runner()
    found = json.loads(runner.invoke(args=["billing", "late-fees", "--preview", "--json"]).stdout)
    assert [(one["amount"], one["why"]) for one in found["changes"]] == [
        ("50.00", "5 % of 1,000.00 = 50.00")
    ]
    assert len(invoices()) == 1
    assert "50.00 EUR" in runner.invoke(args=["billing", "late-fees"]).output
    assert len(invoices()) == 2
    assert runner.invoke(args=["billing", "late-fees"]).output == "0 changed.\n"
