"""A deposit is a liability: requested under its own number, received only when named, held."""

from datetime import date

import pytest
from sqlalchemy import select

from proman.app import MIGRATIONS
from proman.base.errors import NotThere, Refused
from proman.billing.deposits import (
    deposit_history,
    deposit_of,
    request_deposit,
    take_over_deposit,
)
from proman.billing.models import DepositEvent, Invoice
from proman.database.revisions import head_revision
from proman.db import begin_write, db
from proman.doctor import examine
from proman.ledger.actions import Concerning, post
from proman.ledger.queries import account_totals, lease_balance
from proman.payments.actions import NewPayment, Share, record_payment, reverse_payment
from proman.payments.queries import payment as payment_by_id
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, make_invoice, open_of

TODAY = date(2027, 4, 20)


def request(lease_id: int, amount: int = 200_000) -> int:
    begin_write()
    issued = request_deposit(lease_id, amount, TODAY, today=TODAY, actor=actor())
    db.session.commit()
    return issued.id


def pay(lease_id: int, amount: int, deposits: dict[int, int] | None = None) -> int:
    begin_write()
    share = Share(lease_id, amount, deposits=deposits or {})
    new = NewPayment(TODAY, "transfer", "", (share,))
    made = record_payment(new, today=TODAY, actor=actor(), confirmed=True)[0].id
    db.session.commit()
    return made


def content() -> bool:
    db.session.rollback()
    with db.engine.connect() as connection:
        found = examine(connection, head_revision(MIGRATIONS))
    return [b for b in found if "Numbers" not in b.invariant] == []


def test_a_request_has_its_own_kind_series_and_number(home: Cast) -> None:
    lease_id = make_lease(deposit=200_000)
    assert deposit_of(lease_id).to_request == 200_000
    request_id = request(lease_id)
    document = db.session.scalars(select(Invoice).where(Invoice.id == request_id)).one()
    assert (document.kind, document.number, document.tax) == ("deposit_request", "DR-2027-00001", 0)
    assert (document.open, document.due_date) == (200_000, TODAY)
    deposit = deposit_of(lease_id)
    assert (deposit.requested, deposit.outstanding, deposit.held) == (200_000, 200_000, 0)
    assert deposit.to_request == 0
    assert account_totals() == {"receivable": 200_000, "deposits_requested": -200_000}
    assert content()


def test_it_is_never_filled_by_the_oldest_first(home: Cast) -> None:
    lease_id = make_lease()
    request_id = request(lease_id)
    invoice = make_invoice(lease_id, 100_000, due=TODAY)
    pay(lease_id, 250_000)
    assert open_of(request_id, invoice) == [200_000, 0]
    assert lease_balance(lease_id) == (200_000, 150_000)
    assert content()


def test_it_is_received_on_its_own_line_and_held(home: Cast) -> None:
    lease_id = make_lease()
    request_id = request(lease_id)
    invoice = make_invoice(lease_id, 100_000, due=TODAY)
    pay(lease_id, 250_000, {request_id: 150_000})
    assert open_of(request_id, invoice) == [50_000, 0]
    deposit = deposit_of(lease_id)
    assert (deposit.outstanding, deposit.held) == (50_000, 150_000)
    totals = account_totals()
    assert totals["deposits_held"] == -150_000
    assert totals["income"] == -100_000
    events = [(row.event, row.amount) for row in deposit_history(lease_id)]
    assert events == [("requested", 200_000), ("received", 150_000)]
    assert content()


def test_a_bounce_takes_it_back(home: Cast) -> None:
    lease_id = make_lease()
    request_id = request(lease_id)
    payment_id = pay(lease_id, 200_000, {request_id: 200_000})
    begin_write()
    reverse_payment(payment_by_id(payment_id), TODAY, "No funds", today=TODAY, actor=actor())
    db.session.commit()
    assert open_of(request_id) == [200_000]
    assert deposit_of(lease_id).held == 0
    assert deposit_history(lease_id)[-1].amount == -200_000
    assert content()


def test_a_deposit_that_is_not_held_any_more_keeps_its_payment(home: Cast) -> None:
    lease_id = make_lease()
    request_id = request(lease_id)
    payment_id = pay(lease_id, 200_000, {request_id: 200_000})
    begin_write()
    post("deposit_returned", TODAY, Concerning(lease_id), actor=actor(), amount=1)
    returned = DepositEvent(lease_id=lease_id, event="returned", happened_on=TODAY, amount=1)
    db.session.add(returned)
    db.session.commit()
    assert content()
    begin_write()
    with pytest.raises(Refused, match="returned or withheld"):
        reverse_payment(payment_by_id(payment_id), TODAY, "No", today=TODAY, actor=actor())


def test_a_deposit_taken_over_is_held_at_once(home: Cast) -> None:
    lease_id = make_lease(deposit=90_000)
    begin_write()
    take_over_deposit(lease_id, 90_000, date(2027, 3, 31), actor=actor())
    db.session.commit()
    deposit = deposit_of(lease_id)
    assert (deposit.held, deposit.to_request) == (90_000, 0)
    assert account_totals() == {"opening_balances": 90_000, "deposits_held": -90_000}
    assert content()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"amount": 0}, "amount"), ({"due_on": date(2027, 4, 19)}, "due_on")],
)
def test_what_cannot_be_requested(home: Cast, changes: dict[str, object], field: str) -> None:
    lease_id = make_lease()
    wanted: dict[str, object] = {"amount": 1, "due_on": TODAY} | changes
    begin_write()
    with pytest.raises(Refused) as refused:
        request_deposit(lease_id, **wanted, today=TODAY, actor=actor())  # type: ignore[arg-type]
    assert refused.value.field == field


def test_neither_of_an_ended_lease_nor_of_none(home: Cast) -> None:
    ended = make_lease(status="ended", ended_on=date(2027, 1, 1))
    begin_write()
    with pytest.raises(Refused, match="ended"):
        request_deposit(ended, 1, TODAY, today=TODAY, actor=actor())
    with pytest.raises(NotThere):
        request_deposit(4711, 1, TODAY, today=TODAY, actor=actor())


def test_a_form_sent_twice_asks_for_one_deposit(home: Cast) -> None:
    lease_id = make_lease(deposit=200_000)
    request(lease_id)
    with pytest.raises(Refused, match="DR-2027-00001"):
        request(lease_id)
    request(lease_id, 50_000)
    assert len(db.session.scalars(select(Invoice)).all()) == 2
