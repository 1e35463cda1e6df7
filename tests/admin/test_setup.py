"""The first visit."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient

from proman.db import db
from proman.identity.installation import setup_code
from proman.identity.models import Organization, User
from tests.conftest import Cast

TYPED = {
    "name": "Ada Lovelace",
    "email": "Ada@Example.com",
    "password": "analytical engine",
    "organization": "Ada's Houses",
    "country": "DE",
    "region": "BY",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """A browser on the machine that serves, before anybody is there."""
    return app.test_client()


def people(app: Flask) -> list[tuple[str, str, bool]]:
    with app.app_context():
        rows = db.session.query(User).execution_options(everywhere=True).all()
        return [(row.email, row.role, row.is_operator) for row in rows]


def test_every_way_leads_to_setup_until_there_is_somebody(visitor: FlaskClient) -> None:
    assert visitor.get("/login").headers["Location"] == "/setup"
    page = visitor.get("/setup", headers={"Accept-Language": "de-AT,de;q=0.8"}).text
    assert '<option selected value="AT">' in page
    assert '<option selected value="Europe/Vienna">' in page
    assert 'name="code"' not in page


def test_the_first_administrator_is_signed_in_and_operates(
    app: Flask, visitor: FlaskClient
) -> None:
    answer = visitor.post("/setup", data=TYPED)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/"), answer.text
    assert visitor.get("/admin/organization").status_code == 200
    assert people(app) == [("ada@example.com", "administrator", True)]
    with app.app_context():
        organization = db.session.query(Organization).one()
        assert (organization.locale, organization.area_unit) == ("de_DE", "m2")


@pytest.mark.engines
def test_of_many_at_once_one_sets_it_up(app: Flask) -> None:
    def visit(number: int) -> int:
        own = {"email": f"ada{number}@example.com", "organization": f"Houses {number}"}
        return app.test_client().post("/setup", data=TYPED | own).status_code

    with ThreadPoolExecutor(4) as visitors:
        assert set(visitors.map(visit, range(4))) <= {303, 422}
    assert len(people(app)) == 1


def test_it_happens_once(app: Flask, visitor: FlaskClient) -> None:
    visitor.post("/setup", data=TYPED)
    for answer in (
        app.test_client().get("/setup"),
        app.test_client().post("/setup", data=TYPED | {"email": "eve@example.com"}),
    ):
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert len(people(app)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"email": "no address"}, "email"),
        ({"country": "XX"}, "country"),
        ({"region": "ENG"}, "region"),
        ({"currency": "DEM"}, "currency"),
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"organization": " "}, "organization"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_stays(
    app: Flask, visitor: FlaskClient, changes: dict[str, str], field: str
) -> None:
    answer = visitor.post("/setup", data=TYPED | changes)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "Ada Lovelace" in answer.text
    assert people(app) == []


@pytest.mark.parametrize(
    ("address", "host", "headers"),
    [
        ("192.0.2.7", "proman.example.com", {}),
        ("127.0.0.1", "evil.example.com", {}),
        ("127.0.0.1", "localhost:8000", {"X-Forwarded-For": "192.0.2.7"}),
        ("192.0.2.7", "localhost", {}),
    ],
)
def test_from_another_machine_it_asks_for_the_printed_code(
    app: Flask, visitor: FlaskClient, address: str, host: str, headers: dict[str, str]
) -> None:
    where = {
        "environ_base": {"REMOTE_ADDR": address},
        "headers": headers,
        "base_url": f"http://{host}",
    }
    assert 'name="code"' in visitor.get("/setup", **where).text
    wrong = visitor.post("/setup", data=TYPED | {"code": "1234"}, **where)
    assert wrong.status_code == 422
    assert 'id="code-error"' in wrong.text
    assert people(app) == []
    code = setup_code(app.extensions["proman_settings"].data_dir)
    right = visitor.post("/setup", data=TYPED | {"code": f" {code} "}, **where)
    assert right.status_code == 303


def test_guessing_the_code_is_slowed_down(visitor: FlaskClient) -> None:
    where = {"environ_base": {"REMOTE_ADDR": "192.0.2.8"}}
    for _ in range(20):
        visitor.post("/setup", data=TYPED | {"code": "1"}, **where)
    answer = visitor.post("/setup", data=TYPED | {"code": "2"}, **where)
    assert "too many tries" in answer.text


def test_the_places_of_another_country_are_offered(visitor: FlaskClient, cast: Cast) -> None:
    part = visitor.get("/setup/places?country=US").text
    assert '<option selected value="USD">' in part
    assert '<option selected value="America/New_York">' in part
    assert visitor.get("/setup/places?country=ZZ").status_code == 404


def test_one_can_look_around_first(app: Flask, visitor: FlaskClient) -> None:
    typed = TYPED | {"organization": "", "with_demonstration": "y"}
    assert visitor.post("/setup", data=typed).status_code == 303
    page = visitor.get("/properties/")
    assert "Demonstration portfolio" in page.text
    assert "<td" in page.text
    login = {"email": "manager@example.com", "password": TYPED["password"]}
    assert app.test_client().post("/login", data=login).status_code == 303


def test_the_demonstrations_own_emails_are_taken(app: Flask, visitor: FlaskClient) -> None:
    typed = TYPED | {"email": "manager@example.com", "with_demonstration": "y"}
    answer = visitor.post("/setup", data=typed)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert people(app) == []
