"""An invoice is credited in part, or in full and billed again by the terms as they are now."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing.again import bill_again, what_again
from proman.billing.crediting import credit_invoice, creditable
from proman.billing.models import BilledPeriod, Invoice
from proman.db import begin_write, db, utc_now
from proman.leases.models import Lease, Rent
from proman.ledger.queries import lease_balance
from tests.billing.books import breaches, invoices, pay, run
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

pytestmark = pytest.mark.engines
FIRST, TODAY = date(2027, 1, 1), date(2027, 3, 20)


@pytest.fixture
def lease(home: Cast) -> int:
    """1,000.00 a month and parking of 100.05 at 19 %, billed for January to March."""
    parking = {"description": "Parking", "amount": 10_005, "tax_rate": 19_000}
    lease_id = make_lease(first_day=FIRST, charges=[parking])
    run(TODAY, today=TODAY)
    return lease_id


def credit(invoice_id: int, amounts: dict[int, int] | None = None) -> int:
    begin_write()
    note = credit_invoice(invoice_id, "Agreed", today=TODAY, actor=actor(), amounts=amounts)
    db.session.commit()
    return note.total


def again(invoice_id: int) -> int:
    begin_write()
    issued = bill_again(invoice_id, today=TODAY, actor=actor())
    db.session.commit()
    return issued.id


def lines_of(invoice_id: int) -> list[int]:
    return [line.of.line_id for line in creditable(invoice_id).lines]


def test_three_parts_of_a_line_bear_its_whole_tax(lease: int) -> None:
    invoice = invoices(kind="invoice")[0].id
    parking = lines_of(invoice)[1]
    # 100.05 at 19 % bears 19.01; three credits of 33.35: 6.34, 6.34, 6.33 (rules.md, Invoice).
    assert [credit(invoice, {parking: 3_335}) - 3_335 for _ in range(3)] == [634, 634, 633]
    with pytest.raises(Refused, match="no line"):
        credit(invoice, {parking: 1})
    db.session.rollback()
    assert lines_of(invoice) != [parking]
    assert breaches() == []


def test_more_than_is_left_is_refused_beside_its_line(lease: int) -> None:
    invoice = invoices(kind="invoice")[0].id
    rent = lines_of(invoice)[0]
    for amounts, field in (
        ({rent: 100_001}, f"line-{rent}"),
        ({rent: -1}, f"line-{rent}"),
        ({987_654: 1}, "line-987654"),
        ({rent: 0}, None),
    ):
        with pytest.raises(Refused) as refused:
            credit(invoice, amounts)
        assert refused.value.field == field
        db.session.rollback()
    pay(lease, 130_000, TODAY)
    assert credit(invoice, {rent: 25_000}) == 25_000
    assert lease_balance(lease).credit == 25_000
    assert breaches() == []


def test_credited_in_full_it_is_billed_again_by_the_new_terms_on_its_own_due_date(
    lease: int,
) -> None:
    february = invoices(kind="invoice")[1]
    due, invoice = february.due_date, february.id
    with pytest.raises(Refused, match="in full"):
        what_again(invoice, today=TODAY)
    pay(lease, 3 * february.total, TODAY)
    credit(invoice)
    begin_write()
    db.session.add(Rent(lease_id=lease, effective_from=date(2027, 2, 1), amount=90_000))
    db.session.commit()
    assert run(TODAY, today=TODAY).issued == ()
    new = db.session.get_one(Invoice, again(invoice))
    assert (new.due_date, new.period_start, new.period_end) == (
        due,
        date(2027, 2, 1),
        date(2027, 2, 28),
    )
    assert new.net == 90_000 + 10_005
    assert new.open == 0
    assert run(TODAY, today=TODAY).issued == ()
    with pytest.raises(Refused, match="again already"):
        again(invoice)
    db.session.rollback()
    credit(new.id)
    third = again(new.id)
    kept = select(BilledPeriod.repetition).where(BilledPeriod.invoice_id == third)
    assert set(db.session.scalars(kept)) == {2}
    assert run(TODAY, today=TODAY).issued == ()
    assert breaches() == []


def test_what_is_not_billed_any_more_is_not_billed_again(lease: int) -> None:
    march = invoices(kind="invoice")[2].id
    credit(march)
    begin_write()
    found = db.session.get_one(Lease, lease)
    found.status, found.ended_on = "ended", date(2027, 2, 28)
    db.session.commit()
    with pytest.raises(Refused, match="nothing is to be billed"):
        again(march)
    db.session.rollback()
    with pytest.raises(NotThere):
        again(987_654)


def test_on_the_page_less_is_credited_then_all_and_billed_again(
    home: Cast, mona: FlaskClient
) -> None:
    today = utc_now().date()
    lease_id = make_lease(first_day=today.replace(day=1))
    run(today, today=today)
    invoice = db.session.scalars(select(Invoice.id).where(Invoice.lease_id == lease_id)).all()[0]
    here, rent = f"/invoices/{invoice}", lines_of(invoice)[0]
    assert 'value="1000.00"' in mona.get(f"{here}/credit").text
    wrong = mona.post(f"{here}/credit", data={"reason": "x", f"line-{rent}": "1000.01"})
    assert wrong.status_code == 422
    assert f'id="line-{rent}-error"' in wrong.text
    empty = mona.post(f"{here}/credit", data={"reason": "x", f"line-{rent}": ""})
    assert empty.status_code == 422
    part = mona.post(f"{here}/credit", data={"reason": "Heating", f"line-{rent}": "50"})
    assert part.status_code == 303
    assert 'value="950.00"' in mona.get(f"{here}/credit").text
    assert mona.post(f"{here}/credit", data={"reason": "Wrong"}).status_code == 303
    assert f"{here}/again" in mona.get(here).text
    assert "for the whole period" in mona.get(f"{here}/again").text
    answer = mona.post(f"{here}/again")
    assert answer.status_code == 303
    assert "In place of" in mona.get(answer.headers["Location"]).text
    assert mona.post(f"{here}/again").status_code == 422
