"""Entries are written balanced or not at all, one by one and in bulk, and only ever reversed."""

from datetime import date

import pytest
from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.exc import IntegrityError

from proman.billing.models import Invoice
from proman.db import begin_write, db
from proman.ledger.actions import Concerning, Event, post, post_many, post_selected, reverse
from proman.ledger.models import Entry, Posting
from proman.ledger.rules import Unbalanced
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, make_invoice, property_of

DAY = date(2027, 3, 1)


def lines(entry_id: int) -> list[tuple[str, int, int]]:
    chosen = select(Posting.account, Posting.debit, Posting.credit).order_by(Posting.account)
    return [tuple(row) for row in db.session.execute(chosen.where(Posting.entry_id == entry_id))]


def entry_of(entry_id: int) -> Entry:
    return db.session.scalars(select(Entry).where(Entry.id == entry_id)).one()


def test_an_event_is_posted_with_all_that_it_is_about(home: Cast) -> None:
    lease_id = make_lease()
    begin_write()
    about = Concerning(lease_id, property_of(lease_id))
    entry_id = post("payment", DAY, about, actor=actor(), amount=150_000, explanation="x" * 400)
    db.session.commit()
    assert lines(entry_id) == [("bank", 150_000, 0), ("tenant_credit", 0, 150_000)]
    entry = entry_of(entry_id)
    assert (entry.event, entry.effective_on, entry.organization_id) == (
        "payment",
        DAY,
        home.organization,
    )
    posting = db.session.scalars(select(Posting).where(Posting.entry_id == entry_id)).first()
    assert posting is not None
    assert posting.lease_id == lease_id


def test_nothing_is_not_posted(home: Cast) -> None:
    begin_write()
    with pytest.raises(Unbalanced):
        post("payment", DAY, Concerning(), actor=actor(), amount=0)
    db.session.rollback()
    assert db.session.scalar(select(func.count(Entry.id))) == 0


def test_many_are_posted_at_once(home: Cast) -> None:
    lease_id = make_lease()
    about = Concerning(lease_id)
    begin_write()
    post("payment", DAY, about, actor=actor(), amount=5)
    post_many(
        [
            Event("invoice", DAY, {"net": 84_034, "tax": 15_966}, about),
            Event("payment", DAY, {"amount": 300}, about),
        ],
        actor=actor(),
    )
    db.session.commit()
    ids = db.session.scalars(select(Entry.id).order_by(Entry.id)).all()
    assert lines(ids[1]) == [
        ("income", 0, 84_034),
        ("receivable", 100_000, 0),
        ("tax", 0, 15_966),
    ]
    assert lines(ids[2]) == [("bank", 300, 0), ("tenant_credit", 0, 300)]


def test_one_that_does_not_balance_refuses_all(home: Cast) -> None:
    begin_write()
    good = Event("payment", DAY, {"amount": 300}, Concerning())
    bad = Event("payment", DAY, {"amount": -300}, Concerning())
    with pytest.raises(Unbalanced):
        post_many([good, bad], actor=actor())
    db.session.rollback()


def test_a_query_is_posted_without_fetching_it(home: Cast) -> None:
    lease_id = make_lease()
    first = make_invoice(lease_id, 119_000, tax=19_000)
    second = make_invoice(lease_id, 50_000, due=date(2027, 4, 1))
    begin_write()
    table = Invoice.__table__
    source = select(
        table.c.lease_id,
        table.c.property_id,
        table.c.id.label("invoice_id"),
        table.c.issue_date.label("effective_on"),
        table.c.net,
        table.c.tax,
        literal("kept out").label("other"),
    ).where(table.c.organization_id == bindparam("organization_id"))
    assert post_selected("invoice", source, actor=actor(), explanation="again") == 2
    db.session.commit()
    entries = db.session.scalars(select(Entry).where(Entry.explanation == "again")).all()
    assert [entry.effective_on for entry in entries] == [DAY, date(2027, 4, 1)]
    assert lines(entries[0].id) == [
        ("income", 0, 100_000),
        ("receivable", 119_000, 0),
        ("tax", 0, 19_000),
    ]
    assert lines(entries[1].id) == [("income", 0, 50_000), ("receivable", 50_000, 0)]
    about = select(Posting.invoice_id).where(Posting.entry_id.in_([e.id for e in entries]))
    assert set(db.session.scalars(about)) == {first, second}


def test_a_query_with_a_negative_amount_posts_nothing(home: Cast) -> None:
    lease_id = make_lease()
    make_invoice(lease_id, 119_000, tax=19_000)
    before = db.session.execute(select(func.count(Entry.id))).scalar_one()
    begin_write()
    table = Invoice.__table__
    source = select(
        table.c.lease_id,
        table.c.property_id,
        table.c.id.label("invoice_id"),
        table.c.issue_date.label("effective_on"),
        table.c.total.label("net"),
        (-table.c.tax).label("tax"),
    ).where(table.c.organization_id == bindparam("organization_id"))
    with pytest.raises(Unbalanced, match="negative"):
        post_selected("invoice", source, actor=actor())
    assert db.session.execute(select(func.count(Entry.id))).scalar_one() == before
    db.session.rollback()


def test_a_query_without_rows_posts_nothing(home: Cast) -> None:
    begin_write()
    table = Invoice.__table__
    source = select(
        table.c.lease_id,
        table.c.property_id,
        table.c.id.label("invoice_id"),
        table.c.issue_date.label("effective_on"),
        table.c.net,
        table.c.tax,
    ).where(table.c.organization_id == bindparam("organization_id"))
    assert post_selected("invoice", source, actor=actor()) == 0


def test_an_entry_is_taken_back_once(home: Cast) -> None:
    lease_id = make_lease()
    begin_write()
    entry_id = post("payment", DAY, Concerning(lease_id), actor=actor(), amount=700)
    back = reverse(entry_id, DAY, event="payment_reversal", actor=actor(), explanation="No funds")
    db.session.commit()
    assert lines(back) == [("bank", 0, 700), ("tenant_credit", 700, 0)]
    assert entry_of(back).reverses_id == entry_id
    begin_write()
    with pytest.raises(IntegrityError):
        reverse(entry_id, DAY, event="payment_reversal", actor=actor())
    db.session.rollback()


def test_what_is_not_there_cannot_be_taken_back(home: Cast) -> None:
    begin_write()
    with pytest.raises(Unbalanced):
        reverse(99, DAY, event="payment_reversal", actor=actor())
