"""A deposit bears interest, is withheld against invoices, returned, and each can be taken back."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing.deposit_settling import Outcome, settle_deposit, take_back
from proman.billing.deposits import deposit_of, take_over_deposit
from proman.billing.models import DepositEvent
from proman.db import begin_write, db
from proman.ledger.queries import account_totals
from tests.billing.books import breaches_but_of_numbers as breaches
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor, make_invoice, open_of

pytestmark = pytest.mark.engines
HELD_FROM, DUE, TODAY = date(2027, 1, 1), date(2027, 3, 1), date(2027, 6, 1)


@pytest.fixture
def lease(home: Cast) -> int:
    """A lease with a deposit of 1,000.00, held since 1 January."""
    lease_id = make_lease()
    begin_write()
    take_over_deposit(lease_id, 100_000, HELD_FROM, actor=actor())
    db.session.commit()
    return lease_id


def settle(
    lease_id: int, on: date = TODAY, reason: str = "Handed over", **how: object
) -> list[int]:
    begin_write()
    outcome = Outcome(on, reason, **how)  # type: ignore[arg-type]
    made = settle_deposit(lease_id, outcome, today=TODAY, actor=actor())
    db.session.commit()
    return [one.id for one in made]


def back(event_id: int, on: date = TODAY) -> None:
    begin_write()
    take_back(event_id, on, "It was wrong", today=TODAY, actor=actor())
    db.session.commit()


def refused(field: str | None, act: object, *arguments: object, **how: object) -> None:
    with pytest.raises(Refused) as told:
        act(*arguments, **how)  # type: ignore[operator]
    db.session.rollback()
    assert told.value.field == field


def test_interest_is_added_damage_withheld_the_rest_returned_and_all_taken_back(lease: int) -> None:
    damage = make_invoice(lease, 25_000, due=DUE, kind="other")
    events = settle(lease, interest=1_500, withheld={damage: 25_000}, returned=76_500)
    assert deposit_of(lease).held == 0
    assert open_of(damage) == [0]
    totals = account_totals()
    assert (totals["bank"], totals["expense"]) == (-76_500, 1_500)
    assert breaches() == []
    refused(None, back, events[0])  # its interest is not held any more
    for event in reversed(events):
        back(event)
    assert deposit_of(lease).held == 100_000
    assert open_of(damage) == [25_000]
    assert account_totals()["bank"] == 0
    assert breaches() == []
    refused(None, back, events[1])


def test_what_cannot_be_is_refused_beside_its_field_and_nothing_happens(lease: int) -> None:
    damage = make_invoice(lease, 25_000, due=DUE, issued=DUE, kind="other")
    other = make_invoice(make_lease(), 25_000, due=DUE)
    name = f"withheld-{damage}"
    refused("returned", settle, lease)
    refused("returned", settle, lease, returned=100_001)
    refused("returned", settle, lease, withheld={damage: 25_000}, returned=75_001)
    refused(name, settle, lease, withheld={damage: 25_001})
    refused(f"withheld-{other}", settle, lease, withheld={other: 1})
    refused("on", settle, lease, DUE - timedelta(days=1), withheld={damage: 1})
    refused("on", settle, lease, HELD_FROM - timedelta(days=1), returned=1)
    refused("on", settle, lease, TODAY + timedelta(days=1), returned=1)
    refused("reason", settle, lease, TODAY, "", returned=1)
    refused("interest", settle, make_lease(), interest=1)
    with pytest.raises(NotThere):
        settle(987_654, returned=1)
    db.session.rollback()
    happened = db.session.scalars(select(DepositEvent.event).where(DepositEvent.lease_id == lease))
    assert list(happened) == ["received"]
    assert breaches() == []


def test_on_no_day_is_more_returned_than_was_held(lease: int) -> None:
    settle(lease, TODAY, returned=60_000)
    refused("returned", settle, lease, DUE, returned=60_000)
    settle(lease, DUE, returned=40_000)
    assert breaches() == []


def test_what_was_received_is_not_taken_back_here(lease: int) -> None:
    received = db.session.scalars(select(DepositEvent.id)).one()
    with pytest.raises(NotThere):
        back(received)
