"""Which documents a credit pays, in which order and from which day; and how that is released."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.billing.settling import (
    Move,
    OpenItem,
    Paid,
    Source,
    Step,
    available_from,
    by_hand,
    category,
    newest_first,
    oldest_first,
)


def on(day: int, month: int = 10) -> date:
    return date(2027, month, day)


def item(
    invoice_id: int,
    amount: int = 100000,
    *,
    due: date | None = None,
    issued: date | None = None,
    kind: str = "invoice",
    rank: int = 1,
) -> OpenItem:
    moves = (Move(issued or on(1), amount),)
    return OpenItem(invoice_id, kind, rank, due or on(1), moves)


def payment(payment_id: int | None, amount: int, day: date | None = None) -> Source:
    return Source(payment_id, (Move(day or on(2), amount),))


def after(source: Source, steps: Sequence[Step]) -> Source:
    used = tuple(
        Move(s.effective_on, -s.amount) for s in steps if s.payment_id == source.payment_id
    )
    return Source(source.payment_id, source.moves + used)


def test_fifteen_hundred_pays_a_then_later_b_and_a_bounce_opens_both() -> None:
    received = payment(7, 150000)
    first = oldest_first([received], [item(1)])
    assert first == [Step(7, 1, "invoice", 100000, on(2))]
    rest = after(received, first)
    assert rest.left == 50000
    later = oldest_first([rest], [item(2, 50000, due=on(1, 11), issued=on(27))])
    assert later == [Step(7, 2, "invoice", 50000, on(27))]
    bounced = on(3)
    opened = newest_first([Paid(71, 7, 1, "invoice", 100000, on(2))], 100000, bounced)
    opened += newest_first([Paid(72, 7, 2, "invoice", 50000, on(27))], 50000, bounced)
    assert [(s.invoice_id, s.amount, s.effective_on) for s in opened] == [
        (1, 100000, on(3)),
        (2, 50000, on(27)),
    ]


def test_the_order_is_due_date_then_category_then_id() -> None:
    items = [
        item(1, 100, due=on(5)),
        item(9, 100, rank=3),
        item(8, 100, rank=1),
        item(7, 100, rank=2),
        item(6, 100, rank=1),
        item(5, 100, rank=0),
    ]
    steps = oldest_first([payment(1, 550)], items)
    assert [(s.invoice_id, s.amount) for s in steps] == [
        (5, 100),
        (6, 100),
        (8, 100),
        (7, 100),
        (9, 100),
        (1, 50),
    ]


def test_what_category_a_document_has() -> None:
    assert category("opening", []) == 0
    assert category("invoice", ["parking", "rent"]) == 1
    assert category("invoice", ["parking", "fee"]) == 2
    assert category("invoice", ["late_fee"]) == 3
    assert category("deposit_request", ["deposit"]) == 2


def test_a_deposit_request_is_filled_only_when_named() -> None:
    request = item(3, 200000, kind="deposit_request")
    received = payment(1, 250000)
    assert oldest_first([received], [request]) == []
    assert by_hand([received], [request], {3: 200000}) == [
        Step(1, 3, "deposit_request", 200000, on(2))
    ]


def test_older_credit_is_used_first() -> None:
    steps = oldest_first([payment(2, 300, on(4)), payment(None, 500, on(1))], [item(1, 600)])
    assert [(s.payment_id, s.amount) for s in steps] == [(None, 500), (2, 100)]


@pytest.mark.parametrize(
    ("received", "issued", "effective"),
    [(on(2), on(9), on(9)), (on(9), on(2), on(9)), (on(2), on(2), on(2))],
)
def test_an_allocation_is_dated_the_later_of_receipt_and_issue(
    received: date, issued: date, effective: date
) -> None:
    steps = oldest_first([payment(1, 100, received)], [item(1, 100, issued=issued)])
    assert [s.effective_on for s in steps] == [effective]


def test_credit_that_was_released_is_there_again_from_the_day_of_its_release() -> None:
    source = Source(1, (Move(on(1), 100), Move(on(1), -100), Move(on(15), 100)))
    steps = oldest_first([source], [item(2, 100, issued=on(5))])
    assert [s.effective_on for s in steps] == [on(15)]


def test_an_invoice_opened_again_is_paid_from_the_day_it_was_opened() -> None:
    moves = (Move(on(1), 100), Move(on(2), -100), Move(on(20), 100))
    steps = oldest_first([payment(2, 100, on(5))], [OpenItem(1, "invoice", 1, on(1), moves)])
    assert [s.effective_on for s in steps] == [on(20)]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({1: -1}, "allocation-1"),
        ({1: 100001}, "allocation-1"),
        ({99: 1}, "allocation-99"),
        ({1: 100000, 2: 50001}, None),
    ],
)
def test_by_hand_refuses_what_cannot_be(wanted: dict[int, int], field: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        by_hand([payment(1, 150000)], [item(1), item(2)], wanted)
    assert refusal.value.field == field


def test_by_hand_leaves_the_rest_as_credit() -> None:
    steps = by_hand([payment(1, 150000)], [item(1), item(2)], {1: 0, 2: 40000})
    assert steps == [Step(1, 2, "invoice", 40000, on(2))]


def test_a_release_takes_the_newest_first() -> None:
    paid = [Paid(11, 1, 5, "invoice", 600, on(2)), Paid(12, 2, 5, "invoice", 400, on(9))]
    assert newest_first(paid, 500, on(8)) == [
        Step(2, 5, "invoice", 400, on(9), 12),
        Step(1, 5, "invoice", 100, on(8), 11),
    ]
    with pytest.raises(ValueError, match="less is paid"):
        newest_first(paid, 1001, on(9))


def test_more_than_there_is_is_never_available() -> None:
    with pytest.raises(ValueError, match="more was asked"):
        available_from([Move(on(1), 10)], 11)


days = st.integers(0, 60).map(lambda n: on(1) + timedelta(days=n))
sources = st.lists(st.tuples(st.integers(1, 10_000), days), min_size=1, max_size=5).map(
    lambda rows: [payment(n, amount, day) for n, (amount, day) in enumerate(rows, 1)]
)
items = st.lists(
    st.tuples(st.integers(1, 10_000), days, days, st.integers(0, 3)), min_size=1, max_size=6
).map(
    lambda rows: [
        item(n, amount, due=due, issued=issued, rank=rank)
        for n, (amount, due, issued, rank) in enumerate(rows, 1)
    ]
)


@given(sources, items)
def test_nothing_is_used_twice_and_nothing_is_left_that_could_pay(
    credit: list[Source], documents: list[OpenItem]
) -> None:
    steps = oldest_first(credit, documents)
    left = {s.payment_id: s.left for s in credit}
    due = {d.invoice_id: d.open for d in documents}
    for step in steps:
        assert step.amount > 0
        left[step.payment_id] -= step.amount
        due[step.invoice_id] -= step.amount
    assert min(left.values()) >= 0
    assert min(due.values()) >= 0
    assert sum(left.values()) == 0 or sum(due.values()) == 0


@given(sources, items)
def test_neither_credit_nor_open_amount_is_ever_below_nil_on_any_day(
    credit: list[Source], documents: list[OpenItem]
) -> None:
    steps = oldest_first(credit, documents)
    moves = {("s", s.payment_id): list(s.moves) for s in credit}
    moves |= {("d", d.invoice_id): list(d.moves) for d in documents}
    for step in steps:
        moves["s", step.payment_id].append(Move(step.effective_on, -step.amount))
        moves["d", step.invoice_id].append(Move(step.effective_on, -step.amount))
    for series in moves.values():
        for day in {move.day for move in series}:
            assert sum(move.amount for move in series if move.day <= day) >= 0
