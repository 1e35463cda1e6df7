"""Numbers, days and letters beyond what a database holds are told, never an error of ProMan's."""

import pytest
from flask.testing import FlaskClient

from tests.conftest import Cast

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
