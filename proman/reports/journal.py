"""The journal entry by entry, and what stands on each account: as of a day and as known on one."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
    true,
    union_all,
)

from proman.billing.models import Invoice
from proman.database.kept import rows_while_unchanged
from proman.db import db
from proman.expenses.models import Expense
from proman.identity.models import User
from proman.leases.models import Lease, LeaseParty
from proman.ledger.models import Entry, Posting
from proman.ledger.rules import EVENTS, Account
from proman.payments.models import Payment
from proman.properties.models import Property
from proman.reports.forms import known_at
from proman.web.listing import Column, Filter, Listing, of_id

_e: Table = Entry.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]
_u: Table = User.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_lp: Table = LeaseParty.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_x: Table = Expense.__table__  # type: ignore[assignment]
_pay: Table = Payment.__table__  # type: ignore[assignment]
_pr: Table = Property.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
_OF_LEASE: ColumnElement[int] = bindparam("of_lease")
_OF_PROPERTY: ColumnElement[int] = bindparam("of_property")
_OF_TENANT: ColumnElement[int] = bindparam("of_tenant")


def words(name: str) -> str:
    """How an account or an event is called on a page."""
    return name.replace("_", " ").capitalize()


ACCOUNTS = tuple((account.value, words(account.value)) for account in Account)
KINDS = tuple((event, words(event)) for event in EVENTS)
_own = _p.alias("own")
_OF_ENTRY = (_own.c.entry_id == _e.c.id, _own.c.organization_id == _HERE)
_IN_THE_DAYS = (
    _e.c.organization_id == _HERE,
    _e.c.effective_on.between(bindparam("first"), bindparam("last")),
)
_LEASES_OF_TENANT = select(_lp.c.lease_id).where(
    _lp.c.organization_id == _HERE, _lp.c.tenant_id == _OF_TENANT
)


def _is_day(text: str) -> Mapping[str, Any]:
    date.fromisoformat(text)
    return {}


_FILTERS = {
    "from": Filter(true(), _is_day),
    "to": Filter(true(), _is_day),
    "known": Filter(
        _e.c.recorded_at <= bindparam("known_at"),
        lambda text: {"known_at": known_at(date.fromisoformat(text))},
    ),
    "account": Filter(
        exists().where(*_OF_ENTRY, _own.c.account == bindparam("account")),
        lambda text: {"account": Account(text).value},
    ),
    "kind": Filter(
        _e.c.event == bindparam("event"),
        lambda text: {"event": text} if text in EVENTS else None,
    ),
    "property": Filter(
        exists().where(*_OF_ENTRY, _own.c.property_id == _OF_PROPERTY), of_id("of_property")
    ),
    "lease": Filter(
        _e.c.id.in_(
            select(_own.c.entry_id).where(
                _own.c.organization_id == _HERE, _own.c.lease_id == _OF_LEASE
            )
        ),
        of_id("of_lease"),
    ),
}
JOURNAL = Listing(
    address="/reports/journal",
    rows=select(
        _e.c.id,
        _e.c.effective_on,
        _e.c.event,
        _e.c.recorded_at,
        _e.c.explanation,
        _e.c.reverses_id,
        func.coalesce(_u.c.name, "ProMan").label("recorded_by"),
    )
    .select_from(_e.outerjoin(_u, _u.c.id == _e.c.recorded_by))
    .where(*_IN_THE_DAYS),
    counted=select(_e.c.id).where(*_IN_THE_DAYS),
    id=_e.c.id,
    sorts={"day": _e.c.effective_on},
    default="-day",
    filters=_FILTERS,
)
POSTINGS = Listing(
    address="/reports/journal",
    rows=select(
        _e.c.id,
        _e.c.effective_on,
        _e.c.event,
        _e.c.recorded_at,
        _e.c.explanation,
        _p.c.account,
        _p.c.debit,
        _p.c.credit,
        _p.c.lease_id,
        _p.c.property_id,
        _p.c.invoice_id,
        _p.c.payment_id,
    )
    .join(_p, _p.c.entry_id == _e.c.id)
    .where(*_IN_THE_DAYS),
    id=_e.c.id,
    sorts={"day": _e.c.effective_on},
    default="day",
    filters=_FILTERS,
    columns=(
        Column("Entry", "id", "number"),
        Column("Date", "effective_on", "day"),
        Column("Event", "event"),
        Column("Account", "account"),
        Column("Debit", "debit", "amount"),
        Column("Credit", "credit", "amount"),
        Column("Explanation", "explanation"),
        Column("Lease id", "lease_id", "number"),
        Column("Property id", "property_id", "number"),
        Column("Invoice id", "invoice_id", "number"),
        Column("Payment id", "payment_id", "number"),
        Column("Recorded at (UTC)", "recorded_at"),
    ),
)
_LINES = (
    select(
        _p.c.entry_id,
        _p.c.account,
        _p.c.debit,
        _p.c.credit,
        _p.c.lease_id,
        _p.c.property_id,
        _p.c.invoice_id,
        _p.c.payment_id,
        _l.c.reference.label("lease"),
        _pr.c.name.label("property"),
        _i.c.number.label("invoice"),
        _pay.c.reference.label("payment"),
        _x.c.id.label("expense_id"),
    )
    .join(_e, _e.c.id == _p.c.entry_id)
    .outerjoin(_l, _l.c.id == _p.c.lease_id)
    .outerjoin(_pr, _pr.c.id == _p.c.property_id)
    .outerjoin(_i, _i.c.id == _p.c.invoice_id)
    .outerjoin(_pay, _pay.c.id == _p.c.payment_id)
    .outerjoin(_x, _x.c.entry_id == func.coalesce(_e.c.reverses_id, _e.c.id))
    .where(_p.c.organization_id + 0 == _HERE)
    .where(_p.c.entry_id.in_(bindparam("entries", expanding=True)))
    .order_by(_p.c.entry_id, _p.c.id)
)


def lines_of(entries: Collection[int]) -> Mapping[int, Sequence[Row[*tuple[Any, ...]]]]:
    """The lines of each entry, with the names of what they concern."""
    found: dict[int, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    if entries:
        for line in db.session.execute(_LINES, {"entries": sorted(entries)}):
            found[line.entry_id].append(line)
    return found


class Standing(NamedTuple):
    """What stands on an account, minor units: on one side at most."""

    account: str
    debit: int
    credit: int

    @property
    def words(self) -> str:
        return words(self.account)


_TOTALS: Select[Any] = (
    select(_p.c.account, func.sum(_p.c.debit - _p.c.credit).label("total"))
    .join(_e, _e.c.id == _p.c.entry_id)
    .where(_p.c.organization_id == _HERE, _e.c.effective_on <= bindparam("as_of"))
    .group_by(_p.c.account)
)
_OF: Mapping[str, ColumnElement[bool]] = {
    "lease": _p.c.lease_id == _OF_LEASE,
    "property": _p.c.property_id == _OF_PROPERTY,
    "tenant": _p.c.lease_id.in_(_LEASES_OF_TENANT),
}
_KNOWN = _e.c.recorded_at <= bindparam("known_at")


def _of_all(beyond: ColumnElement[bool]) -> Select[Any]:
    # All there is lies in one index; looking up each entry's day would take ten times as long.
    amount = _p.c.debit - _p.c.credit
    every = select(_p.c.account, func.sum(amount).label("total"))
    later = select(_p.c.account, func.sum(-amount)).join(_e, _e.c.id == _p.c.entry_id)
    sums = union_all(
        every.where(_p.c.organization_id == _HERE).group_by(_p.c.account),
        later.where(_e.c.organization_id == _HERE, beyond).group_by(_p.c.account),
    ).subquery("sums")
    return select(sums.c.account, func.sum(sums.c.total).label("total")).group_by(sums.c.account)


_LATER = _e.c.effective_on > bindparam("as_of")
_BUILT = {
    ("", False): _of_all(_LATER),
    ("", True): _of_all(or_(_LATER, not_(_KNOWN))),
    **{(of, False): _TOTALS.where(clause) for of, clause in _OF.items()},
    **{(of, True): _TOTALS.where(clause, _KNOWN) for of, clause in _OF.items()},
}


def trial_balance(
    as_of: date, known: datetime | None = None, of: str = "", of_id: int = 0
) -> list[Standing]:
    """What stands on each account at the end of a day, in the order of the accounts.

    By effective date; `known` (UTC) leaves out what was recorded later. `of` narrows it to a
    lease, a tenant or a property, whose id is given; entries are whole, so the sides stay equal.
    """
    values: dict[str, Any] = {"as_of": as_of}
    values |= {"known_at": known} if known else {}
    values |= {f"of_{of}": of_id} if of else {}
    rows = rows_while_unchanged(_BUILT[of, known is not None], values)
    sums = {row.account: int(row.total) for row in rows}
    found = ((account, sums.get(account, 0)) for account, _ in ACCOUNTS)
    return [Standing(account, max(one, 0), max(-one, 0)) for account, one in found if one]
