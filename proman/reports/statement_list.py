"""The list of leases from which a statement is chosen, with what each owes today."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Row, Table, bindparam, select

from proman.db import MOST_IDS
from proman.leases.models import Lease
from proman.leases.queries import LEASE_ROWS, OURS, is_found
from proman.leases.standing import state_clauses
from proman.ledger.queries import lease_balances
from proman.web.listing import Column, Filter, Listing, contains, of_id

_l: Table = Lease.__table__  # type: ignore[assignment]
STATEMENTS = Listing(
    address="/reports/statements",
    rows=LEASE_ROWS,
    counted=select(_l.c.id).where(OURS),
    id=_l.c.id,
    sorts={"first_day": _l.c.first_day, "reference": _l.c.reference},
    default="reference",
    filters={
        "q": Filter(is_found, contains),
        "state": Filter(state_clauses(_l.c)),
        "unit": Filter(_l.c.unit_id == bindparam("of_unit"), of_id("of_unit")),
    },
)
COLUMNS = (
    Column("Lease", "reference"),
    Column("Tenants", "tenants"),
    Column("Unit", "place"),
    Column("State", "state"),
    Column("Owed", "receivable", "amount"),
    Column("Credit", "credit", "amount"),
    Column("Balance", "balance", "amount"),
)


class Account:
    """A lease of the list with its balance."""

    def __init__(self, row: Row[*tuple[Any, ...]], receivable: int, credit: int) -> None:
        self.row = row
        self.receivable = receivable
        self.credit = credit
        self.balance = receivable - credit

    def __getattr__(self, column: str) -> Any:
        return getattr(self.row, column)


def accounts(rows: Iterable[Row[*tuple[Any, ...]]]) -> Iterator[Account]:
    """The leases with what they owe and have in credit, read many at a time."""
    waiting = iter(list(rows))
    while batch := list(islice(waiting, MOST_IDS)):
        balances = lease_balances([row.id for row in batch])
        for row in batch:
            balance = balances[row.id]
            yield Account(row, balance.receivable, balance.credit)
