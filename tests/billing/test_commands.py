"""`flask billing run` as an operator or cron calls it."""

import json
from datetime import date, timedelta

import pytest
from flask import Flask

from proman.billing.models import Invoice
from proman.db import begin_write, db
from proman.identity.session import acting_for, today_in
from proman.ledger.locking import lock_books
from tests.billing.books import invoices
from tests.conftest import Cast
from tests.factories import make_lease

LONG_AGO = date(2020, 1, 1)


def test_it_issues_what_is_due_and_again_nothing(app: Flask, home: Cast) -> None:
    lease_id = make_lease(first_day=date(2020, 1, 17))
    runner = app.test_cli_runner()
    answer = runner.invoke(args=["billing", "run", "--as-of", "2020-02-01", "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["issued"] == 2
    assert found["invoices"][0] == {
        "id": invoices()[0].id,
        "number": "2020-00001",
        "lease_id": lease_id,
        "issue_date": "2020-02-01",
        "due_date": "2020-01-17",
        "total": "483.87",
        "currency": "EUR",
    }
    again = runner.invoke(args=["billing", "run", "--as-of", "2020-02-01", "--json"])
    found = json.loads(again.stdout)
    assert (found["issued"], found["invoices"]) == (0, [])
    assert found["skipped"] == [
        {
            "lease_id": lease_id,
            "reason": "Nothing is due before 1 March 2020; it is issued from 25 February 2020.",
        }
    ]


def test_a_preview_issues_nothing_and_may_look_ahead(app: Flask, home: Cast) -> None:
    soon = today_in("Europe/Berlin") + timedelta(days=40)
    make_lease(first_day=soon, lead_days=0)
    answer = app.test_cli_runner().invoke(
        args=["billing", "run", "--preview", "--as-of", soon.isoformat(), "--json"]
    )
    found = json.loads(answer.stdout)
    assert found["issued"] == 1
    assert (found["invoices"][0]["id"], found["invoices"][0]["number"]) == (None, None)
    assert invoices() == []


def test_a_day_in_the_future_is_refused_in_one_line(app: Flask, home: Cast) -> None:
    make_lease(first_day=LONG_AGO)
    later = (today_in("Europe/Berlin") + timedelta(days=40)).isoformat()
    answer = app.test_cli_runner().invoke(args=["billing", "run", "--as-of", later])
    assert answer.exit_code == 1
    today = today_in("Europe/Berlin")
    assert answer.stderr.startswith(f"Error: {later} is in the future for ")
    assert f"where it is {today}, and nothing was issued" in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert invoices() == []


@pytest.mark.parametrize("day", ["9999-12-31", "2200-01-01"])
def test_a_day_too_far_ahead_to_look_at_is_refused_in_one_line(
    app: Flask, home: Cast, day: str
) -> None:
    make_lease(first_day=LONG_AGO)
    answer = app.test_cli_runner().invoke(args=["billing", "run", "--preview", "--as-of", day])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: A preview looks ahead to ")
    assert answer.stderr.count("\n") == 1


def test_a_day_that_is_none_is_wrong_usage(app: Flask, home: Cast) -> None:
    answer = app.test_cli_runner().invoke(args=["billing", "run", "--as-of", "soon"])
    assert answer.exit_code == 2


def test_every_organization_is_billed_unless_one_is_named(app: Flask, home: Cast) -> None:
    make_lease(first_day=LONG_AGO)
    with acting_for(home.other_organization):
        make_lease(first_day=LONG_AGO)
    runner = app.test_cli_runner()
    only = runner.invoke(
        args=["billing", "run", "--as-of", "2020-01-01", "--organization", "Charlie's Courts"]
    )
    assert only.stdout.splitlines() == [
        "2020-00001  lease 2  due 2020-01-01  1000.00 USD",
        "Charlie's Courts: 1 invoices issued, 0 leases with nothing due.",
    ]
    assert invoices() == []
    both = runner.invoke(args=["billing", "run", "--as-of", "2020-01-01"])
    assert "Harbour Homes: 1 invoices issued" in both.stdout
    assert [type(invoice) for invoice in invoices()] == [Invoice]


@pytest.mark.parametrize("is_locked", [(True, False), (False, True)])
def test_where_one_has_locked_the_day_none_is_billed(
    app: Flask, home: Cast, is_locked: tuple[bool, bool]
) -> None:
    places = (home.organization, home.other_organization)
    for organization, locks in zip(places, is_locked, strict=True):
        with acting_for(organization) as actor:
            make_lease(first_day=LONG_AGO)
            if locks:
                begin_write()
                lock_books(date(2020, 2, 1), "", today=date(2026, 1, 1), actor=actor)
                db.session.commit()
    answer = app.test_cli_runner().invoke(args=["billing", "run", "--as-of", "2020-02-01"])
    assert answer.exit_code == 1
    assert "The books are locked up to" in answer.stderr
    assert answer.stderr.count("\n") == 1
    for organization in places:
        with acting_for(organization):
            assert invoices() == []
