"""The books for accountants: journal lines as CSV and whole books for beancount, streamed."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, select

from proman.base.money import decimal_string
from proman.db import db
from proman.ledger.models import Entry, Posting
from proman.ledger.rules import Account
from proman.reports import journal
from proman.web.sheets import csv_lines

_e: Table = Entry.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]
NAMES = {
    Account.RECEIVABLE: "Assets:Receivable",
    Account.BANK: "Assets:Bank",
    Account.TENANT_CREDIT: "Liabilities:Tenant-Credit",
    Account.DEPOSITS_REQUESTED: "Liabilities:Deposits-Requested",
    Account.DEPOSITS_HELD: "Liabilities:Deposits-Held",
    Account.TAX: "Liabilities:Tax",
    Account.INCOME: "Income:Rent-And-Charges",
    Account.EXPENSE: "Expenses:Properties",
    Account.BAD_DEBT: "Expenses:Bad-Debt",
    Account.OPENING_BALANCES: "Equity:Opening-Balances",
}
"""What each account is called in beancount."""
OPENED = date(1800, 1, 1)
_ONE_DAY = timedelta(days=1)
_BATCH = 1_000
_PORTION = 200
"""Entries that are sent at a time."""
_KEYS = ("lease_id", "property_id", "invoice_id", "payment_id")
_LINES: Select[Any] = (
    select(
        _e.c.id,
        _e.c.effective_on,
        _e.c.event,
        _e.c.recorded_at,
        _e.c.explanation,
        _p.c.account,
        (_p.c.debit - _p.c.credit).label("amount"),
        *(_p.c[key] for key in _KEYS),
    )
    .join(_p, _p.c.entry_id == _e.c.id)
    .where(_e.c.organization_id == bindparam("organization_id"))
    .where(_e.c.effective_on.between(bindparam("first"), bindparam("last")))
    .order_by(_e.c.effective_on, _e.c.id, _p.c.id)
)


def csv_books(first: date, last: date, currency: str) -> Iterator[bytes]:
    """The lines of every entry of the days, both inclusive, the oldest first."""
    rows = journal.POSTINGS.every({}, {"first": first, "last": last})
    return csv_lines(journal.POSTINGS.columns, rows, currency)


def beancount_books(first: date, last: date, currency: str, title: str) -> Iterator[bytes]:
    """The entries of the days, both inclusive, as a beancount file that proves itself.

    What stood on the accounts before is brought forward by one entry the day before; at the end
    the balance of every account is stated, for beancount to compare with its own.
    """
    texts = _texts(first, last, currency, title)
    while portion := "".join(islice(texts, _PORTION)):
        yield portion.encode()


def _texts(first: date, last: date, currency: str, title: str) -> Iterator[str]:
    opening = [
        f'option "title" "{_quoted(title)}"',
        f'option "operating_currency" "{currency}"',
        "",
    ]
    opening += [f"{OPENED} open {name} {currency}" for name in NAMES.values()]
    yield "\n".join([*opening, ""])
    sums: Counter[str] = Counter()
    day = first - _ONE_DAY
    before = journal.trial_balance(day)
    if before:
        sums.update({one.account: one.debit - one.credit for one in before})
        told = [f'\n{day} * "Brought forward"']
        told += [_posting(one.account, sums[one.account], currency) for one in before]
        yield "\n".join([*told, ""])
    parameters = {"first": first, "last": last}
    execution = {"yield_per": _BATCH}
    with db.session.execute(_LINES, parameters, execution_options=execution) as rows:
        for _, of_entry in groupby(rows, lambda row: row.id):
            lines = list(of_entry)
            day = lines[0].effective_on
            for line in lines:
                sums[line.account] += line.amount
            yield _entry(lines, currency)
    yield "\n".join(["", *_proof(sums, day + _ONE_DAY, currency), ""])


def _entry(lines: list[Row[Any]], currency: str) -> str:
    head = lines[0]
    told = [
        f'\n{head.effective_on} * "{journal.words(head.event)}" "{_quoted(head.explanation)}"',
        f'  entry: "{head.id}"',
        f'  recorded-at: "{head.recorded_at.isoformat()}Z"',
    ]
    for key in _KEYS:
        value = getattr(head, key)
        if value is not None:
            told.append(f'  {key.removesuffix("_id")}: "{value}"')
    told += [_posting(line.account, line.amount, currency) for line in lines]
    return "\n".join([*told, ""])


def _posting(account: str, amount: int, currency: str) -> str:
    return f"  {NAMES[Account(account)]}  {decimal_string(amount, currency)} {currency}"


def _proof(sums: Counter[str], day: date, currency: str) -> list[str]:
    return [
        f"{day} balance {name}  {decimal_string(sums[account], currency)} {currency}"
        for account, name in NAMES.items()
    ]


def _quoted(text: str) -> str:
    """Text as it may stand between beancount's quotation marks."""
    return " ".join(text.replace("\\", "\\\\").replace('"', '\\"').split())
