"""The tenant's way in, what they see, and that they see nothing of anybody else."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.billing.crediting import credit_invoice
from proman.billing.late import LatePolicy
from proman.billing.late_charging import charge_late_invoices, decide
from proman.billing.models import Invoice
from proman.billing.reminder_making import make_reminders, set_levels
from proman.billing.reminding import USUAL
from proman.db import begin_write, db
from proman.identity.session import acting_for
from proman.leases.models import LeaseParty
from proman.tenants.models import Tenant
from tests.billing.books import TODAY, pay, run
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant
from tests.money import actor

PASSWORD = "seven green bottles"
SignIn = Callable[[str], FlaskClient]


@dataclass(frozen=True)
class House:
    """Hanna rents one flat alone and one with Ben; Cleo rents next door; Xaver elsewhere."""

    hanna: int
    ben: int
    cleo: int
    alone: int
    joint: int
    next_door: int
    hannas_payment: int


@pytest.fixture
def house(home: Cast) -> House:
    hanna = make_tenant(name="Hanna Vargas", email="hanna@example.com")
    ben = make_tenant(name="Ben Ali", email="ben@example.com")
    cleo = make_tenant(name="Cleo Okafor", email="cleo@example.com")
    first = {"first_day": date(2027, 1, 1)}
    alone = make_lease(tenant_ids=[hanna], **first)
    joint = make_lease(tenant_ids=[hanna, ben], rent=50_000, **first)
    next_door = make_lease(tenant_ids=[cleo], rent=77_700, **first)
    with acting_for(home.other_organization):
        make_lease(rent=99_900, **first)
        run(date(2027, 3, 1))
    run(date(2027, 3, 1))
    paid = pay(alone, 150_000, date(2027, 2, 3))
    pay(next_door, 77_700, date(2027, 2, 3))
    return House(hanna, ben, cleo, alone, joint, next_door, paid)


def invite(app: Flask, mona: FlaskClient, tenant_id: int, email: str) -> FlaskClient:
    """The tenant's own browser, after they chose a password by their link and signed in."""
    answer = mona.post("/portal/invitations", data={"tenant_id": tenant_id})
    assert answer.status_code == 200, answer.text
    found = re.search(r'value="http://localhost(/password/[^"]+)"', answer.text)
    assert found is not None
    client = app.test_client()
    chosen = client.post(found[1], data={"password": PASSWORD, "repeat": PASSWORD})
    assert chosen.status_code == 303, chosen.text
    assert client.post("/login", data={"email": email, "password": PASSWORD}).status_code == 303
    return client


@pytest.fixture
def hanna(app: Flask, mona: FlaskClient, house: House) -> FlaskClient:
    return invite(app, mona, house.hanna, "hanna@example.com")


def ids(**where: object) -> list[int]:
    return list(db.session.scalars(select(Invoice.id).filter_by(**where)))


def test_a_tenant_sees_balance_invoices_and_payments(hanna: FlaskClient, house: House) -> None:
    text = hanna.get("/portal/").text
    assert "€3,000.00" in text  # 3 × 1,000 + 3 × 500, less 1,500 paid
    assert "Your account" in text
    assert "Administration" not in text
    assert hanna.get("/portal/invoices/").text.count("row-link") == 6
    payments = hanna.get("/portal/payments/").text
    assert "€1,500.00" in payments
    assert "€777.00" not in payments


def test_a_tenant_opens_an_invoice_and_its_pdf(hanna: FlaskClient, house: House) -> None:
    first = ids(lease_id=house.joint)[0]
    text = hanna.get(f"/portal/invoices/{first}").text
    assert "How to pay" in text
    assert "Ben Ali" not in text
    answer = hanna.get(f"/portal/invoices/{first}.pdf")
    assert answer.content_type == "application/pdf"
    assert answer.data.startswith(b"%PDF-")


def test_nothing_of_anybody_else_whatever_number_is_asked_for(
    hanna: FlaskClient, house: House
) -> None:
    db.session.rollback()
    own = {*ids(lease_id=house.alone), *ids(lease_id=house.joint)}
    every = db.session.scalars(select(Invoice.id).execution_options(everywhere=True)).all()
    assert len(every) > len(own) + 3
    for invoice_id in range(max(every) + 3):
        status = 200 if invoice_id in own else 404
        assert hanna.get(f"/portal/invoices/{invoice_id}").status_code == status
        assert hanna.get(f"/portal/invoices/{invoice_id}.pdf").status_code == status


def test_every_signatory_of_a_joint_lease_sees_it_and_only_it(
    app: Flask, mona: FlaskClient, house: House
) -> None:
    ben = invite(app, mona, house.ben, "ben@example.com")
    assert ben.get("/portal/invoices/").text.count("row-link") == 3
    for invoice_id in ids(lease_id=house.joint):
        assert ben.get(f"/portal/invoices/{invoice_id}").status_code == 200
    for invoice_id in ids(lease_id=house.alone):
        assert ben.get(f"/portal/invoices/{invoice_id}").status_code == 404
    assert "No payments yet" in ben.get("/portal/payments/").text


def test_one_who_left_sees_only_what_was_issued_before(
    app: Flask, mona: FlaskClient, house: House
) -> None:
    run(date(2027, 5, 1))
    begin_write()
    party = db.session.scalars(
        select(LeaseParty).filter_by(lease_id=house.joint, tenant_id=house.ben)
    ).one()
    party.left_on = date(2027, 3, 31)
    db.session.commit()
    before, after = ids(lease_id=house.joint)[:3], ids(lease_id=house.joint)[3:]
    assert after
    ben = invite(app, mona, house.ben, "ben@example.com")
    assert ben.get("/portal/invoices/").text.count("row-link") == 3
    assert {ben.get(f"/portal/invoices/{key}").status_code for key in before} == {200}
    assert {ben.get(f"/portal/invoices/{key}").status_code for key in after} == {404}
    assert "you left on" in ben.get("/portal/").text


def test_a_tenant_sees_a_late_fee_with_its_formula(hanna: FlaskClient, house: House) -> None:
    day = date(2027, 12, 2)
    begin_write()
    decide(LatePolicy(3, rate=5_000), today=day, actor=actor())
    db.session.commit()
    run(date(2028, 1, 1), date(2028, 1, 1))
    begin_write()
    fees = charge_late_invoices(today=date(2028, 1, 5), actor=actor()).fees
    db.session.commit()
    (own,) = [fee.id for fee in fees if fee.lease_id == house.alone]
    text = hanna.get(f"/portal/invoices/{own}").text
    assert "Late fee for" in text
    assert "5 % of 1,000.00 = 50.00" in text
    others = next(fee.id for fee in fees if fee.lease_id == house.next_door)
    assert hanna.get(f"/portal/invoices/{others}").status_code == 404


def test_a_tenant_sees_their_reminders_and_nobody_elses(hanna: FlaskClient, house: House) -> None:
    today = date(2028, 3, 1)
    assert "No reminder" in hanna.get("/portal/reminders/").text
    run(date(2028, 1, 1), date(2028, 1, 1))
    begin_write()
    set_levels(USUAL)
    made = make_reminders([house.alone, house.next_door], today=today, actor=actor())
    db.session.commit()
    own, others = (
        next(r.id for r in made if r.lease_id == at) for at in (house.alone, house.next_door)
    )
    assert f"/portal/reminders/{own}.pdf" in hanna.get("/portal/reminders/").text
    assert hanna.get(f"/portal/reminders/{own}.pdf").data.startswith(b"%PDF")
    assert f"/portal/reminders/{others}.pdf" not in hanna.get("/portal/reminders/").text
    assert hanna.get(f"/portal/reminders/{others}.pdf").status_code == 404


def test_a_credited_invoice_shows_its_credit_note(hanna: FlaskClient, house: House) -> None:
    begin_write()
    note = credit_invoice(ids(lease_id=house.alone)[2], "Billed twice", today=TODAY, actor=actor())
    db.session.commit()
    text = hanna.get(f"/portal/invoices/{note.id}").text
    assert "Credit note" in text
    assert "Billed twice" in text


def test_a_tenant_reaches_no_page_of_the_managers(hanna: FlaskClient, house: House) -> None:
    for address in ("/invoices/", "/invoices/1", "/invoices/1.pdf", "/tenants/", "/properties/"):
        assert hanna.get(address).status_code == 403
    assert hanna.get(f"/portal/tenants/{house.cleo}").status_code == 403
    answer = hanna.post("/portal/invitations", data={"tenant_id": house.cleo})
    assert answer.status_code == 403


def test_managers_and_strangers_have_no_portal(app: Flask, mona: FlaskClient, house: House) -> None:
    assert mona.get("/portal/").status_code == 403
    answer = app.test_client().get("/portal/")
    assert answer.status_code == 303
    assert answer.location.startswith("/login")


def test_access_ends_at_once_and_a_new_link_brings_it_back(
    app: Flask, mona: FlaskClient, hanna: FlaskClient, house: House
) -> None:
    assert "Signs in with" in mona.get(f"/portal/tenants/{house.hanna}").text
    assert mona.post(f"/portal/tenants/{house.hanna}/ending").status_code == 303
    assert hanna.get("/portal/").status_code == 303
    assert "Access ended" in mona.get(f"/portal/tenants/{house.hanna}").text
    again = invite(app, mona, house.hanna, "hanna@example.com")
    assert again.get("/portal/").status_code == 200


def test_who_cannot_be_invited_is_told_why(mona: FlaskClient, house: House) -> None:
    begin_write()
    db.session.get_one(Tenant, house.cleo).email = None
    db.session.commit()
    answer = mona.post("/portal/invitations", data={"tenant_id": house.cleo})
    assert answer.status_code == 303
    assert "has no e-mail address" in mona.get(answer.location).text
    begin_write()
    db.session.get_one(Tenant, house.cleo).email = "vera@example.com"
    db.session.commit()
    answer = mona.post("/portal/invitations", data={"tenant_id": house.cleo})
    assert "already has a login" in mona.get(answer.location).text


def test_another_organizations_manager_invites_nobody_here(sign_in: SignIn, house: House) -> None:
    charlie = sign_in("charlie")
    assert charlie.get(f"/portal/tenants/{house.hanna}").status_code == 404
    answer = charlie.post("/portal/invitations", data={"tenant_id": house.hanna})
    assert answer.status_code == 404
    assert charlie.post(f"/portal/tenants/{house.hanna}/ending").status_code == 404


def test_a_tenant_without_a_lease_sees_an_account_without_anything(
    app: Flask, mona: FlaskClient, home: Cast
) -> None:
    newcomer = make_tenant(name="Nora New", email="nora@example.com")
    nora = invite(app, mona, newcomer, "nora@example.com")
    text = nora.get("/portal/").text
    assert "Nothing to pay" in text
    assert "There is no lease in your name yet" in text
    assert "No invoices yet" in nora.get("/portal/invoices/").text
