"""Answers from the journal: balances as of a day and as known then, statements, where credit is."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, case, func, select

from proman.db import MOST_IDS, db
from proman.ledger.models import Entry, Posting

_e: Table = Entry.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]

END_OF_TIME = date.max


class LeaseBalance(NamedTuple):
    """What a lease owes and has in credit, minor units; the balance is the one less the other."""

    receivable: int
    credit: int

    @property
    def balance(self) -> int:
        """Above nil: owed by the tenants; below nil: in their favour."""
        return self.receivable - self.credit


class StatementRow(NamedTuple):
    """One event that moved a lease's balance; `amount` is above nil where more is owed."""

    effective_on: date
    entry_id: int
    event: str
    amount: int
    invoice_id: int | None
    payment_id: int | None
    recorded_at: datetime
    explanation: str


class Movement(NamedTuple):
    """On a day an amount was added to a credit or an open amount, or taken away below nil."""

    day: date
    amount: int


def _sum(account: str, *, debit: bool) -> ColumnElement[int]:
    side = _p.c.debit - _p.c.credit if debit else _p.c.credit - _p.c.debit
    return func.coalesce(func.sum(case((_p.c.account == account, side), else_=0)), 0)


_HERE = _p.c.organization_id == bindparam("organization_id")
# Of some documents or of one payment: the sum keeps SQLite from going through the whole account.
_HERE_OF_FEW = _p.c.organization_id + 0 == bindparam("organization_id")
_OF_LEASES = _p.c.lease_id.in_(bindparam("lease_ids", expanding=True))
_BALANCE_ACCOUNTS = _p.c.account.in_(("receivable", "tenant_credit"))

_BALANCES_NOW = (
    select(_p.c.lease_id, _sum("receivable", debit=True), _sum("tenant_credit", debit=False))
    .where(_HERE, _OF_LEASES, _BALANCE_ACCOUNTS)
    .group_by(_p.c.lease_id)
)
_BALANCES_AS_OF = (
    _BALANCES_NOW.join(_e, _e.c.id == _p.c.entry_id)
    .where(_e.c.effective_on <= bindparam("on"))
    .where(_e.c.recorded_at <= bindparam("known_at"))
)
_HELD = (
    select(_p.c.lease_id, func.sum(_p.c.credit - _p.c.debit))
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_HERE, _OF_LEASES, _p.c.account == "deposits_held")
    .where(_e.c.effective_on <= bindparam("on"))
    .group_by(_p.c.lease_id)
)
_HELD_MOVES = (
    select(_e.c.effective_on, _p.c.credit - _p.c.debit)
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_HERE, _p.c.lease_id == bindparam("lease_id"), _p.c.account == "deposits_held")
    .order_by(_e.c.effective_on, _p.c.id)
)
_TOTALS = (
    select(_p.c.account, func.sum(_p.c.debit - _p.c.credit))
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_HERE, _e.c.effective_on <= bindparam("on"))
    .group_by(_p.c.account)
)
_STATEMENT = (
    select(
        _e.c.effective_on,
        _e.c.id,
        _e.c.event,
        func.sum(_p.c.debit - _p.c.credit).label("amount"),
        func.max(_p.c.invoice_id),
        func.max(_p.c.payment_id),
        _e.c.recorded_at,
        _e.c.explanation,
    )
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_HERE, _p.c.lease_id == bindparam("lease_id"), _BALANCE_ACCOUNTS)
    .where(_e.c.effective_on >= bindparam("first"), _e.c.effective_on <= bindparam("last"))
    .where(_e.c.recorded_at <= bindparam("known_at"))
    .group_by(_e.c.id, _e.c.effective_on, _e.c.event, _e.c.recorded_at, _e.c.explanation)
    .having(func.sum(_p.c.debit - _p.c.credit) != 0)
    .order_by(_e.c.effective_on, _e.c.id)
)
_WITH_CREDIT = (
    select(_p.c.lease_id)
    .where(_HERE, _p.c.account == "tenant_credit")
    .group_by(_p.c.lease_id)
    .having(func.sum(_p.c.credit - _p.c.debit) > 0)
)
_CREDIT_MOVES = (
    select(_p.c.lease_id, _p.c.payment_id, _e.c.effective_on, _p.c.credit - _p.c.debit)
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_HERE, _OF_LEASES, _p.c.account == "tenant_credit")
    .order_by(_p.c.lease_id, _e.c.effective_on, _p.c.id)
)
_left = (
    select(_p.c.lease_id, _p.c.payment_id)
    .where(_HERE, _OF_LEASES, _p.c.account == "tenant_credit")
    .group_by(_p.c.lease_id, _p.c.payment_id)
    .having(func.sum(_p.c.credit - _p.c.debit) > 0)
    .subquery("credit_left")
)
_SAME_PAYMENT = func.coalesce(_left.c.payment_id, 0) == func.coalesce(_p.c.payment_id, 0)
_UNUSED_MOVES = _CREDIT_MOVES.join(_left, and_(_left.c.lease_id == _p.c.lease_id, _SAME_PAYMENT))
_OPEN_MOVES = (
    select(_p.c.invoice_id, _e.c.effective_on, _p.c.debit - _p.c.credit)
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_HERE_OF_FEW, _p.c.account == "receivable")
    .where(_p.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)))
    .order_by(_p.c.invoice_id, _e.c.effective_on, _p.c.id)
)
_PAYMENT_ENTRY = (
    select(_p.c.entry_id)
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_HERE_OF_FEW, _p.c.payment_id == bindparam("payment_id"), _p.c.account == "bank")
    .where(_e.c.event == "payment")
)


def posted_to(account: str, lease_id: ColumnElement[int], *, debit: bool) -> ColumnElement[int]:
    """What stands on an account for the lease of the row that is asked for, of all days.

    `debit` says which side counts above nil. For a statement about few leases.
    """
    own = _p.alias()
    side = own.c.debit - own.c.credit if debit else own.c.credit - own.c.debit
    return (
        select(func.coalesce(func.sum(side), 0))
        .where(own.c.lease_id == lease_id, own.c.account == account)
        .scalar_subquery()
    )


def in_chunks(ids: Collection[int]) -> Iterator[Sequence[int]]:
    """Ids in portions that every engine takes as the parameters of one statement."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), MOST_IDS):
        yield ordered[start : start + MOST_IDS]


def lease_balances(
    lease_ids: Collection[int], on: date | None = None, known_at: datetime | None = None
) -> dict[int, LeaseBalance]:
    """The balances of leases; those that never had money are nil.

    `on` (inclusive) asks by effective date, default everything recorded; `known_at` (UTC) leaves
    out what was recorded later.
    """
    found = dict.fromkeys(lease_ids, LeaseBalance(0, 0))
    now = on is None and known_at is None
    day = {} if now else {"on": on or END_OF_TIME, "known_at": known_at or datetime.max}  # noqa: DTZ901
    statement: Select[Any] = _BALANCES_NOW if now else _BALANCES_AS_OF
    for chunk in in_chunks(lease_ids):
        for lease_id, owed, credit in db.session.execute(statement, {"lease_ids": chunk, **day}):
            found[lease_id] = LeaseBalance(int(owed), int(credit))
    return found


def lease_balance(
    lease_id: int, on: date | None = None, known_at: datetime | None = None
) -> LeaseBalance:
    """The balance of one lease (see `lease_balances`)."""
    return lease_balances([lease_id], on, known_at)[lease_id]


def deposits_held(lease_ids: Collection[int], on: date | None = None) -> dict[int, int]:
    """What of the leases' deposits is held at the end of a day (default: of all days)."""
    found = dict.fromkeys(lease_ids, 0)
    for chunk in in_chunks(lease_ids):
        rows = db.session.execute(_HELD, {"lease_ids": chunk, "on": on or END_OF_TIME})
        found.update((lease_id, int(held)) for lease_id, held in rows)
    return found


def deposit_movements(lease_id: int) -> list[Movement]:
    """How the deposit held of a lease came and went."""
    rows = db.session.execute(_HELD_MOVES, {"lease_id": lease_id})
    return [Movement(day, int(amount)) for day, amount in rows]


def account_totals(on: date | None = None) -> dict[str, int]:
    """Debit less credit of every account that was ever used, by effective date."""
    rows = db.session.execute(_TOTALS, {"on": on or END_OF_TIME})
    return {account: int(total) for account, total in rows}


def statement(
    lease_id: int, first: date, last: date, known_at: datetime | None = None
) -> list[StatementRow]:
    """What moved a lease's balance between two days, both inclusive, in order.

    Allocations move money between the lease's credit and its invoices and are not among it.
    `known_at` (UTC) leaves out what was recorded later.
    """
    parameters = {"lease_id": lease_id, "first": first, "last": last}
    parameters["known_at"] = known_at or datetime.max  # noqa: DTZ901
    return [StatementRow(*row) for row in db.session.execute(_STATEMENT, parameters)]


def leases_with_credit() -> set[int]:
    """The leases that have credit left."""
    return {lease_id for (lease_id,) in db.session.execute(_WITH_CREDIT)}


def credit_movements(
    lease_ids: Collection[int], *, unused: bool = False
) -> dict[int, dict[int | None, list[Movement]]]:
    """How each lease's credit came and went, by the payment it came with (None: elsewhere).

    With `unused` only of what something is left of; the history of what is used up is not read.
    """
    statement = _UNUSED_MOVES if unused else _CREDIT_MOVES
    found: dict[int, dict[int | None, list[Movement]]] = defaultdict(lambda: defaultdict(list))
    for chunk in in_chunks(lease_ids):
        for lease_id, payment_id, day, amount in db.session.execute(
            statement, {"lease_ids": chunk}
        ):
            found[lease_id][payment_id].append(Movement(day, int(amount)))
    return found


def open_movements(invoice_ids: Collection[int]) -> dict[int, list[Movement]]:
    """How the open amount of each invoice came and went."""
    found: dict[int, list[Movement]] = defaultdict(list)
    for chunk in in_chunks(invoice_ids):
        rows = db.session.execute(_OPEN_MOVES, {"invoice_ids": chunk})
        for invoice_id, day, amount in rows:
            found[invoice_id].append(Movement(day, int(amount)))
    return found


def payment_entry(payment_id: int) -> int:
    """The id of the entry that recorded a payment."""
    return int(db.session.execute(_PAYMENT_ENTRY, {"payment_id": payment_id}).scalar_one())
