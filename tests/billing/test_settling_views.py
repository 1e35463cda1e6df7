"""The pages that write off, refund, withhold and return: filled in, refused, carried out."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.billing.credit import unused_credit
from proman.billing.deposits import deposit_of, take_over_deposit
from proman.billing.models import Adjustment, DepositEvent, Invoice
from proman.db import begin_write, db, utc_now
from proman.ledger.queries import account_totals
from tests.billing.books import pay, run
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, open_of

TODAY = utc_now().date()
DUE = TODAY - timedelta(days=30)
GIVEN = {"on": TODAY.isoformat(), "reason": "Agreed with Hanna"}


@pytest.fixture
def lease(home: Cast) -> int:
    """A lease of 1,000.00 a month since the first of this month."""
    return make_lease(first_day=TODAY.replace(day=1))


def billed(lease_id: int) -> int:
    """The lease's first invoice, of 1,000.00."""
    run(TODAY, today=TODAY)
    return db.session.scalars(select(Invoice.id).where(Invoice.lease_id == lease_id)).all()[0]


def held_of(lease_id: int) -> int:
    db.session.rollback()
    return deposit_of(lease_id).held


def errors_of(page: str) -> set[str]:
    return {str(one["id"]) for one in BeautifulSoup(page, "lxml").select(".field-error[id]")}


def newest(model: type[Adjustment] | type[DepositEvent]) -> int:
    db.session.rollback()
    return db.session.scalars(select(model.id).order_by(model.id.desc())).first() or 0


def test_an_invoice_is_written_off_and_the_write_off_taken_back(
    lease: int, mona: FlaskClient
) -> None:
    invoice = billed(lease)
    here = f"/billing/invoices/{invoice}/write-off"
    assert here in mona.get(f"/invoices/{invoice}").text
    assert 'value="1000.00"' in mona.get(here).text
    wrong = mona.post(here, data=GIVEN | {"amount": "2000", "reason": ""})
    assert wrong.status_code == 422
    assert errors_of(wrong.text) == {"reason-error"}
    wrong = mona.post(here, data=GIVEN | {"amount": "2000"})
    assert errors_of(wrong.text) == {"amount-error"}
    done = mona.post(here, data=GIVEN | {"amount": "1000"})
    assert done.headers["Location"] == f"/invoices/{invoice}"
    page = mona.get(f"/invoices/{invoice}").text
    assert "Written off" in page
    assert "Agreed with Hanna" in page
    assert f'/invoices/{invoice}"' in mona.get("/invoices/?state=written_off").text
    assert f'/invoices/{invoice}"' not in mona.get("/invoices/?state=paid").text
    back = f"/billing/adjustments/{newest(Adjustment)}/reversal"
    assert back in page
    assert mona.post(back, data=GIVEN | {"on": ""}).status_code == 422
    assert mona.post(back, data=GIVEN).headers["Location"] == f"/invoices/{invoice}"
    db.session.rollback()
    assert open_of(invoice) == [100_000]


def test_credit_is_refunded_from_the_leases_page(lease: int, mona: FlaskClient) -> None:
    here = f"/billing/leases/{lease}/refunds"
    account = f"/billing/leases/{lease}/account"
    assert f"{here}/new" not in mona.get(account).text
    pay(lease, 30_000, DUE)
    assert f"{here}/new" in mona.get(account).text
    assert 'value="300.00"' in mona.get(f"{here}/new").text
    assert errors_of(mona.post(here, data=GIVEN | {"amount": "300.01"}).text) == {"amount-error"}
    assert mona.post(here, data=GIVEN | {"amount": "120"}).status_code == 303
    assert unused_credit(lease) == 18_000
    assert "Refund" in mona.get(f"/reports/statements/{lease}").text


def test_a_deposit_is_withheld_and_returned_and_that_taken_back(
    lease: int, mona: FlaskClient
) -> None:
    begin_write()
    take_over_deposit(lease, 200_000, DUE, actor=actor())
    db.session.commit()
    damage = billed(lease)
    here = f"/billing/leases/{lease}/deposit/outcome"
    assert here in mona.get(f"/billing/leases/{lease}/deposit").text
    wrong = mona.post(here, data=GIVEN | {f"withheld-{damage}": "1001", "returned": "1"})
    assert wrong.status_code == 422
    assert errors_of(wrong.text) == {f"withheld-{damage}-error"}
    assert 'value="1001"' in wrong.text
    typed = GIVEN | {f"withheld-{damage}": "250", "returned": "1760", "interest": "10"}
    assert mona.post(here, data=typed).headers["Location"] == f"/leases/{lease}"
    assert held_of(lease) == 0
    assert "Withheld from the deposit" in mona.get(f"/invoices/{damage}").text
    event = newest(DepositEvent)
    back = f"/billing/leases/{lease}/deposit/events/{event}/reversal"
    assert back in mona.get(f"/billing/leases/{lease}/deposit").text
    elsewhere = back.replace(f"leases/{lease}/", "leases/987654/")
    assert mona.post(elsewhere, data=GIVEN).status_code == 404
    assert mona.post(back, data=GIVEN).status_code == 303
    assert held_of(lease) == 176_000
    assert back not in mona.get(f"/billing/leases/{lease}/deposit").text


def test_the_report_of_deposits_is_the_liability(lease: int, mona: FlaskClient) -> None:
    other = make_lease()
    begin_write()
    for amount, one in ((100_000, lease), (45_678, other)):
        take_over_deposit(one, amount, DUE, actor=actor())
    db.session.commit()
    page = mona.get("/reports/deposits").text
    assert account_totals()["deposits_held"] == -145_678
    assert "€1,456.78" in page
    assert f'href="/leases/{lease}"' in page
    before = (DUE - timedelta(days=1)).isoformat()
    assert "No deposit is held" in mona.get(f"/reports/deposits?as_of={before}").text
    assert "456.78" in mona.get("/reports/deposits.csv").text
