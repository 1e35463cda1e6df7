"""Numbers, days and letters beyond what a database holds are told, never an error of ProMan's."""

import pytest
from flask.testing import FlaskClient

from tests.conftest import Cast
from tests.factories import make_lease

HUGE = "9" * 26


@pytest.mark.parametrize(
    "path",
    [
        f"/leases/{HUGE}",
        f"/tenants/{HUGE}",
        f"/properties/{HUGE}",
        f"/invoices/{HUGE}.pdf",
        f"/payments/{HUGE}",
        f"/billing/leases/{HUGE}/ending",
    ],
)
def test_a_number_that_no_record_can_have_leads_nowhere(alice: FlaskClient, path: str) -> None:
    assert alice.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"/leases/?property={HUGE}",
        f"/invoices/?property={HUGE}",
        f"/payments/?lease={HUGE}",
    ],
)
def test_a_filter_that_cannot_be_meant_is_left_out(alice: FlaskClient, path: str) -> None:
    assert alice.get(path).status_code == 200


def test_a_number_too_large_in_a_form_is_refused(home: Cast, mona: FlaskClient) -> None:
    form = {"unit_id": HUGE, "first_day": "2026-01-01", "rent": "1", "activate": "1"}
    assert mona.post("/leases/", data=form).status_code == 422


def test_letters_that_cannot_be_written_are_refused(mona: FlaskClient) -> None:
    answer = mona.post("/tenants/", data={"name": "x\x00y", "kind": "person"})
    assert answer.status_code == 422
    assert "cannot be written" in answer.text


LONG = "9" * 5_000
"""More digits than Python reads as a number."""


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/leases/indexation/", {"lease": f"{LONG}:1"}, 422),
        ("/leases/indexation/", {"lease": f"1:{LONG}"}, 422),
        ("/billing/reminders", {"lease": LONG, "channel": "print"}, 422),
        ("/billing/reminders/deliveries", {"reminder": LONG, "channel": "print"}, 422),
        ("/invoices/deliveries/by-hand", {"invoice": LONG}, 422),
        ("/leases/", {"unit_id": LONG}, 422),
        ("/leases/", {"tenants-0-tenant_id": LONG}, 422),
        ("/leases/", {"step": f"use-unit:{LONG}"}, 200),
        ("/payments/1/releases", {"allocation": LONG}, 404),
        ("/invoices/drafts/", {"lease_id": LONG}, 404),
    ],
)
def test_more_digits_than_can_be_read_are_no_number(
    home: Cast, mona: FlaskClient, path: str, data: dict[str, str], status: int
) -> None:
    assert mona.post(path, data=data).status_code == status


def test_nor_in_the_step_of_a_draft(home: Cast, mona: FlaskClient) -> None:
    data = {"lease_id": str(make_lease()), "step": f"drop-line:{LONG}"}
    assert mona.post("/invoices/drafts/", data=data).status_code == 200


def test_nor_in_who_joins_a_lease(home: Cast, mona: FlaskClient) -> None:
    data = {"tenants-0-tenant_id": LONG, "joined_on": "2026-03-01"}
    assert mona.post(f"/leases/{make_lease()}/joinings", data=data).status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/billing/rent-notices.pdf?indexation={LONG}", 422),
        (f"/leases/new?unit={LONG}&tenant={LONG}", 200),
        (f"/leases/?property={LONG}", 200),
        (f"/payments/new?lease={LONG}", 200),
    ],
)
def test_nor_in_an_address(home: Cast, mona: FlaskClient, path: str, status: int) -> None:
    assert mona.get(path).status_code == status
