"""Every route, walked by those who have no business there: nothing leaks, nothing changes.

Harbour Homes has two tenants, Zebra and Quagga, with their names on all that is theirs. Nobody,
Quagga's tenant, a viewer, and the administrator of another organization open every address with
Zebra's ids, and send every form that an administrator of Harbour Homes is offered.
"""

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from proman.identity.models import User
from tests.conftest import Cast
from tests.factories import PASSWORD
from tests.portfolio import Portfolio, all_rows, make_portfolio, mixed_references
from tests.walking import Address, Sending, addresses, offered_forms

PUBLIC = frozenset(
    {
        "static",
        "health.healthz",
        "health.readyz",
        "metrics.metrics",  # 404 unless PROMAN_METRICS is on
        "identity.login",
        "identity.sign_in",
        "identity.logout",
        "identity.forgotten",
        "identity.ask_for_link",
        "identity.choose",
        "identity.chosen",
        "restores.progress",  # for the browser that asked: by a secret cookie, not by login
        "setup.first_visit",
        "setup.places_of_country",
        "setup.begin",
    }
)
OWN = frozenset({"identity.profile", "identity.change_password", "identity.rename"})
FOR_ALL = OWN | {"organization.logo"}
NOBODYS = 987_654_321
GUESSES = {
    "name": "Mallory",
    "label": "Mallory",
    "email": "mallory@example.com",
    "role": "administrator",
    "reason": "because",
    "amount": "10.00",
    "received_on": "2026-11-01",
    "on": "2026-11-01",
    "last_day": "2026-11-30",
    "effective_from": "2026-12-01",
    "first_day": "2026-12-01",
    "confirmed": "y",
    "password": "words of my own",
    "current": PASSWORD,
}


@dataclass(frozen=True)
class World:
    """Two organizations, and what the first holds."""

    cast: Cast
    zebra: Portfolio
    quagga: Portfolio
    other: Portfolio
    forms: list[Sending]


@pytest.fixture
def world(app: Flask, cast: Cast, sign_in: Callable[[str], FlaskClient]) -> World:
    with app.app_context():
        zebra = make_portfolio(cast.organization, "Zebra", cast.mona)
        quagga = make_portfolio(cast.organization, "Quagga", cast.vera)
        other = make_portfolio(cast.other_organization, "Okapi", cast.charlie)
    before = all_rows(app)
    forms = offered_forms(app, sign_in("alice"), zebra.ids)
    _without_sign_ins(before)
    after = all_rows(app)
    _without_sign_ins(after)
    assert after == before, "opening a page changed something"
    assert len(forms) > 20
    return World(cast, zebra, quagga, other, forms)


def _without_sign_ins(rows: dict[str, list[tuple[object, ...]]]) -> None:
    """Signing in is recorded: leave out its row and the time in the person's own."""
    rows["audit_entries"] = [row for row in rows["audit_entries"] if "signed in" not in row]
    seen = list(User.__table__.c.keys()).index("last_seen_at")
    rows["users"] = [row[:seen] + row[seen + 1 :] for row in rows["users"]]


def unchanged(app: Flask, act: Callable[[], None], organization: int | None = None) -> None:
    before = all_rows(app, organization)
    act()
    after = all_rows(app, organization)
    for table, rows in before.items():
        assert after[table] == rows, f"{table} was changed"


def assert_tells_no_more_than_of_none(app: Flask, client: FlaskClient, address: Address) -> None:
    """The address of a record of others answers as that of a record that nobody has."""
    nothing = dict.fromkeys(address.rule.arguments, NOBODYS)
    (same,) = (other for other in addresses(app, "GET", nothing) if other.rule is address.rule)
    here, there = client.get(address.path), client.get(same.path)
    assert there.status_code == here.status_code, address.path
    assert _without_numbers(there.text) == _without_numbers(here.text), address.path


def told(answer: TestResponse) -> str:
    """What an answer says; of an archive, what all its files say."""
    data = answer.get_data()
    if answer.content_type == "application/zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    return data.decode("utf-8", "replace")


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+", "0", re.sub(r'content="[^"]*"|value="[^"]*"', "", text))


def send_everything(app: Flask, client: FlaskClient, world: World, leave: frozenset[str]) -> None:
    """Every form that Alice is offered, and every POST with guessed fields."""
    for form in world.forms:
        endpoint, _ = app.url_map.bind("localhost").match(form.path, method="POST")
        if endpoint not in leave:
            answer = client.post(form.path, data=form.fields)
            assert answer.status_code < 500, form
            assert "Zebra" not in told(answer), form
    ids = {name: str(value) for name, value in world.zebra.ids.items()}
    for address in addresses(app, "POST", world.zebra.ids):
        if address.rule.endpoint not in leave:
            answer = client.post(address.path, data=ids | GUESSES)
            assert answer.status_code < 500, address.path
            assert "Zebra" not in told(answer), address.path


def test_nobody_reaches_more_than_the_doors(app: Flask, world: World) -> None:
    visitor = app.test_client()

    def walk() -> None:
        for address in addresses(app, "GET", world.zebra.ids):
            answer = visitor.get(address.path)
            assert "Zebra" not in told(answer), address.path
            if address.rule.endpoint not in PUBLIC:
                assert answer.status_code == 303, address.path
                assert answer.headers["Location"].startswith("/login?"), address.path
        for address in addresses(app, "POST", world.zebra.ids):
            if address.rule.endpoint not in PUBLIC:
                assert visitor.post(address.path, data=GUESSES).status_code == 401, address.path

    unchanged(app, walk)


def test_a_view_without_a_mark_is_closed_to_nobody_and_tenants(app: Flask) -> None:
    for endpoint, view in app.view_functions.items():
        is_open = getattr(view, "is_public", False) or getattr(view, "is_for_all", False)
        assert is_open == (endpoint in PUBLIC | FOR_ALL and endpoint != "static"), endpoint


def test_another_organizations_administrator_finds_and_changes_nothing(
    app: Flask, world: World, sign_in: Callable[[str], FlaskClient]
) -> None:
    charlie = sign_in("charlie")

    def walk() -> None:
        for address in addresses(app, "GET", world.zebra.ids):
            answer = charlie.get(address.path)
            assert "Zebra" not in told(answer), address.path
            assert "Harbour Homes" not in told(answer), address.path
            if address.names_a_record and answer.status_code not in (403, 404):
                assert_tells_no_more_than_of_none(app, charlie, address)
        send_everything(app, charlie, world, PUBLIC | OWN)

    unchanged(app, walk, world.cast.organization)
    assert mixed_references(app) == []


def test_a_viewer_reads_and_changes_nothing(
    app: Flask, world: World, sign_in: Callable[[str], FlaskClient]
) -> None:
    vera = sign_in("vera")

    def walk() -> None:
        for address in addresses(app, "GET", world.zebra.ids):
            assert vera.get(address.path).status_code < 500, address.path
        for address in addresses(app, "POST", world.zebra.ids):
            if address.rule.endpoint not in PUBLIC | OWN:
                answer = vera.post(address.path, data=GUESSES)
                assert answer.status_code == 403, address.path

    unchanged(app, walk)


def test_a_tenant_sees_their_own_and_nothing_of_others(app: Flask, world: World) -> None:
    tenant = app.test_client()
    login = {"email": world.quagga.login, "password": PASSWORD}
    assert tenant.post("/login", data=login).status_code == 303

    def walk() -> None:
        for address in addresses(app, "GET", world.zebra.ids):
            answer = tenant.get(address.path)
            assert "Zebra" not in told(answer), address.path
            if address.rule.endpoint not in PUBLIC | FOR_ALL and address.path != "/":
                is_portal = address.path.startswith("/portal/")
                assert answer.status_code in ((200, 403, 404) if is_portal else (403,)), address
        send_everything(app, tenant, world, PUBLIC | OWN)

    unchanged(app, walk)
