"""Owns the list of expenses: what it shows, and by what it is filtered and sorted."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, case, func, or_, select

from proman.expenses.models import Expense, ExpenseReversal
from proman.expenses.rules import CATEGORIES
from proman.properties.models import Property
from proman.web.listing import Column, Filter, Listing, contains, of_id

_e: Table = Expense.__table__  # type: ignore[assignment]
_r: Table = ExpenseReversal.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")

STATES = (("spent", "Spent"), ("reversed", "Reversed"))

_reversed = select(_r.c.expense_id).where(_r.c.organization_id == _HERE)
is_reversed: ColumnElement[bool] = _e.c.id.in_(_reversed)


def _like(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.lower(column).like(bindparam("q"), escape="\\")


def _day(name: str) -> Any:
    return lambda text: {name: date.fromisoformat(text)}


def _category(text: str) -> dict[str, str] | None:
    return {"of_category": text} if text in CATEGORIES else None


EXPENSES = Listing(
    address="/expenses/",
    rows=select(
        _e.c.id,
        _e.c.paid_on,
        _e.c.property_id,
        _properties.c.name.label("property"),
        _e.c.category,
        _e.c.supplier,
        _e.c.reference,
        _e.c.description,
        _e.c.amount,
        case((is_reversed, "reversed"), else_="spent").label("state"),
    )
    .outerjoin(_properties, _properties.c.id == _e.c.property_id)
    .where(_e.c.organization_id == _HERE),
    counted=select(_e.c.id).where(_e.c.organization_id == _HERE),
    id=_e.c.id,
    sorts={"paid": _e.c.paid_on, "amount": _e.c.amount},
    default="-paid",
    filters={
        "q": Filter(
            or_(_like(_e.c.supplier), _like(_e.c.reference), _like(_e.c.description)), contains
        ),
        "state": Filter({"spent": ~is_reversed, "reversed": is_reversed}),
        "category": Filter(_e.c.category == bindparam("of_category"), _category),
        "property": Filter(_e.c.property_id == bindparam("of_property"), of_id("of_property")),
        "shared": Filter({"1": _e.c.property_id.is_(None)}),
        "from": Filter(_e.c.paid_on >= bindparam("from_day"), _day("from_day")),
        "to": Filter(_e.c.paid_on <= bindparam("to_day"), _day("to_day")),
    },
    totals={"spent": case((is_reversed, 0), else_=_e.c.amount)},
    columns=(
        Column("Paid on", "paid_on", "day"),
        Column("Property", "property"),
        Column("Category", "category"),
        Column("Supplier", "supplier"),
        Column("Bill", "reference"),
        Column("Description", "description"),
        Column("Amount", "amount", "amount"),
        Column("State", "state"),
    ),
)
