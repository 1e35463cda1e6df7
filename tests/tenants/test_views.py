"""The pages of tenants."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from proman.tenants.queries import the_tenant
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant, make_unit

HTMX = {"HX-Request": "true"}


def test_a_tenant_is_added_and_corrected(home: Cast, mona: FlaskClient) -> None:
    data = {"name": " مُحَمَّد ", "kind": "person", "email": "Mo@Example.com"}
    answer = mona.post("/tenants/", data=data)
    assert answer.status_code == 303
    tenant = the_tenant(int(answer.location.rsplit("/", 1)[1]))
    assert (tenant.name, tenant.email) == ("مُحَمَّد", "mo@example.com")
    assert mona.get(f"{answer.location}/edit").status_code == 200
    assert mona.post(answer.location, data=data | {"phone": "030"}).status_code == 303
    assert "030" in mona.get(answer.location).text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Give a name"),
        ({"email": "nobody"}, "not an e-mail"),
        ({"email": "ANNA@example.com"}, "Anna already"),
        ({"country": "DEU"}, "Two letters"),
    ],
)
def test_what_is_wrong_is_told(
    home: Cast, mona: FlaskClient, changes: dict[str, str], words: str
) -> None:
    make_tenant(name="Anna", email="anna@example.com")
    data = {"name": "Bob", "kind": "person", "email": ""} | changes
    answer = mona.post("/tenants/", data=data)
    assert answer.status_code == 422
    assert words in answer.text


def test_the_list_says_who_rents_what(home: Cast, mona: FlaskClient) -> None:
    anna, bob = make_tenant(name="Anna"), make_tenant(name="Bob", kind="company")
    make_lease(make_unit(label="A-07"), [anna])
    text = mona.get("/tenants/").text
    assert "Anna" in text
    assert "A-07" in text
    assert "2 tenants" in text
    for query, found, other in (
        ("rents=yes", "Anna", "Bob"),
        ("rents=no", "Bob", "Anna"),
        ("kind=company", "Bob", "Anna"),
        ("q=ann", "Anna", "Bob"),
    ):
        part = mona.get(f"/tenants/?{query}", headers=HTMX).text
        assert found in part
        assert other not in part
    assert b"Anna" in mona.get("/tenants.csv").data
    assert bob


def test_a_tenant_is_archived_only_when_nothing_is_rented(home: Cast, mona: FlaskClient) -> None:
    anna, bob = make_tenant(name="Anna"), make_tenant(name="Bob")
    make_lease(make_unit(), [anna])
    mona.post(f"/tenants/{anna}/archiving")
    assert "has not ended" in mona.get(f"/tenants/{anna}").text
    mona.post(f"/tenants/{bob}/archiving")
    assert "Bob" not in mona.get("/tenants/", headers=HTMX).text
    assert "Bob" in mona.get("/tenants/?archived=yes", headers=HTMX).text
    mona.post(f"/tenants/{bob}/return")
    assert "Bob" in mona.get("/tenants/", headers=HTMX).text


def test_an_outsider_and_a_viewer(home: Cast, sign_in: Callable[[str], FlaskClient]) -> None:
    anna = make_tenant(name="Anna")
    charlie, vera = sign_in("charlie"), sign_in("vera")
    for path in ("", "/edit"):
        assert charlie.get(f"/tenants/{anna}{path}").status_code == 404
    assert charlie.post(f"/tenants/{anna}", data={"name": "X"}).status_code == 404
    assert vera.get(f"/tenants/{anna}").status_code == 200
    assert vera.post("/tenants/", data={"name": "X"}).status_code == 403
