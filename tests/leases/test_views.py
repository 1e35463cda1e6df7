"""The pages of leases, with htmx and without."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.db import begin_write, db
from proman.identity.actor import system_actor
from proman.identity.models import AuditEntry, TaxRate
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from proman.payments.actions import NewPayment, Share, record_payment
from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_tenant, make_unit

HTMX = {"HX-Request": "true"}


def now(lease_id: int) -> Lease:
    """The lease as it stands in the database after a request changed it."""
    db.session.rollback()
    return the_lease(lease_id)


def typed(unit: int, **changes: str) -> dict[str, str]:
    """What a browser sends of a filled form."""
    values = {
        "unit_id": str(unit),
        "tenants-0-name": "Anna Petersen",
        "tenants-0-kind": "person",
        "tenants-0-email": "anna@example.com",
        "first_day": "2027-03-17",
        "rent": "1,000.00",
        "rent_tax_rate": "0",
        "frequency": "monthly",
        "periods": "calendar",
        "timing": "advance",
        "due_number": "31",
        "due_kind": "day",
        "due_month": "",
        "lead_days": "5",
        "proration": "actual",
        "holding_over": "continue",
        "deposit": "2000",
    }
    return values | changes


def test_a_lease_is_written_and_active(home: Cast, mona: FlaskClient) -> None:
    unit = make_unit()
    answer = mona.post("/leases/", data=typed(unit, activate="1"))
    assert answer.status_code == 303
    text = mona.get(answer.location).text
    assert "Anna Petersen" in text
    assert "L-00001 is active" in text
    lease = now(int(answer.location.rsplit("/", 1)[1]))
    assert (lease.due_rule, lease.deposit, lease.rents[0].amount) == ("day:31", 200_000, 100_000)


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    home: Cast, mona: FlaskClient
) -> None:
    unit = make_unit()
    make_lease(unit, reference="L-77")
    answer = mona.post("/leases/", data=typed(unit, activate="1", rent="abc"))
    assert answer.status_code == 422
    told = BeautifulSoup(answer.text, "lxml").find(id="rent-error")
    assert told is not None
    assert told.get_text(strip=True) == "“abc” is not an amount. Write it like 1234.50."
    assert 'value="Anna Petersen"' in answer.text
    answer = mona.post("/leases/", data=typed(unit, activate="1"))
    page = BeautifulSoup(answer.text, "lxml")
    error = page.find(id="first_day-error")
    assert answer.status_code == 422
    assert error is not None
    assert "L-77" in error.text


def test_a_lease_needs_a_unit_and_a_tenant(home: Cast, mona: FlaskClient) -> None:
    answer = mona.post("/leases/", data=typed(0, activate="1", **{"tenants-0-name": ""}))
    assert answer.status_code == 422
    assert "Choose the unit" in answer.text
    assert "Give a name" in answer.text


def test_a_rent_or_deposit_below_nil_is_refused(home: Cast, mona: FlaskClient) -> None:
    unit = make_unit()
    for field in ("rent", "deposit"):
        answer = mona.post("/leases/", data=typed(unit, **{field: "-5"}, activate="1"))
        assert answer.status_code == 422
        assert "This cannot be less than nil." in answer.text
    lease = make_lease()
    new_rent = {"amount": "-5", "effective_from": "2027-01-01", "change": "split", "tax_rate": "0"}
    assert mona.post(f"/leases/{lease}/rents", data=new_rent).status_code == 422


@pytest.mark.parametrize("field", ["rent_tax_rate", "charges-0-tax_rate"])
@pytest.mark.parametrize("wrong", ["-5", "500000", "12345"])
def test_a_tax_rate_that_is_none_of_ours_is_refused(
    home: Cast, mona: FlaskClient, field: str, wrong: str
) -> None:
    charge = {"charges-0-description": "Parking", "charges-0-amount": "30"}
    data = typed(make_unit(), activate="1") | charge | {field: wrong}
    answer = mona.post("/leases/", data=data)
    assert answer.status_code == 422
    preview = mona.post("/billing/lease-preview", data=data)
    assert "€1,030" not in preview.text


def test_a_charge_below_nil_is_refused_beside_its_field(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease()
    charge = {"description": "Discount", "amount": "-5", "first_day": "2027-01-01"}
    words = "This cannot be less than nil."
    answer = mona.post(f"/billing/leases/{lease}/charges", data=charge | {"recurrence": "period"})
    assert (answer.status_code, words in answer.text) == (422, True)
    row = {"charges-0-description": "Discount", "charges-0-amount": "-5"}
    answer = mona.post("/leases/", data=typed(make_unit(), activate="1") | row)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert "Anna Petersen" in answer.text


def test_a_draft_keeps_a_rate_that_is_offered_no_more(home: Cast, mona: FlaskClient) -> None:
    begin_write()
    old = TaxRate(name="Old", rate=16_000)
    db.session.add(old)
    db.session.commit()
    data = typed(make_unit(), draft="1", rent_tax_rate="16000")
    address = mona.post("/leases/", data=data).location
    begin_write()
    db.session.get_one(TaxRate, old.id).retired_at = datetime(2026, 1, 1)
    db.session.commit()
    page = BeautifulSoup(mona.get(f"{address}/edit").text, "lxml")
    assert page.select_one("select[name=rent_tax_rate] option[value='16000'][selected]")
    tenant = page.find("input", {"name": "tenants-0-tenant_id"})
    assert tenant is not None
    again = data | {"tenants-0-tenant_id": str(tenant["value"])}
    assert mona.post(address, data=again).status_code == 303
    assert now(int(address.rsplit("/", 1)[1])).rents[0].tax_rate == 16_000


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_steps_grow_the_form_and_keep_what_was_typed(
    home: Cast, mona: FlaskClient, headers: dict[str, str]
) -> None:
    unit, zoe = make_unit(market_rent=98_000), make_tenant(name="Zoë")
    data = typed(unit, **{"tenants-0-name": "zo"})

    def step(name: str, **more: str) -> BeautifulSoup:
        answer = mona.post("/leases/", data=data | more | {"step": name}, headers=headers)
        assert answer.status_code == 200
        assert answer.text.startswith("<form") is bool(headers)
        return BeautifulSoup(answer.text, "lxml")

    assert step("add-tenant").find(id="tenants-1-name") is not None
    assert step("add-charge").find(id="charges-0-amount") is not None
    found = step("find-tenant:0").find("button", value=f"use-tenant:0:{zoe}")
    assert found is not None
    assert "Zoë" in found.text
    chosen = step(f"use-tenant:0:{zoe}")
    assert chosen.find("input", {"name": "tenants-0-tenant_id", "value": str(zoe)})
    assert chosen.find("input", {"name": "rent", "value": "1,000.00"})
    filled = step(f"use-unit:{unit}", unit_id="", rent="")
    assert filled.find("input", {"name": "rent", "value": "980.00"})
    assert step("forget-unit").find(id="unit-q") is not None
    assert step("use-unit:99:1").find("form") is not None


def test_a_draft_is_edited_and_activated(home: Cast, mona: FlaskClient) -> None:
    unit = make_unit()
    address = mona.post("/leases/", data=typed(unit, draft="1")).location
    assert "Activate" in mona.get(address).text
    page = BeautifulSoup(mona.get(f"{address}/edit").text, "lxml")
    assert page.find("input", {"name": "rent", "value": "1000.00"})
    tenant = page.find("input", {"name": "tenants-0-tenant_id"})
    assert tenant is not None
    again = typed(unit, draft="1", rent="1100") | {"tenants-0-tenant_id": str(tenant["value"])}
    assert mona.post(address, data=again).status_code == 303
    assert mona.post(f"{address}/activation").status_code == 303
    lease = now(int(address.rsplit("/", 1)[1]))
    assert (lease.status, lease.rents[0].amount) == ("active", 110_000)


def test_a_draft_that_came_to_nothing_is_discarded(home: Cast, mona: FlaskClient) -> None:
    draft = mona.post("/leases/", data=typed(make_unit(), draft="1")).location
    page = BeautifulSoup(mona.get(draft).text, "html.parser")
    form = page.select_one(f'form[action="{draft}/discarding"]')
    assert form is not None
    assert "Its tenants stay among yours" in form.get_text()
    answer = mona.post(f"{draft}/discarding")
    assert (answer.status_code, answer.location) == (303, "/leases/")
    assert "The draft L-00001 was discarded." in mona.get("/leases/").text
    assert mona.get(draft).status_code == 404
    assert "Anna Petersen" in mona.get("/tenants/").text
    db.session.rollback()
    trail = select(AuditEntry.subject_type).where(AuditEntry.action == "deleted")
    assert {"leases", "lease_parties", "rents"} == set(db.session.scalars(trail))


def test_a_draft_on_which_money_rests_stays(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(status="draft")
    begin_write()
    share = Share(lease_id=lease_id, amount=10_000)
    paid = NewPayment(date(2026, 11, 1), "transfer", "ahead", (share,), payer="Anna")
    record_payment(paid, today=date(2026, 11, 22), actor=system_actor(home.organization))
    db.session.commit()
    answer = mona.post(f"/leases/{lease_id}/discarding")
    assert answer.location == f"/leases/{lease_id}"
    text = mona.get(f"/leases/{lease_id}").text
    assert "cannot be discarded" in text
    assert "1 payment" in text


def test_an_active_lease_is_never_discarded(
    home: Cast, mona: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    lease_id, draft = make_lease(), make_lease(status="draft")
    assert "discarding" not in mona.get(f"/leases/{lease_id}").text
    mona.post(f"/leases/{lease_id}/discarding")
    assert "Only a draft can be discarded" in mona.get(f"/leases/{lease_id}").text
    assert sign_in("vera").post(f"/leases/{draft}/discarding").status_code == 403
    assert sign_in("charlie").post(f"/leases/{draft}/discarding").status_code == 404
    assert now(draft).status == "draft"


def test_rent_charges_and_tenants_change_from_a_day_on(home: Cast, mona: FlaskClient) -> None:
    anna = make_tenant(name="Anna")
    lease_id = make_lease(None, [anna, make_tenant(name="Bob")])
    here = f"/leases/{lease_id}"
    rent = {"amount": "1100", "effective_from": "2026-04-17", "change": "split", "tax_rate": "0"}
    charge = {
        "description": "Garage",
        "kind": "parking",
        "amount": "50",
        "recurrence": "period",
        "first_day": "2026-02-01",
        "tax_rate": "0",
    }
    leaving = {"tenant_id": str(anna), "left_on": "2026-06-30"}
    for path, data in (("rents", rent), ("charges", charge), ("leavings", leaving)):
        page = BeautifulSoup(mona.get(f"{here}/{path}/new?tenant={anna}").text, "html.parser")
        address = str(page.select("form.form")[0]["action"])
        assert mona.post(address, data={}).status_code == 422
        assert mona.post(address, data=data).status_code == 303
    lease = now(lease_id)
    ending = f"{here}/charges/{lease.charges[0].id}/ending"
    assert mona.get(ending).status_code == 200
    assert mona.post(ending, data={"last_day": "2026-01-01"}).status_code == 422
    assert mona.post(ending, data={"last_day": "2026-12-31"}).status_code == 303
    text = mona.get(here).text
    for words in ("Rent set to", "Garage charged to", "Anna is on the lease to", "1,100.00"):
        assert words in text


def test_the_standing_terms_of_an_active_lease(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(reference="L-9")
    data = {
        "last_day": "2030-12-31",
        "reference": "L-9",
        "due_number": "3",
        "due_kind": "workday",
        "due_month": "before",
        "lead_days": "10",
        "holding_over": "stop",
        "deposit": "",
    }
    assert mona.get(f"/leases/{lease_id}/edit").status_code == 200
    assert (
        mona.post(f"/leases/{lease_id}", data=data | {"last_day": "2026-02-01"}).status_code == 422
    )
    assert mona.post(f"/leases/{lease_id}", data=data).status_code == 303
    assert now(lease_id).due_rule == "workday:3:before"


def test_the_list_filters_and_finds(home: Cast, mona: FlaskClient) -> None:
    court = make_property(name="Harbour Court")
    make_lease(make_unit(court, label="A-07"), [make_tenant(name="Łukasz")], reference="L-1")
    make_lease(status="draft", reference="L-2")
    for query, found in (
        ("q=łuk", "L-1"),
        ("q=court+·+a-07", "L-1"),
        ("q=l-2", "L-2"),
        ("state=draft", "L-2"),
        ("state=current", "L-1"),
        (f"property={court}", "L-1"),
    ):
        text = mona.get(f"/leases/?{query}", headers=HTMX).text
        assert found in text
        assert {"L-1": "L-2", "L-2": "L-1"}[found] not in text
    assert "No lease fits" in mona.get("/leases/?q=nobody").text
    lines = mona.get("/leases.csv?sort=reference").data.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("L-1,Łukasz,Harbour Court · A-07,active,2026-01-01,,1000.00,monthly")
    assert mona.get("/leases.xlsx").data.startswith(b"PK")


def test_leases_of_a_tenant_and_a_unit(home: Cast, mona: FlaskClient) -> None:
    unit, tenant = make_unit(), make_tenant(name="Anna")
    make_lease(unit, [tenant], reference="L-1")
    for path in (f"/leases/of-tenant/{tenant}", f"/leases/of-unit/{unit}"):
        assert "L-1" in mona.get(path, headers=HTMX).text
        assert "<html" in mona.get(path).text


def test_an_outsider_and_a_viewer(home: Cast, sign_in: Callable[[str], FlaskClient]) -> None:
    lease_id = make_lease(reference="L-SECRET")
    charlie, vera = sign_in("charlie"), sign_in("vera")
    unit = now(lease_id).unit_id
    assert charlie.get(f"/leases/of-unit/{unit}").status_code == 404
    assert vera.get("/leases/of-unit/999999").status_code == 404
    for path in ("", "/edit", "/rents/new", "/charges/new", "/leavings/new"):
        assert charlie.get(f"/leases/{lease_id}{path}").status_code == 404
    assert charlie.post(f"/leases/{lease_id}/activation").status_code == 404
    assert "L-SECRET" not in charlie.get("/leases/").text
    assert vera.get(f"/leases/{lease_id}").status_code == 200
    assert vera.get("/leases/new").status_code == 403
    assert vera.post(f"/leases/{lease_id}/activation").status_code == 403


def test_what_a_change_brings_is_shown_before(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(first_day=date(2027, 1, 1))
    here = f"/billing/leases/{lease_id}"
    rent = {"amount": "1100", "effective_from": "2027-04-17", "change": "split", "tax_rate": "0"}
    text = mona.post(f"{here}/rent-preview", data=rent, headers=HTMX).text
    for words in ("533.33", "513.34", "1,046.67", "1,100.00"):
        assert words in text
    charge = {
        "description": "Garage",
        "kind": "parking",
        "amount": "50",
        "recurrence": "period",
        "first_day": "2027-02-15",
        "tax_rate": "0",
    }
    text = mona.post(f"{here}/charge-preview", data=charge, headers=HTMX).text
    assert "50.00 × 14/28 days" in text
    assert "1,025.00" in text
    for kind in ("rent", "charge"):
        answer = mona.post(f"{here}/{kind}-preview", data={})
        assert answer.status_code == 200
        assert "Fill in" in answer.text
    assert len(now(lease_id).rents) == 1
