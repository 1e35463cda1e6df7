"""The pages of the dashboard, the search and the reports."""

from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient

from tests.conftest import Cast
from tests.factories import make_lease, make_tenant, make_unit
from tests.money import make_invoice
from tests.reports.conftest import FEW


def test_an_empty_installation_says_what_to_do_first(mona: FlaskClient) -> None:
    page = mona.get("/").text
    for words in ("First steps", "Letterhead", "Take over a rent roll", "Preview the billing"):
        assert words in page
    assert "Occupancy" not in page


def test_every_report_can_be_empty(mona: FlaskClient) -> None:
    assert "No units yet" in mona.get("/reports/rent-roll").text
    assert "Nothing is open" in mona.get("/reports/aged-receivables").text
    assert "Nothing is open" in mona.get("/reports/open-items").text
    assert "No leases yet" in mona.get("/reports/statements").text


def test_the_dashboard_shows_its_figures(home: Cast, mona: FlaskClient) -> None:
    make_invoice(make_lease(), 48_387, due=date(2026, 3, 31))
    page = mona.get("/").text
    assert "483.87" in page
    assert "/reports/open-items?bucket=overdue" in page


def test_reports_are_downloaded_whole(
    demonstrate: Callable[[int], FlaskClient],
) -> None:
    client = demonstrate(FEW)
    for name in ("rent-roll", "aged-receivables", "open-items", "statements", "statements/1"):
        lines = client.get(f"/reports/{name}.csv").data.decode("utf-8-sig").splitlines()
        assert len(lines) > 1, name
        assert lines[0].endswith("Currency")
        assert client.get(f"/reports/{name}.xlsx").data[:2] == b"PK"


def test_a_statement_is_printed(demonstrate: Callable[[int], FlaskClient]) -> None:
    answer = demonstrate(FEW).get("/reports/statements/1.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data[:5] == b"%PDF-"


def test_days_the_wrong_way_round_are_told(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease()
    answer = mona.get(f"/reports/statements/{lease}?from=2026-03-01&to=2026-02-01")
    assert answer.status_code == 422
    assert "The last day is before the first day." in answer.text


def test_the_search_finds_people_units_leases_numbers_and_actions(
    home: Cast, mona: FlaskClient
) -> None:
    unit = make_unit(label="WE 77")
    lease = make_lease(unit, [make_tenant(name="Öztürk, Çiğdem")], reference="X-4711")
    make_invoice(lease)
    assert "Öztürk, Çiğdem" in mona.get("/search?q=öztürk").text
    assert f"/leases/{lease}" in mona.get("/search?q=çiğ").text
    assert "WE 77" in mona.get("/search?q=we 77").text
    assert f"/leases/{lease}" in mona.get("/search?q=4711").text
    assert "/invoices/" in mona.get("/search?q=t-000").text
    assert "/reports/aged-receivables" in mona.get("/search?q=arrears").text
    assert "Nothing fits" in mona.get("/search?q=zzzzz").text


def test_the_live_search_gets_its_results_alone(home: Cast, mona: FlaskClient) -> None:
    make_tenant(name="Ruth Nolan")
    answer = mona.get("/search?q=nolan", headers={"HX-Request": "true"}).text
    assert "Ruth Nolan" in answer
    assert "<html" not in answer


def test_actions_are_found_by_those_who_may(
    home: Cast, sign_in: Callable[[str], FlaskClient]
) -> None:
    assert "/leases/new" in sign_in("mona").get("/search?q=new lease").text
    viewer = sign_in("vera").get("/search?q=new lease").text
    assert 'href="/leases/new"' not in viewer


def test_an_outsider_finds_and_sees_nothing(
    home: Cast, sign_in: Callable[[str], FlaskClient]
) -> None:
    lease = make_lease(tenant_ids=[make_tenant(name="Ruth Nolan")])
    make_invoice(lease)
    charlie = sign_in("charlie")
    assert charlie.get(f"/reports/statements/{lease}").status_code == 404
    assert charlie.get(f"/reports/statements/{lease}.pdf").status_code == 404
    assert "Nothing fits" in charlie.get("/search?q=nolan").text
    for page in ("/reports/rent-roll", "/reports/open-items", "/reports/statements"):
        assert "Nolan" not in charlie.get(page).text


@pytest.mark.parametrize(
    "address",
    [
        "/reports/rent-roll?property=x&let=perhaps",
        "/reports/aged-receivables?by=planet&bucket=old",
        "/reports/open-items?lease=one&bucket=1",
        "/search?q=%25%5C_",
    ],
)
def test_what_an_address_cannot_mean_is_left_out(address: str, mona: FlaskClient) -> None:
    assert mona.get(address).status_code == 200


@pytest.mark.parametrize("day", ["never", "2026-02-30", "0000-00-00", "1899-12-31", "99999-01-01"])
def test_figures_of_another_day_than_the_one_asked_are_not_shown(
    day: str, mona: FlaskClient
) -> None:
    for address in (
        f"/reports/rent-roll?as_of={day}",
        f"/reports/trial-balance?known={day}",
        f"/reports/profit-and-loss?from={day}",
        f"/reports/rent-roll.csv?as_of={day}",
    ):
        answer = mona.get(address)
        assert answer.status_code == 422
        assert "day" in answer.text
    assert mona.get("/reports/rent-roll?as_of=").status_code == 200
