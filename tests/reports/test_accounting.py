"""The books that an accountant gets are ours: beancount itself reads them and agrees."""

import csv
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from proman.base.money import decimal_string
from proman.db import db
from proman.ledger.models import Entry, Posting
from proman.ledger.rules import Account
from proman.reports.accounting import NAMES, beancount_books
from proman.reports.forms import EARLIEST, LATEST
from proman.reports.journal import trial_balance
from tests import factories
from tests.conftest import Cast
from tests.money import make_invoice

BEAN_CHECK = Path(sys.executable).with_name("bean-check")


def checked(path: Path) -> None:
    """The real `bean-check` has nothing to say."""
    done = subprocess.run([BEAN_CHECK, "--no-cache", path], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def balances(path: Path) -> dict[str, Decimal]:
    """What beancount makes of each account that is not nil."""
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    sums: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry, Transaction):
            for posting in entry.postings:
                sums[posting.account] += posting.units.number
    return {account: amount for account, amount in sums.items() if amount}


def ours(on: date) -> dict[str, Decimal]:
    return {
        NAMES[Account(one.account)]: Decimal(decimal_string(one.debit - one.credit, "EUR"))
        for one in trial_balance(on)
    }


def test_bean_check_proves_the_demonstration(
    demonstrate: Callable[[int], FlaskClient], app: Flask, tmp_path: Path, today: date
) -> None:
    client = demonstrate(10)
    whole, month = tmp_path / "whole.beancount", tmp_path / "month.beancount"
    run = app.test_cli_runner()
    done = run.invoke(args=["ledger", "export", str(whole)])
    assert done.exit_code == 0, done.output
    first, last = today.replace(day=1) - timedelta(days=20), today - timedelta(days=5)
    month.write_bytes(client.get(f"/reports/journal.beancount?from={first}&to={last}").get_data())
    checked(whole)
    checked(month)
    with app.test_request_context():
        db.session.info["organization_id"] = db.session.scalar(
            select(func.min(Entry.organization_id)).execution_options(everywhere=True)
        )
        assert balances(whole) == ours(LATEST)
        assert balances(month) == ours(last)
        lines = db.session.scalar(select(func.count(Posting.id)))
    assert "Brought forward" in month.read_text("utf-8")
    assert "Brought forward" not in whole.read_text("utf-8")
    sheet = tmp_path / "whole.csv"
    assert run.invoke(args=["ledger", "export", str(sheet)]).exit_code == 0
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == lines
    assert {path.name for path in tmp_path.iterdir()} == {whole.name, month.name, sheet.name}


@pytest.mark.engines
def test_a_changed_amount_is_seen_by_bean_check(home: Cast, tmp_path: Path) -> None:
    make_invoice(factories.make_lease(), 70_000, due=date(2026, 3, 1))
    path = tmp_path / "books.beancount"
    text = b"".join(beancount_books(EARLIEST, LATEST, "EUR", 'The "old" \\ one')).decode()
    path.write_text(text, encoding="utf-8")
    checked(path)
    path.write_text(text.replace("700.00", "701.00", 2), encoding="utf-8")
    with pytest.raises(AssertionError):
        checked(path)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["books.txt"], "ends in .csv or in .beancount"),
        (["books.csv", "--from", "2026-02-01", "--to", "2026-01-01"], "before the first day"),
    ],
)
def test_what_cannot_be_exported_is_a_wrong_usage(
    home: Cast, app: Flask, tmp_path: Path, asked: list[str], said: str
) -> None:
    done = app.test_cli_runner().invoke(
        args=["ledger", "export", str(tmp_path / asked[0]), *asked[1:]]
    )
    assert done.exit_code == 2
    assert said in done.output
    assert list(tmp_path.iterdir()) == []
