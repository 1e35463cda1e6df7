"""A lease's account at a glance: what is owed, what is due next, deposit, newest documents."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row

from proman.base.errors import NotThere
from proman.billing.deposits import Deposit, deposit_of
from proman.billing.invoice_queries import INVOICES, about
from proman.billing.rules import next_due
from proman.billing.terms import billable_leases
from proman.ledger.queries import LeaseBalance, lease_balance

SHOWN = 6


class Account(NamedTuple):
    """The account of a lease as of a day; amounts in minor units."""

    lease_id: int
    balance: LeaseBalance
    overdue: int
    next_due: date | None
    deposit: Deposit
    documents: Sequence[Row[Any]]
    about: Mapping[int, Any]
    """The state of each of them, by its id."""
    issued: int
    """How many documents there are in all."""


def account_of(lease_id: int, today: date) -> Account:
    """The account of a lease as of today. Raises NotThere."""
    found = billable_leases([lease_id])
    if not found:
        raise NotThere("This lease does not exist.")
    (lease,) = found
    documents = INVOICES.page({"lease": str(lease_id)}, {"today": today})
    newest = documents.rows[:SHOWN]
    overdue = INVOICES.page({"lease": str(lease_id), "state": "overdue"}, {"today": today})
    return Account(
        lease_id,
        lease_balance(lease_id),
        overdue.totals["open"],
        next_due(lease.terms, as_of=today, billed=lease.billed),
        deposit_of(lease_id),
        newest,
        about([row.id for row in newest], today),
        documents.count,
    )
