"""The pages of administration: organization, users, audit trail."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from proman.db import begin_write, db
from proman.identity.models import AuditEntry, Organization, OrganizationLogo, TaxRate, User
from tests.admin.test_logo import png
from tests.conftest import Cast
from tests.factories import PASSWORD, make_lease, make_unit

PAGES = (
    "/admin/organization",
    "/admin/organization/rules",
    "/admin/organization/taxes",
    "/admin/users",
    "/admin/users/new",
    "/admin/audit",
    "/admin/status",
)
LETTERHEAD = {
    "name": "Harbour Homes",
    "legal_name": "Harbour Homes Ltd",
    "street": "Quay 1",
    "postal_code": "AB1",
    "city": "Port",
    "email": "office@example.com",
    "region": "",
    "time_zone": "Europe/London",
    "locale": "en_GB",
    "currency": "GBP",
    "area_unit": "m2",
    "bank_account": "GB00 1234",
}
RULES = {
    "due_kind": "workday",
    "due_number": "3",
    "due_month": "before",
    "timing": "advance",
    "lead_days": "7",
    "proration": "fixed_30",
    "holding_over": "stop",
    "deposit_return_days": "14",
    "invoice_pattern": "R{year}/{sequence:04d}",
    "credit_note_pattern": "C{year}/{sequence}",
    "deposit_request_pattern": "D{year}/{sequence}",
}


def organization(cast: Cast) -> Organization:
    found = db.session.get(Organization, cast.organization, populate_existing=True)
    assert found is not None
    return found


def person(user_id: int) -> User:
    found = db.session.get(
        User, user_id, populate_existing=True, execution_options={"everywhere": True}
    )
    assert found is not None
    return found


@pytest.mark.parametrize("address", PAGES)
def test_every_page_opens_for_an_administrator_only(
    alice: FlaskClient, mona: FlaskClient, address: str
) -> None:
    assert alice.get(address).status_code == 200
    assert mona.get(address).status_code == 403


def test_the_letterhead_is_stored_and_the_change_recorded(alice: FlaskClient, home: Cast) -> None:
    answer = alice.post("/admin/organization", data=LETTERHEAD)
    assert answer.status_code == 303, answer.text
    stored = organization(home)
    assert (stored.legal_name, stored.city) == ("Harbour Homes Ltd", "Port")
    page = alice.get("/admin/audit?subject=organizations").text
    assert "Changed: organization" in page
    assert "legal name" in page
    assert "Harbour Homes Ltd" in page


def test_a_letterhead_that_is_wrong_changes_nothing(alice: FlaskClient, home: Cast) -> None:
    before = organization(home).city
    for website in ("javascript:alert(1)", "ftp://example.com", "no address"):
        answer = alice.post("/admin/organization", data=LETTERHEAD | {"website": website})
        assert (answer.status_code, "such as www.example.com" in answer.text) == (422, True)
    answer = alice.post("/admin/organization", data=LETTERHEAD | {"email": "nowhere"})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert 'value="Port"' in answer.text
    assert organization(home).city == before


def test_a_name_that_is_taken_is_told_beside_its_field(alice: FlaskClient, home: Cast) -> None:
    answer = alice.post("/admin/organization", data=LETTERHEAD | {"name": "Charlie's Courts"})
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text


@pytest.mark.parametrize("made", [make_lease, lambda: make_unit(market_rent=100_000)])
def test_the_currency_stays_once_an_amount_was_typed(
    alice: FlaskClient, home: Cast, made: Callable[[], int]
) -> None:
    assert 'name="currency"' in alice.get("/admin/organization").text
    assert alice.post("/admin/organization", data=LETTERHEAD).status_code == 303
    assert organization(home).currency == "GBP"
    make_unit()
    assert 'name="currency"' in alice.get("/admin/organization").text
    made()
    page = alice.get("/admin/organization").text
    assert ('name="currency"' in page, "All amounts are in GBP" in page) == (False, True)
    answer = alice.post("/admin/organization", data=LETTERHEAD | {"currency": "JPY"})
    assert (answer.status_code, 'id="currency-error"' in answer.text) == (422, True)
    assert "There are amounts in GBP already" in answer.text
    assert organization(home).currency == "GBP"
    assert alice.post("/admin/organization", data=LETTERHEAD).status_code == 303


def test_rules_are_stored_as_leases_read_them(alice: FlaskClient, home: Cast) -> None:
    assert alice.post("/admin/organization/rules", data=RULES).status_code == 303
    stored = organization(home)
    assert stored.due_rule == "workday:3:before"
    assert (stored.lead_days, stored.proration, stored.holding_over) == (7, "fixed_30", "stop")
    assert 'value="R{year}/{sequence:04d}"' in alice.get("/admin/organization/rules").text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"due_number": "24"}, "due_number"),
        ({"due_number": "x"}, "due_number"),
        ({"lead_days": "-1"}, "lead_days"),
        ({"invoice_pattern": "{sequence}"}, "invoice_pattern"),
        ({"credit_note_pattern": "R{year}/{sequence:04d}"}, "credit_note_pattern"),
        ({"proration": "other"}, "proration"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_beside_their_field(
    alice: FlaskClient, home: Cast, changes: dict[str, str], field: str
) -> None:
    answer = alice.post("/admin/organization/rules", data=RULES | changes)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert organization(home).due_rule == "day:1"


def test_a_tax_rate_is_added_once_retired_and_offered_again(alice: FlaskClient, home: Cast) -> None:
    typed = {"name": "Reduced", "rate": "8,875"}
    assert alice.post("/admin/organization/taxes", data=typed).status_code == 303
    assert alice.post("/admin/organization/taxes", data=typed).status_code == 422
    too_much = {"name": "Much", "rate": "100.001"}
    assert alice.post("/admin/organization/taxes", data=too_much).status_code == 422
    rate = db.session.query(TaxRate).filter_by(name="Reduced").one()
    assert rate.rate == 8875
    address = f"/admin/organization/taxes/{rate.id}"
    assert alice.post(f"{address}/retirement").status_code == 303
    assert "Retired" in alice.get("/admin/organization/taxes").text
    assert alice.post(f"{address}/return").status_code == 303
    assert "Retired" not in alice.get("/admin/organization/taxes").text


def test_a_logo_is_uploaded_and_served_so_that_it_can_run_nothing(
    alice: FlaskClient, mona: FlaskClient, home: Cast
) -> None:
    picture = png(60, 20)
    upload = {"logo": (BytesIO(picture), "logo.png")}
    answer = alice.post("/admin/organization/logo", data=upload)
    assert answer.status_code == 303, answer.text
    served = mona.get("/admin/organization/logo")
    assert (served.data, served.content_type) == (picture, "image/png")
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert "/admin/organization/logo" in alice.get("/admin/organization").text


def test_an_unsafe_logo_is_refused(alice: FlaskClient, home: Cast) -> None:
    upload = {"logo": (BytesIO(b"<svg onload='x'/>"), "logo.svg")}
    answer = alice.post("/admin/organization/logo", data=upload)
    assert answer.status_code == 422
    assert 'id="logo-error"' in answer.text
    assert alice.post("/admin/organization/logo").status_code == 422
    assert db.session.query(OrganizationLogo).count() == 0


def test_a_colleague_is_invited_and_the_link_shown_to_copy(
    app: Flask, alice: FlaskClient, home: Cast
) -> None:
    typed = {"name": "Bob", "email": "Bob@Example.com", "role": "viewer"}
    answer = alice.post("/admin/users/new", data=typed)
    assert answer.status_code == 200
    link = answer.text.split('value="http://localhost', 1)[1].split('"', 1)[0]
    bob = app.test_client()
    assert "Bob" in bob.get(link).text
    assert bob.post(link, data={"password": "horse battery"}).status_code == 303
    signed_in = bob.post("/login", data={"email": "bob@example.com", "password": "horse battery"})
    assert signed_in.status_code == 303
    assert bob.get(link).status_code == 404
    assert alice.post("/admin/users/new", data=typed).status_code == 422


def test_the_last_administrator_keeps_the_role_and_the_access(
    alice: FlaskClient, home: Cast
) -> None:
    own = f"/admin/users/{home.alice}"
    answer = alice.post(f"{own}/role", data={"role": "viewer", "is_operator": "y"})
    assert answer.status_code == 422
    assert "last administrator" in answer.text
    assert alice.post(f"{own}/deactivation").status_code == 422
    assert person(home.alice).role == "administrator"


def test_a_role_takes_effect_at_once(alice: FlaskClient, mona: FlaskClient, home: Cast) -> None:
    assert mona.get("/admin/users").status_code == 403
    address = f"/admin/users/{home.mona}/role"
    assert alice.post(address, data={"role": "administrator"}).status_code == 303
    assert mona.get("/admin/users").status_code == 200


def test_only_an_operator_makes_operators(
    alice: FlaskClient, mona: FlaskClient, home: Cast
) -> None:
    alice.post(f"/admin/users/{home.mona}/role", data={"role": "administrator"})
    answer = mona.post(
        f"/admin/users/{home.vera}/role", data={"role": "manager", "is_operator": "y"}
    )
    assert answer.status_code == 422
    typed = {"name": "Eve", "email": "eve@example.com", "role": "viewer", "is_operator": "y"}
    assert mona.post("/admin/users/new", data=typed).status_code == 422
    assert not person(home.vera).is_operator


def test_deactivation_ends_the_session_and_the_login(
    app: Flask, alice: FlaskClient, mona: FlaskClient, home: Cast
) -> None:
    assert alice.post(f"/admin/users/{home.mona}/deactivation").status_code == 303
    assert mona.get("/password/change").status_code == 303
    typed = {"email": "mona@example.com", "password": PASSWORD}
    assert app.test_client().post("/login", data=typed).status_code == 422
    assert alice.post(f"/admin/users/{home.mona}/link").status_code == 422
    assert alice.post(f"/admin/users/{home.mona}/reactivation").status_code == 303
    assert app.test_client().post("/login", data=typed).status_code == 303


def test_people_of_other_organizations_are_not_there(alice: FlaskClient, home: Cast) -> None:
    assert "charlie" not in alice.get("/admin/users").text
    for address in ("", "/role", "/link", "/deactivation", "/reactivation"):
        typed = {"name": "Mallory", "role": "viewer"}
        answer = alice.post(f"/admin/users/{home.charlie}{address}", data=typed)
        assert answer.status_code == 404, address
    assert person(home.charlie).deactivated_at is None


def test_the_trail_is_filtered_by_person_kind_and_day(alice: FlaskClient, home: Cast) -> None:
    begin_write()
    db.session.add(TaxRate(name="Standard <rate>", rate=19000))
    db.session.commit()
    assert "Standard &lt;rate&gt;" in alice.get("/admin/audit?subject=tax_rates").text
    nothing = "No change fits"
    assert nothing in alice.get(f"/admin/audit?subject=tax_rates&actor={home.alice}").text
    assert nothing in alice.get("/admin/audit?subject=tax_rates&to=2001-01-01").text
    assert nothing not in alice.get("/admin/audit?subject=tax_rates&from=2001-01-01").text
    assert alice.get("/admin/audit?from=nonsense&actor=x").status_code == 200
    assert b"Standard <rate>" in alice.get("/admin/audit.csv").data


def test_passwords_never_stand_in_the_trail(alice: FlaskClient, home: Cast) -> None:
    typed = {"current": PASSWORD, "password": "another password"}
    assert alice.post("/password/change", data=typed).status_code == 303
    entries = db.session.query(AuditEntry).filter_by(subject_type="users").all()
    text = " ".join(f"{entry.before} {entry.after}" for entry in entries)
    assert "argon2" not in text
    assert "•••" in text
