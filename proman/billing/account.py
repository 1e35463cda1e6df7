"""A lease's account at a glance: what is owed, what is due next, deposit, newest documents."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row, Table, and_, bindparam, case, func, select

from proman.base.errors import NotThere
from proman.billing.deposits import DEPOSIT, Deposit, deposit_from
from proman.billing.invoice_queries import STATE
from proman.billing.models import Invoice
from proman.billing.rules import next_due
from proman.billing.terms import billable_leases
from proman.db import db
from proman.leases.models import Lease
from proman.ledger.queries import LeaseBalance, posted_to

_i: Table = Invoice.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
SHOWN = 6

_FIGURES = DEPOSIT.add_columns(
    posted_to("receivable", _l.c.id, debit=True).label("receivable"),
    posted_to("tenant_credit", _l.c.id, debit=False).label("credit"),
)
_overdue = case(
    (and_(_i.c.open > 0, _i.c.due_date < bindparam("today")), _i.c.open),
    else_=0,
)
_DOCUMENTS = (
    select(
        _i.c.id,
        _i.c.kind,
        _i.c.number,
        _i.c.due_date,
        _i.c.total,
        _i.c.open,
        STATE.label("state"),
        func.count().over().label("issued"),
        func.sum(_overdue).over().label("overdue"),
    )
    .where(
        _i.c.organization_id == bindparam("organization_id"), _i.c.lease_id == bindparam("lease_id")
    )
    .order_by(_i.c.issue_date.desc(), _i.c.id.desc())
    .limit(SHOWN)
)


class Account(NamedTuple):
    """The account of a lease as of a day; amounts in minor units."""

    lease_id: int
    balance: LeaseBalance
    overdue: int
    next_due: date | None
    deposit: Deposit
    documents: Sequence[Row[Any]]
    issued: int
    """How many documents there are in all."""


def account_of(lease_id: int, today: date) -> Account:
    """The account of a lease as of today. Raises NotThere."""
    found = billable_leases([lease_id])
    if not found:
        raise NotThere("This lease does not exist.")
    (lease,) = found
    figures = db.session.execute(_FIGURES, {"lease_id": lease_id}).one()
    asked = {"lease_id": lease_id, "today": today}
    newest: Sequence[Row[Any]] = db.session.execute(_DOCUMENTS, asked).all()
    return Account(
        lease_id,
        LeaseBalance(int(figures.receivable), int(figures.credit)),
        int(newest[0].overdue) if newest else 0,
        next_due(lease.terms, as_of=today, billed=lease.billed),
        deposit_from(figures),
        newest,
        newest[0].issued if newest else 0,
    )
