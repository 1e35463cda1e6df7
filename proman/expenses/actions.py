"""Records what was spent, and takes it back."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from proman.base.errors import Refused
from proman.db import db
from proman.expenses.models import Expense, ExpenseReversal
from proman.expenses.queries import expense_like
from proman.expenses.rules import check_expense, check_reversal
from proman.identity.actor import Actor
from proman.ledger import actions as ledger
from proman.ledger.locking import require_open
from proman.properties.models import Property


@dataclass(frozen=True, slots=True)
class NewExpense:
    """Money that was spent, to be recorded; `amount` in minor units, tax included."""

    paid_on: date
    category: str
    supplier: str
    amount: int
    property_id: int | None = None
    reference: str = ""
    description: str = ""


class PossibleDuplicate(Refused):
    """An expense looks like one that is recorded already; it has to be confirmed."""

    def __init__(self, expense_id: int) -> None:
        super().__init__(
            "An expense of this day, amount, supplier and bill is recorded already. Confirm that "
            "this is another one.",
            "confirmed",
        )
        self.expense_id = expense_id


def record_expense(
    new: NewExpense, *, today: date, actor: Actor, confirmed: bool = False
) -> Expense:
    """Record an expense: from the bank to the property's expenses.

    Must be inside a write. Raises PossibleDuplicate unless `confirmed`, and Refused for a day in
    the future, an unknown category or property, and amounts that are none.
    """
    check_expense(new.paid_on, today, new.category, new.supplier, new.amount)
    require_open(new.paid_on, "paid_on")
    if new.property_id is not None:
        found = db.session.scalar(select(Property.id).where(Property.id == new.property_id))
        if found is None:
            raise Refused("There is no such property.", "property_id")
    if not confirmed:
        alike = expense_like(new.paid_on, new.amount, new.supplier, new.reference)
        if alike is not None:
            raise PossibleDuplicate(alike)
    about = ledger.Concerning(property_id=new.property_id)
    explanation = f"{new.supplier.strip()} {new.reference.strip()}".strip()
    entry_id = ledger.post(
        "expense", new.paid_on, about, actor=actor, explanation=explanation, amount=new.amount
    )
    expense = Expense(
        property_id=new.property_id,
        category=new.category,
        paid_on=new.paid_on,
        supplier=new.supplier.strip(),
        reference=new.reference.strip(),
        description=new.description.strip(),
        amount=new.amount,
        entry_id=entry_id,
        recorded_by=actor.id,
    )
    db.session.add(expense)
    db.session.flush()
    return expense


def reverse_expense(
    expense: Expense, on: date, reason: str, *, today: date, actor: Actor
) -> ExpenseReversal:
    """Take an expense back: the money is in the bank again from that day.

    Raises Refused when it was reversed already, for a day before it was paid or in the future, and
    without a reason.
    """
    if expense.reversal is not None:
        raise Refused("This expense was reversed already.")
    check_reversal(expense.paid_on, on, today, reason)
    require_open(on, "on")
    ledger.reverse(
        expense.entry_id, on, event="expense_reversal", actor=actor, explanation=reason.strip()
    )
    reversal = ExpenseReversal(
        expense=expense, reversed_on=on, reason=reason.strip(), recorded_by=actor.id
    )
    db.session.add(reversal)
    db.session.flush()
    return reversal
