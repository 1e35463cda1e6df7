"""Expenses leave the bank, come back when they are reversed, and are never written twice."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.db import begin_write, db
from proman.expenses.actions import NewExpense, PossibleDuplicate, record_expense, reverse_expense
from proman.expenses.models import Expense
from proman.expenses.queries import the_expense
from proman.ledger.models import Posting
from proman.ledger.queries import account_totals
from tests import factories
from tests.conftest import Cast
from tests.money import actor

pytestmark = pytest.mark.engines
DAY, TODAY = date(2026, 3, 2), date(2026, 3, 10)
NEW = NewExpense(DAY, "repairs", "Drain Doctors", 24_000, reference="R-17")


def record(new: NewExpense, *, confirmed: bool = False) -> int:
    begin_write()
    expense = record_expense(new, today=TODAY, actor=actor(), confirmed=confirmed)
    db.session.commit()
    return expense.id


def take_back(expense_id: int, on: date = TODAY, reason: str = "Paid back") -> None:
    begin_write()
    reverse_expense(the_expense(expense_id), on, reason, today=TODAY, actor=actor())
    db.session.commit()


def count() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Expense.id)).all())


def test_an_expense_leaves_the_bank_for_its_property_and_comes_back(home: Cast) -> None:
    building = factories.make_property()
    expense = record(NewExpense(DAY, "repairs", " Drain Doctors ", 24_000, building))
    assert account_totals()["bank"] == -24_000
    assert account_totals()["expense"] == 24_000
    assert set(db.session.scalars(select(Posting.property_id))) == {building}
    assert the_expense(expense).supplier == "Drain Doctors"
    take_back(expense)
    assert account_totals().get("expense", 0) == 0
    assert account_totals().get("bank", 0) == 0
    with pytest.raises(Refused, match="already"):
        take_back(expense)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewExpense(TODAY + timedelta(days=1), "repairs", "A", 1), "paid_on"),
        (NewExpense(DAY, "bribes", "A", 1), "category"),
        (NewExpense(DAY, "repairs", "  ", 1), "supplier"),
        (NewExpense(DAY, "repairs", "A", 0), "amount"),
        (NewExpense(DAY, "repairs", "A", 1, property_id=987_654), "property_id"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    home: Cast, new: NewExpense, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        record(new)
    assert refused.value.field == field
    assert count() == 0


def test_the_same_bill_asks_before_it_is_recorded_twice(home: Cast) -> None:
    first = record(NEW)
    with pytest.raises(PossibleDuplicate) as asked:
        record(NewExpense(DAY, "waste", "drain doctors", 24_000, reference="r-17"))
    assert asked.value.expense_id == first
    assert count() == 1
    record(NEW, confirmed=True)
    assert count() == 2
    for expense in db.session.scalars(select(Expense.id)).all():
        take_back(expense)
    record(NEW)


def test_a_reversal_has_a_possible_day_and_a_reason(home: Cast) -> None:
    expense = record(NEW)
    for on, reason, field in (
        (DAY - timedelta(days=1), "x", "on"),
        (TODAY + timedelta(days=1), "x", "on"),
        (TODAY, " ", "reason"),
    ):
        with pytest.raises(Refused) as refused:
            take_back(expense, on, reason)
        assert refused.value.field == field
    db.session.rollback()
    with pytest.raises(NotThere):
        the_expense(987_654)
