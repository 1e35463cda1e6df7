"""Reads of expenses: one with its reversal, and one that looks like another."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.orm import joinedload

from proman.base.errors import NotThere
from proman.db import db
from proman.expenses.models import Expense, ExpenseReversal
from proman.identity.models import User
from proman.properties.models import Property

_e: Table = Expense.__table__  # type: ignore[assignment]
_r: Table = ExpenseReversal.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
_reversers = _users.alias("reversers")
_HERE: Any = bindparam("organization_id")

_SHOWN = (
    select(
        _e.c.id,
        _e.c.property_id,
        _properties.c.name.label("property"),
        _e.c.category,
        _e.c.paid_on,
        _e.c.supplier,
        _e.c.reference,
        _e.c.description,
        _e.c.amount,
        _e.c.recorded_at,
        _users.c.name.label("recorded_by"),
        _r.c.reversed_on,
        _r.c.reason,
        _r.c.recorded_at.label("reversed_at"),
        _reversers.c.name.label("reversed_by"),
    )
    .outerjoin(_properties, _properties.c.id == _e.c.property_id)
    .outerjoin(_users, _users.c.id == _e.c.recorded_by)
    .outerjoin(_r, _r.c.expense_id == _e.c.id)
    .outerjoin(_reversers, _reversers.c.id == _r.c.recorded_by)
    .where(_e.c.organization_id == _HERE, _e.c.id == bindparam("expense_id"))
)
_ALIKE = (
    select(func.min(_e.c.id))
    .outerjoin(_r, _r.c.expense_id == _e.c.id)
    .where(
        _e.c.organization_id == _HERE,
        _e.c.paid_on == bindparam("paid_on"),
        _e.c.amount == bindparam("amount"),
        func.lower(_e.c.supplier) == bindparam("supplier"),
        func.lower(_e.c.reference) == bindparam("reference"),
        _r.c.id.is_(None),
    )
)
_TO_CHOOSE = (
    select(_properties.c.id, _properties.c.name)
    .where(_properties.c.organization_id == _HERE, _properties.c.archived_at.is_(None))
    .order_by(func.lower(_properties.c.name), _properties.c.id)
)


class ExpensePage(NamedTuple):
    """An expense as its page shows it."""

    id: int
    property_id: int | None
    property: str | None
    category: str
    paid_on: date
    supplier: str
    reference: str
    description: str
    amount: int
    recorded_at: datetime
    recorded_by: str | None
    reversed_on: date | None
    reason: str | None
    reversed_at: datetime | None
    reversed_by: str | None


def expense_page(expense_id: int) -> ExpensePage:
    """What the page of an expense shows. Raises NotThere."""
    row = db.session.execute(_SHOWN, {"expense_id": expense_id}).one_or_none()
    if row is None:
        raise NotThere("There is no such expense.")
    return ExpensePage._make(row)


def the_expense(expense_id: int) -> Expense:
    """One expense with its reversal. Raises NotThere."""
    chosen = select(Expense).where(Expense.id == expense_id).options(joinedload(Expense.reversal))
    found = db.session.scalars(chosen).one_or_none()
    if found is None:
        raise NotThere("There is no such expense.")
    return found


def expense_like(paid_on: date, amount: int, supplier: str, reference: str) -> int | None:
    """An expense of that day, amount, supplier and bill that was not reversed, or None."""
    asked = {
        "paid_on": paid_on,
        "amount": amount,
        "supplier": supplier.strip().lower(),
        "reference": reference.strip().lower(),
    }
    found: int | None = db.session.execute(_ALIKE, asked).scalar()
    return found


def properties_to_choose() -> list[tuple[str, str]]:
    """The current properties as a form offers them: id and name, by name."""
    return [(str(row.id), row.name) for row in db.session.execute(_TO_CHOOSE)]
