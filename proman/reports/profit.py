"""Profit and loss: what each property brought in and what it cost in a span of days.

Income is what was issued, net of tax and of what was credited, on its day of issue; it is summed
from the documents, whose sums are those of the journal. Costs are the journal's own: expenses on
the day they were paid, deposit interest, and what was written off.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Table,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    union_all,
)

from proman.base.errors import NotThere
from proman.billing.models import Invoice, InvoiceLine
from proman.db import db
from proman.expenses.models import Expense
from proman.expenses.rules import CATEGORIES
from proman.leases.wording import CHARGE_KINDS
from proman.ledger.models import Entry, Posting
from proman.properties.models import Property
from proman.web.listing import Column, Filter, Listing

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = InvoiceLine.__table__  # type: ignore[assignment]
_e: Table = Entry.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]
_x: Table = Expense.__table__  # type: ignore[assignment]
_properties: Table = Property.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
_FIRST: ColumnElement[date] = bindparam("first")
_LAST: ColumnElement[date] = bindparam("last")

SHARED = "Shared by all properties"
"""What belongs to no single property."""
KINDS = {"rent": "Rent", **dict(CHARGE_KINDS)}
INTEREST, LOSSES = "deposit_interest", "bad_debt"
COSTS = {**CATEGORIES, INTEREST: "Interest on deposits", LOSSES: "Written off"}


class Line(NamedTuple):
    """One line of a statement: the key it is filed under, its words, minor units."""

    key: str
    words: str
    amount: int


class Statement(NamedTuple):
    """The profit and loss of one property, or of what belongs to none."""

    id: int
    name: str
    income: list[Line]
    costs: list[Line]

    @property
    def earned(self) -> int:
        return sum(line.amount for line in self.income)

    @property
    def spent(self) -> int:
        return sum(line.amount for line in self.costs)


def _signed(amount: ColumnElement[int]) -> ColumnElement[int]:
    return case((_i.c.kind == "credit_note", -amount), else_=amount)


_IN_THE_DAYS = (_i.c.organization_id == _HERE, _i.c.issue_date.between(_FIRST, _LAST))
_requested = _i.alias("requested")
# A credit note of a deposit request takes back no income.
_TAKES_BACK_INCOME = (_i.c.kind == "credit_note") & _i.c.refers_to_id.not_in(
    select(_requested.c.id).where(
        _requested.c.organization_id == _HERE, _requested.c.kind == "deposit_request"
    )
)


def _income(*conditions: ColumnElement[bool]) -> Select[Any]:
    nil = literal(0)
    return (
        select(
            _i.c.property_id,
            func.sum(_signed(_i.c.net)).label("income"),
            nil.label("expenses"),
            nil.label("losses"),
        )
        .where(*_IN_THE_DAYS, *conditions)
        .group_by(_i.c.property_id)
    )


def _moves() -> Subquery:
    # Apart, because the index holds all that is asked of an invoice, but not what a note credits.
    income = _income(_i.c.kind == "invoice"), _income(_TAKES_BACK_INCOME)
    amount = _p.c.debit - _p.c.credit
    costs = (
        select(
            func.coalesce(_p.c.property_id, 0),
            literal(0),
            func.sum(case((_p.c.account == "expense", amount), else_=0)),
            func.sum(case((_p.c.account == "bad_debt", amount), else_=0)),
        )
        .join(_e, _e.c.id == _p.c.entry_id)
        .where(_p.c.organization_id == _HERE, _p.c.account.in_(("expense", "bad_debt")))
        .where(_e.c.effective_on.between(_FIRST, _LAST))
        .group_by(_p.c.property_id)
    )
    return union_all(*income, costs).subquery("moves")


def _by_property() -> Subquery:
    moves = _moves()
    return (
        select(
            moves.c.property_id.label("id"),
            func.sum(moves.c.income).label("income"),
            func.sum(moves.c.expenses).label("expenses"),
            func.sum(moves.c.losses).label("losses"),
        )
        .group_by(moves.c.property_id)
        .subquery("profit")
    )


_sums = _by_property()
_result = _sums.c.income - _sums.c.expenses - _sums.c.losses

PROFIT = Listing(
    address="/reports/profit-and-loss",
    rows=select(
        _sums.c.id,
        func.coalesce(_properties.c.name, SHARED).label("property"),
        _sums.c.income,
        _sums.c.expenses,
        _sums.c.losses,
        _result.label("result"),
    ).select_from(_sums.outerjoin(_properties, _properties.c.id == _sums.c.id)),
    id=_sums.c.id,
    sorts={
        "property": func.lower(func.coalesce(_properties.c.name, "")),
        "income": _sums.c.income,
        "expenses": _sums.c.expenses,
        "losses": _sums.c.losses,
        "result": _result,
    },
    default="property",
    filters={
        "from": Filter(true(), lambda text: {"first": date.fromisoformat(text)}),
        "to": Filter(true(), lambda text: {"last": date.fromisoformat(text)}),
    },
    totals={
        "income": _sums.c.income,
        "expenses": _sums.c.expenses,
        "losses": _sums.c.losses,
        "result": _result,
    },
    columns=(
        Column("Property", "property"),
        Column("Income", "income", "amount"),
        Column("Expenses", "expenses", "amount"),
        Column("Written off", "losses", "amount"),
        Column("Result", "result", "amount"),
    ),
)

_INCOME = (
    select(_l.c.kind, func.sum(_signed(_l.c.net)))
    .join(_i, _i.c.id == _l.c.invoice_id)
    .where(*_IN_THE_DAYS, (_i.c.kind == "invoice") | _TAKES_BACK_INCOME)
    .where(_i.c.property_id == bindparam("property_id"))
    .group_by(_l.c.kind)
)
_COSTS = (
    select(_p.c.account, _e.c.event, _x.c.category, func.sum(_p.c.debit - _p.c.credit))
    .join(_e, _e.c.id == _p.c.entry_id)
    .outerjoin(_x, _x.c.entry_id.in_((_e.c.id, _e.c.reverses_id)))
    .where(
        _p.c.organization_id == _HERE,
        _p.c.account.in_(("expense", "bad_debt")),
        _e.c.effective_on.between(_FIRST, _LAST),
        func.coalesce(_p.c.property_id, 0) == bindparam("property_id"),
    )
    .group_by(_p.c.account, _e.c.event, _x.c.category)
)
_NAME = select(_properties.c.name).where(
    _properties.c.organization_id == _HERE, _properties.c.id == bindparam("property_id")
)


def profit_of(property_id: int, first: date, last: date) -> Statement:
    """The profit and loss of a property, of nil for what belongs to none; both days inclusive.

    Raises NotThere.
    """
    name = SHARED
    if property_id:
        found: str | None = db.session.execute(_NAME, {"property_id": property_id}).scalar()
        if found is None:
            raise NotThere("There is no such property.")
        name = found
    asked = {"property_id": property_id, "first": first, "last": last}
    income = {kind: int(amount) for kind, amount in db.session.execute(_INCOME, asked)}
    costs: Counter[str] = Counter()
    for account, event, category, amount in db.session.execute(_COSTS, asked):
        costs[_key(account, event, category)] += int(amount)
    return Statement(property_id, name, _lines(income, KINDS), _lines(costs, COSTS))


def _key(account: str, event: str, category: str | None) -> str:
    if account == "bad_debt":
        return LOSSES
    # What was taken back to an older schema and forward again has entries only.
    return INTEREST if event == "deposit_interest" else category or "other"


def _lines(sums: Mapping[str, int], words: Mapping[str, str]) -> list[Line]:
    """In the order of the words; what has none stands last under its own key."""
    order = [*words, *(key for key in sums if key not in words)]
    return [Line(key, words.get(key, key), sums[key]) for key in order if sums.get(key)]
