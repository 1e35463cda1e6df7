"""Receipts are recorded, split, allocated, and reversed with the books right after every step."""

from datetime import date

import pytest
from sqlalchemy import select

from proman.base.errors import Refused
from proman.billing.allocation import allocate_to_new, release
from proman.billing.credit import open_documents, standing_of, unused_credit
from proman.billing.models import Allocation
from proman.db import begin_write, db
from proman.identity.models import AuditEntry
from proman.ledger.queries import account_totals, lease_balance, statement
from proman.payments.actions import (
    NewPayment,
    PossibleDuplicate,
    RowRefused,
    Share,
    allocate_rest,
    record_payment,
    record_payments,
    release_allocation,
    reverse_payment,
)
from proman.payments.models import Payment
from proman.payments.queries import payment as payment_by_id
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, make_invoice, open_of

TODAY = date(2027, 4, 20)
DAY = date(2027, 3, 2)


def receive(lease_id: int, amount: int, on: date = DAY, **changes: object) -> Payment:
    share = Share(lease_id, amount, **changes)  # type: ignore[arg-type]
    begin_write()
    new = NewPayment(on, "transfer", f"R {lease_id} {amount}", (share,))
    (payment,) = record_payment(new, today=TODAY, actor=actor(), confirmed=True)
    db.session.commit()
    return payment


def bounce(payment_id: int, on: date = TODAY) -> None:
    begin_write()
    reverse_payment(payment_by_id(payment_id), on, "No funds", today=TODAY, actor=actor())
    db.session.commit()


def test_fifteen_hundred_pays_a_and_later_b_and_a_bounce_opens_both(home: Cast) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000)
    payment_id = receive(lease_id, 150_000).id
    assert open_of(a) == [0]
    assert unused_credit(lease_id) == 50_000
    b = make_invoice(lease_id, 50_000, due=date(2027, 4, 1), issued=date(2027, 3, 27))
    begin_write()
    assert allocate_to_new([(b, lease_id)], actor=actor()) == 1
    db.session.commit()
    assert open_of(a, b) == [0, 0]
    assert lease_balance(lease_id) == (0, 0)
    days = db.session.scalars(select(Allocation.effective_on).order_by(Allocation.id)).all()
    assert days == [DAY, date(2027, 3, 27)]
    bounce(payment_id)
    assert open_of(a, b) == [100_000, 50_000]
    assert lease_balance(lease_id) == (150_000, 0)
    assert [d.due_date for d in open_documents(lease_id)] == [date(2027, 3, 1), date(2027, 4, 1)]
    assert account_totals()["bank"] == 0


def test_a_part_then_the_rest(home: Cast) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000)
    receive(lease_id, 40_000)
    assert open_of(a) == [60_000]
    receive(lease_id, 60_000, date(2027, 3, 9))
    assert open_of(a) == [0]
    assert lease_balance(lease_id, on=date(2027, 3, 8)).balance == 60_000
    assert lease_balance(lease_id, on=date(2027, 3, 9)).balance == 0
    rows = statement(lease_id, date(2027, 3, 1), TODAY)
    assert [(row.event, row.amount) for row in rows] == [
        ("invoice", 100_000),
        ("payment", -40_000),
        ("payment", -60_000),
    ]


def test_by_hand_some_may_stay_credit(home: Cast) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000)
    b = make_invoice(lease_id, 100_000, due=date(2027, 4, 1))
    payment = receive(lease_id, 100_000, invoices={b: 70_000, a: 0})
    assert open_of(a, b) == [100_000, 30_000]
    assert unused_credit(lease_id) == 30_000
    begin_write()
    assert allocate_rest(payment_by_id(payment.id), None, actor=actor()) == 30_000
    db.session.commit()
    assert open_of(a, b) == [70_000, 30_000]


def test_too_much_by_hand_records_nothing(home: Cast) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000)
    begin_write()
    share = Share(lease_id, 50_000, invoices={a: 60_000})
    with pytest.raises(Refused, match="more than there is"):
        record_payment(NewPayment(DAY, "transfer", "x", (share,)), today=TODAY, actor=actor())
    db.session.rollback()
    assert db.session.scalars(select(Payment)).all() == []
    assert open_of(a) == [100_000]


def test_one_receipt_for_two_leases_bounces_as_one(home: Cast) -> None:
    one, two = make_lease(), make_lease()
    a, b = make_invoice(one), make_invoice(two)
    begin_write()
    shares = (Share(one, 100_000), Share(two, 90_000))
    new = NewPayment(DAY, "transfer", "both", shares)
    first, second = record_payment(new, today=TODAY, actor=actor())
    db.session.commit()
    assert first.payment_group == second.payment_group
    assert open_of(a, b) == [0, 10_000]
    bounce(second.id)
    assert open_of(a, b) == [100_000, 100_000]
    assert payment_by_id(first.id).reversal is not None


def test_the_same_reference_date_and_amount_ask(home: Cast) -> None:
    lease_id = make_lease()
    new = NewPayment(DAY, "cash", "Rent March", (Share(lease_id, 100),))
    begin_write()
    first = record_payment(new, today=TODAY, actor=actor())[0].id
    db.session.commit()
    begin_write()
    with pytest.raises(PossibleDuplicate) as asked:
        record_payment(new, today=TODAY, actor=actor())
    assert asked.value.payment_id == first
    assert record_payment(new, today=TODAY, actor=actor(), confirmed=True)
    db.session.commit()


def test_a_reversed_payment_does_not_ask(home: Cast) -> None:
    lease_id = make_lease()
    bounce(receive(lease_id, 100).id)
    begin_write()
    new = NewPayment(DAY, "transfer", f"R {lease_id} 100", (Share(lease_id, 100),))
    assert record_payment(new, today=TODAY, actor=actor())


def test_a_batch_is_recorded_whole_or_not_at_all(home: Cast) -> None:
    lease_id = make_lease()
    good = NewPayment(DAY, "cash", "1", (Share(lease_id, 100),))
    bad = NewPayment(date(2027, 4, 21), "cash", "2", (Share(lease_id, 100),))
    begin_write()
    with pytest.raises(RowRefused) as refused:
        record_payments([good, bad], today=TODAY, actor=actor(), confirmed=frozenset())
    db.session.rollback()
    assert (refused.value.place, refused.value.field) == (1, "received_on")
    assert db.session.scalars(select(Payment)).all() == []


def test_a_double_within_a_batch_asks(home: Cast) -> None:
    lease_id = make_lease()
    one = NewPayment(DAY, "cash", "1", (Share(lease_id, 100),))
    begin_write()
    with pytest.raises(RowRefused) as refused:
        record_payments([one, one], today=TODAY, actor=actor(), confirmed=frozenset())
    assert isinstance(refused.value.refusal, PossibleDuplicate)
    db.session.rollback()
    begin_write()
    done = record_payments([one, one], today=TODAY, actor=actor(), confirmed=frozenset({1}))
    db.session.commit()
    assert len(done) == 2


def test_another_organizations_lease_is_not_there(home: Cast, app: object) -> None:
    begin_write()
    new = NewPayment(DAY, "cash", "1", (Share(4711, 100),))
    with pytest.raises(Refused, match="no such lease"):
        record_payment(new, today=TODAY, actor=actor())


def test_a_payment_is_reversed_once(home: Cast) -> None:
    payment = receive(make_lease(), 100)
    bounce(payment.id)
    with pytest.raises(Refused, match="already"):
        bounce(payment.id)


def test_a_credit_note_releases_what_was_paid_and_the_credit_pays_another(home: Cast) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000)
    payment = receive(lease_id, 100_000)
    begin_write()
    release(a, 30_000, date(2027, 3, 15), actor=actor())
    db.session.commit()
    assert open_of(a) == [30_000]
    assert [paid.amount for paid in standing_of(payment.id)] == [70_000]
    b = make_invoice(lease_id, 20_000, due=date(2027, 3, 5))
    begin_write()
    allocate_to_new([(b, lease_id)], actor=actor())
    db.session.commit()
    day = db.session.scalars(select(Allocation.effective_on).where(Allocation.invoice_id == b))
    assert day.one() == date(2027, 3, 15)
    for number in range(1, 32):
        assert lease_balance(lease_id, on=date(2027, 3, number)).credit >= 0
    bounce(payment.id, date(2027, 3, 10))
    assert payment_by_id(payment.id).reversal.reversed_on == date(2027, 3, 15)  # type: ignore[union-attr]
    for number in range(1, 32):
        assert lease_balance(lease_id, on=date(2027, 3, number)).credit >= 0


def test_an_allocation_is_put_elsewhere(home: Cast) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 50_000)
    b = make_invoice(lease_id, 50_000, due=date(2027, 4, 1))
    payment = receive(lease_id, 50_000)
    (paid,) = standing_of(payment.id)
    begin_write()
    assert release_allocation(payment, paid.allocation_id, today=TODAY, actor=actor()) == 50_000
    allocate_rest(payment, {b: 50_000}, actor=actor())
    db.session.commit()
    assert open_of(a, b) == [50_000, 0]
    begin_write()
    trail = select(AuditEntry.action, AuditEntry.before, AuditEntry.after)
    rows = db.session.execute(trail.where(AuditEntry.subject_type == "payments")).all()
    assert [tuple(row) for row in rows[-2:]] == [
        ("released", {f"invoice {a}": 50_000}, None),
        ("allocated", None, {f"invoice {b}": 50_000}),
    ]
    with pytest.raises(Refused, match="already"):
        release_allocation(payment, paid.allocation_id, today=TODAY, actor=actor())


def test_as_known_then(home: Cast) -> None:
    lease_id = make_lease()
    make_invoice(lease_id, 100_000)
    receive(lease_id, 40_000)
    known = statement(lease_id, DAY, DAY)[-1].recorded_at
    receive(lease_id, 10_000)
    assert lease_balance(lease_id, known_at=known).balance == 60_000
    assert lease_balance(lease_id, on=DAY).balance == 50_000
    assert lease_balance(lease_id, on=date(2027, 3, 1)).balance == 100_000
