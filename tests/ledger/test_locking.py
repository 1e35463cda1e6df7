"""Nothing is written behind the lock: by no writer, at no moment, on no engine."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from proman.base.errors import Refused
from proman.billing.deposits import take_over_deposit
from proman.billing.models import Allocation
from proman.db import begin_write, db, utc_now
from proman.expenses.models import Expense
from proman.ledger.actions import Concerning, Event, post, post_many, reverse
from proman.ledger.locking import (
    BooksLocked,
    decisions,
    first_open,
    lock_books,
    locked_through,
    open_books,
)
from proman.ledger.models import Entry, PeriodLock
from proman.payments.actions import NewPayment, Share, allocate_rest, record_payment
from proman.payments.queries import payment as payment_by_id
from tests.billing.books import breaches, pay
from tests.billing.test_concurrency import at_once
from tests.conftest import Cast
from tests.factories import make_expense, make_lease, make_property
from tests.money import actor, make_invoice
from tests.payments.test_views import reference_of

TODAY = utc_now().date()
YESTERDAY = TODAY - timedelta(days=1)
LOCKED = TODAY - timedelta(days=30)
PAGE = "/admin/organization/books"


def lock(through: date, reason: str = "") -> None:
    begin_write()
    lock_books(through, reason, today=TODAY, actor=actor())
    db.session.commit()


def entries() -> int:
    db.session.rollback()
    return db.session.execute(select(func.count(Entry.id))).scalar_one()


@pytest.mark.engines
def test_no_way_of_writing_goes_behind_the_lock(home: Cast) -> None:
    lease_id, about = make_lease(), Concerning(property_id=make_property())
    begin_write()
    spent = post("expense", LOCKED, about, actor=actor(), amount=100)
    db.session.commit()
    lock(LOCKED)
    before = entries()
    mixed = [Event("expense", day, {"amount": 100}, about) for day in (TODAY, LOCKED, YESTERDAY)]
    writers: list[Callable[[], object]] = [
        lambda: post("expense", LOCKED, about, actor=actor(), amount=100),
        lambda: post_many(mixed, actor=actor()),
        lambda: reverse(spent, LOCKED, event="expense_reversal", actor=actor()),
        lambda: take_over_deposit(lease_id, 100, LOCKED - timedelta(days=99), actor=actor()),
    ]
    for write in writers:
        begin_write()
        with pytest.raises(BooksLocked, match="The books are locked up to"):
            write()
        assert entries() == before
    begin_write()
    reverse(spent, LOCKED + timedelta(days=1), event="expense_reversal", actor=actor())
    db.session.commit()
    assert entries() == before + 1
    assert breaches() == []


def test_what_the_day_follows_from_is_dated_on_the_first_open_day(home: Cast) -> None:
    lease_id = make_lease()
    payment = pay(lease_id, 50_000, LOCKED - timedelta(days=5))
    invoice = make_invoice(lease_id, 80_000, due=LOCKED - timedelta(days=3))
    lock(LOCKED)
    begin_write()
    assert allocate_rest(payment_by_id(payment), {invoice: 50_000}, actor=actor()) == 50_000
    db.session.commit()
    days = db.session.scalars(select(Allocation.effective_on)).all()
    assert days == [LOCKED + timedelta(days=1)] == [first_open(LOCKED)]
    # The invoices of this test have numbers of their own.
    assert [b for b in breaches() if b.invariant != "Numbers have no gap"] == []


def test_days_are_opened_with_a_reason_only(home: Cast) -> None:
    lock(LOCKED)
    earlier = LOCKED - timedelta(days=10)
    refused: list[tuple[Callable[[], object], str | None]] = [
        (lambda: lock_books(TODAY, "", today=TODAY, actor=actor()), "through"),
        (lambda: lock_books(LOCKED, "", today=TODAY, actor=actor()), "through"),
        (lambda: lock_books(earlier, "  ", today=TODAY, actor=actor()), "reason"),
        (lambda: open_books("", actor=actor()), "reason"),
    ]
    for decide, field in refused:
        begin_write()
        with pytest.raises(Refused) as told:
            decide()
        assert told.value.field == field
        db.session.rollback()
    lock(earlier, "The bank corrected a date")
    assert locked_through() == earlier
    begin_write()
    open_books("The audit begins anew", actor=actor())
    db.session.commit()
    assert locked_through() is None
    assert first_open(earlier) == earlier
    assert [each.reason for each, _ in decisions()] == [
        "The audit begins anew", "The bank corrected a date", "",
    ]  # fmt: skip
    begin_write()
    with pytest.raises(Refused, match="open already"):
        open_books("Again", actor=actor())


@pytest.mark.engines
def test_while_the_lock_is_set_no_entry_slips_in(app: Flask, home: Cast) -> None:
    about = Concerning(property_id=make_property())

    def spend() -> int:
        written = 0
        for _ in range(20):
            begin_write()
            try:
                post("expense", LOCKED, about, actor=actor(), amount=100)
            except BooksLocked:
                db.session.rollback()
            else:
                db.session.commit()
                written += 1
        return written

    def close() -> int:
        lock(LOCKED)
        return 0

    results = at_once(app, home.organization, [spend, spend, close, spend])
    assert [each for each in results if not isinstance(each, int)] == []
    assert entries() == sum(each for each in results if isinstance(each, int))
    decided = db.session.scalars(select(PeriodLock)).one()
    newest = db.session.scalar(select(func.max(Entry.id))) or 0
    assert newest == decided.newest_entry_id
    assert breaches() == []


DAYS = st.integers(1, 60).map(lambda back: TODAY - timedelta(days=back))
STEPS = st.lists(st.tuples(st.sampled_from(["lock", "open", "spend"]), DAYS), max_size=12)


@given(STEPS)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_newest_decision_alone_rules_and_the_doctor_agrees(
    home: Cast, steps: list[tuple[str, date]]
) -> None:
    about, through = Concerning(), locked_through()
    for step, day in steps:
        begin_write()
        is_done = True
        try:
            if step == "lock":
                lock_books(day, "Because", today=TODAY, actor=actor())
            elif step == "open":
                open_books("Because", actor=actor())
            else:
                post("expense", day, about, actor=actor(), amount=1)
        except Refused:
            db.session.rollback()
            is_done = False
        else:
            db.session.commit()
        expected = {"lock": day != through, "open": through is not None}
        assert is_done == expected.get(step, through is None or day > through)
        if step != "spend" and is_done:
            through = day if step == "lock" else None
        assert locked_through() == through
    assert breaches() == []


def test_the_doctor_finds_what_went_behind_the_lock(home: Cast) -> None:
    about = Concerning()
    begin_write()
    post("expense", LOCKED, about, actor=actor(), amount=1)
    db.session.commit()
    lock(LOCKED)
    begin_write()
    inside = post("expense", TODAY, about, actor=actor(), amount=1)
    db.session.commit()
    assert breaches() == []
    begin_write()
    change = text("UPDATE entries SET effective_on = :day WHERE id = :id")
    db.session.connection().execute(change, {"day": LOCKED, "id": inside})
    db.session.commit()
    (found,) = breaches()
    assert (found.invariant, found.where) == (
        "Nothing is dated in a period after it was locked",
        f"entry {inside}",
    )


def errors_of(page: str) -> set[str]:
    return {str(one["id"]) for one in BeautifulSoup(page, "lxml").select(".field-error[id]")}


def test_an_administrator_locks_and_opens_on_the_page(
    home: Cast, alice: FlaskClient, mona: FlaskClient
) -> None:
    assert mona.get(PAGE).status_code == 403
    assert mona.post(PAGE, data={"through": LOCKED.isoformat()}).status_code == 403
    assert "Never locked" in alice.get(PAGE).text
    wrong = alice.post(PAGE, data={"through": TODAY.isoformat()})
    assert (wrong.status_code, errors_of(wrong.text)) == (422, {"through-error"})
    assert alice.post(PAGE, data={"through": LOCKED.isoformat()}).status_code == 303
    earlier = {"through": (LOCKED - timedelta(days=1)).isoformat()}
    wrong = alice.post(PAGE, data=earlier)
    assert (wrong.status_code, errors_of(wrong.text)) == (422, {"reason-error"})
    wrong = alice.post(f"{PAGE}/opening", data={"opening-reason": ""})
    assert (wrong.status_code, errors_of(wrong.text)) == (422, {"opening-reason-error"})
    assert alice.post(PAGE, data=earlier | {"reason": "A late bill"}).status_code == 303
    assert "A late bill" in alice.get(PAGE).text
    assert "A late bill" in alice.get("/admin/audit").text
    opened = alice.post(f"{PAGE}/opening", data={"opening-reason": "All anew"})
    assert opened.status_code == 303
    assert locked_through() is None


def test_each_form_says_it_beside_its_day(home: Cast, mona: FlaskClient) -> None:
    lease_id, day = make_lease(), (LOCKED - timedelta(days=1)).isoformat()
    expense = make_expense(paid_on=LOCKED)
    begin_write()
    new = NewPayment(LOCKED, "cash", "", (Share(lease_id, 10_000),))
    payment = record_payment(new, today=TODAY, actor=actor())[0].id
    db.session.commit()
    invoice = make_invoice(lease_id, 90_000, due=YESTERDAY)
    lock(LOCKED)
    settled = {"on": LOCKED.isoformat(), "reason": "Agreed", "amount": "10.00"}
    forms = {
        "/payments/": (
            {"received_on": day, "method": "cash", "amount": "10.00",
             "lease": reference_of(lease_id)},
            "received_on-error",
        ),
        "/expenses/": (
            {"paid_on": day, "supplier": "A", "amount": "10.00", "category": "repairs",
             "property_id": ""},
            "paid_on-error",
        ),
        f"/payments/{payment}/reversal": (settled, "on-error"),
        f"/expenses/{expense}/reversal": (settled, "on-error"),
        f"/billing/invoices/{invoice}/write-off": (settled, "on-error"),
    }  # fmt: skip
    before = entries()
    for address, (typed, error) in forms.items():
        answer = mona.post(address, data=typed)
        assert answer.status_code == 422, address
        assert error in errors_of(answer.text), address
        assert "The books are locked up to" in answer.text
    for day, is_offered in ((LOCKED, False), (LOCKED + timedelta(days=1), True)):
        preview = mona.get(f"/billing/preview?as_of={day}").text
        assert 'class="ledger"' in preview
        assert ('action="/billing/runs"' in preview) is is_offered
        assert ("so nothing is issued as of this day" in preview) is not is_offered
    answer = mona.post("/billing/runs", data={"as_of": LOCKED.isoformat()})
    assert answer.status_code == 422
    assert "The books are locked up to" in answer.text
    assert entries() == before
    assert db.session.execute(select(func.count(Expense.id))).scalar_one() == 1
