"""The doctor is content with sound books and finds each kind of breach."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, text

from proman.app import MIGRATIONS
from proman.base.checks import Breach
from proman.database.revisions import head_revision
from proman.db import begin_write, db
from proman.doctor import CHECKS, examine
from proman.doctor_pages import page_of
from proman.payments.actions import NewPayment, Share, record_payment, reverse_payment
from proman.payments.queries import payment as payment_by_id
from tests.conftest import Cast
from tests.factories import make_lease, make_unit
from tests.money import actor, make_invoice

TODAY = date(2027, 4, 20)


def breaches() -> list[Breach]:
    db.session.rollback()
    with db.engine.connect() as connection:
        return examine(connection, head_revision(MIGRATIONS))


def pay(lease_id: int, amount: int) -> int:
    begin_write()
    new = NewPayment(date(2027, 3, 2), "cash", "", (Share(lease_id, amount),))
    made = record_payment(new, today=TODAY, actor=actor(), confirmed=True)[0].id
    db.session.commit()
    return made


@pytest.fixture
def books(home: Cast) -> dict[str, int]:
    """A lease with two invoices, a payment of one and a half, and one that bounced."""
    lease_id = make_lease()
    first, second = make_invoice(lease_id), make_invoice(lease_id, due=date(2027, 4, 1))
    begin_write()
    db.session.execute(
        text(
            "INSERT INTO number_series (organization_id, series, year, last_sequence,"
            " last_issue_date) SELECT organization_id, series, year, MAX(sequence),"
            " MAX(issue_date) FROM invoices GROUP BY organization_id, series, year"
        )
    )
    db.session.execute(text("UPDATE invoices SET sequence = id, number = id"))
    db.session.execute(text("UPDATE number_series SET last_sequence = 2"))
    db.session.commit()
    payment = pay(lease_id, 150_000)
    bounced = pay(lease_id, 10_000)
    begin_write()
    reverse_payment(payment_by_id(bounced), TODAY, "No funds", today=TODAY, actor=actor())
    db.session.commit()
    return {"lease": lease_id, "first": first, "second": second, "payment": payment}


def test_sound_books_are_in_order(books: dict[str, int], app: Flask) -> None:
    assert breaches() == []
    answer = app.test_cli_runner().invoke(args=["doctor", "--json"])
    assert (answer.exit_code, json.loads(answer.output)) == (0, {"ok": True, "breaches": []})


LOOSE = ("entry ", "posting ", "lease None")
HARM = [
    ("UPDATE postings SET debit = debit + 1 WHERE debit > 0", "Every entry sums to nil"),
    ("DELETE FROM postings WHERE entry_id = 1", "Every entry sums to nil"),
    ("UPDATE postings SET account = 'pocket' WHERE account = 'income'", "known account"),
    ("UPDATE entries SET reverses_id = 1 WHERE id = 2", "mirror image"),
    ("UPDATE entries SET effective_on = '2027-01-01' WHERE event = 'allocation'", "never negative"),
    ("UPDATE postings SET lease_id = NULL WHERE account = 'receivable'", "owed by a lease"),
    ("UPDATE invoices SET open = open - 1 WHERE open > 0", "What is owed is what is open"),
    ("UPDATE invoices SET open = open - 1 WHERE open > 0", "what the journal says"),
    ("UPDATE allocations SET amount = amount - 1 WHERE amount > 0", "The paid part"),
    ("UPDATE allocations SET amount = amount - 1 WHERE amount > 0", "what each payment paid"),
    ("UPDATE allocations SET amount = 2 * amount WHERE amount < 0", "No more of an allocation"),
    ("UPDATE allocations SET effective_on = '2027-01-01'", "its own lease"),
    ("UPDATE allocations SET effective_on = '2027-01-01'", "that lease's own document"),
    ("UPDATE allocations SET amount = amount + 1 WHERE amount < 0", "pays nothing"),
    ("UPDATE number_series SET last_sequence = 5", "no gap"),
    ("UPDATE invoices SET sequence = 9 WHERE id = 2", "no gap"),
    ("UPDATE invoices SET issue_date = '2028-01-01' WHERE id = 1", "never go back"),
    ("UPDATE invoice_lines SET net = 1", "sum of what is printed"),
    ("UPDATE payments SET amount = amount + 1", "in the bank once"),
    ("DELETE FROM payment_reversals", "in the bank once"),
    (
        "INSERT INTO deposit_events (organization_id, lease_id, event, happened_on, amount,"
        " recorded_at) SELECT organization_id, id, 'received', '2027-01-01', 5, '2027-01-01'"
        " FROM leases",
        "deposits held are the liability",
    ),
    (
        "INSERT INTO billed_periods (organization_id, lease_id, charge_key, period_start,"
        " period_end, days, repetition, invoice_id) SELECT organization_id, lease_id, 0,"
        " '2027-03-31', '2027-03-01', 31, 0, id FROM invoices LIMIT 1",
        "stands on an invoice",
    ),
    ("UPDATE alembic_version SET version_num = 'older'", "schema"),
]


@pytest.mark.parametrize(("harm", "invariant"), HARM)
def test_each_harm_is_found(books: dict[str, int], app: Flask, harm: str, invariant: str) -> None:
    begin_write()
    db.session.execute(text(harm))
    db.session.commit()
    assert [b for b in breaches() if invariant in b.invariant], breaches()
    answer = app.test_cli_runner().invoke(args=["doctor", "--json"])
    assert answer.exit_code == 1
    found = json.loads(answer.output)["breaches"]
    addresses = app.url_map.bind("localhost")
    for one in found:
        # What lost its lease has no page.
        assert addresses.match(one["page"]) if one["page"] else one["where"].startswith(LOOSE), one
    told = app.test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 1
    lines = [one["where"] + (f" Open {one['page']}" if one["page"] else "") for one in found]
    assert [
        re.sub(r": .*?( Open /\S+|)$", r"\1", line) for line in told.output.splitlines()
    ] == lines


def test_the_page_of_a_breach_is_that_of_its_record_or_of_its_lease(
    books: dict[str, int], alice: FlaskClient
) -> None:
    first = {
        table: db.session.execute(text(f"SELECT MIN(id) FROM {table}")).scalar_one()
        for table in ("entries", "postings", "allocations", "leases", "invoices", "payments")
    }
    lease = f"/leases/{first['leases']}"
    expected = {
        f"entry {first['entries']}": lease,
        f"posting {first['postings']}": lease,
        f"allocation {first['allocations']}": lease,
        f"lease {first['leases']}": lease,
        f"leases {first['leases']}": lease,
        f"invoice {first['invoices']}": f"/invoices/{first['invoices']}",
        f"payment {first['payments']}": f"/payments/{first['payments']}",
        "organization 1": "/admin/organization",
        "organization 1, series invoice, year 2027": "/admin/organization",
        "database": "/admin/database",
        "journal.jsonl": "/admin/database/journal",
        "entry 999999": "",
        "audit_entries 7": "",
        "invoice": "",
    }
    with db.engine.connect() as connection:
        assert {where: page_of(connection, where) for where in expected} == expected
    # The invoice of this test is bare, without the letterhead that its page shows.
    pages = {page for page in expected.values() if page and "/invoices/" not in page}
    assert {alice.get(page).status_code for page in pages} == {200}


@pytest.mark.sqlite  # a server takes no such row, and its administrator can only ask it not to look
def test_rows_that_refer_to_nothing_are_found(books: dict[str, int], app: Flask) -> None:
    raw = db.engine.raw_connection()
    raw.cursor().execute("PRAGMA foreign_keys = OFF")
    raw.cursor().execute("DELETE FROM tenants")
    raw.cursor().execute("PRAGMA foreign_keys = ON")
    raw.close()
    assert {b.invariant for b in breaches()} == {"What a row refers to is there"}


@contextmanager
def overlaps_allowed(connection: Connection) -> Iterator[None]:
    """Without what refuses two leases of a unit on one day; the caller rolls back inside."""
    again = []
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE leases DROP CONSTRAINT ex_leases_overlap"))
    else:
        for moment in ("insert", "update"):
            if connection.dialect.name != "sqlite":  # there a rollback does not bring it back
                made = connection.execute(text(f"SHOW CREATE TRIGGER leases_overlap_{moment}"))
                again.append(made.one()[2])
            connection.execute(text(f"DROP TRIGGER leases_overlap_{moment}"))
    yield
    with db.engine.connect() as other:
        for statement in again:
            other.exec_driver_sql(statement)


def test_leases_that_overlap_are_found(home: Cast) -> None:
    unit_id = make_unit()
    make_lease(unit_id, last_day=date(2026, 12, 31))
    later = make_lease(unit_id, first_day=date(2027, 1, 1))
    assert breaches() == []
    begin_write()
    with overlaps_allowed(db.session.connection()):
        earlier = text("UPDATE leases SET first_day = '2026-12-31' WHERE id = :id")
        db.session.execute(earlier, {"id": later})
        found = examine(db.session.connection(), head_revision(MIGRATIONS))
        db.session.rollback()
    assert [b.where for b in found] == [f"lease {later}"]


def test_of_many_breaches_of_a_kind_only_the_first_are_told(home: Cast) -> None:
    for _ in range(3):
        make_invoice(make_lease())
    begin_write()
    db.session.execute(
        text(
            "INSERT INTO entries (organization_id, event, effective_on, recorded_at, explanation)"
            " WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 60)"
            " SELECT o.id, 'x', '2027-01-01', '2027-01-01', '' FROM n, organizations o"
        )
    )
    db.session.commit()
    told = [b for b in breaches() if b.invariant == "Every entry sums to nil"]
    assert len(told) == 51
    assert "more of this kind" in told[-1].what


def test_every_statement_runs_on_an_empty_database(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert examine(connection, head_revision(MIGRATIONS)) == []
    assert len({check.invariant for check in CHECKS}) == len(CHECKS)


@pytest.mark.engines("postgresql")
def test_the_checks_go_through_whole_tables_and_what_follows_does_not(
    books: dict[str, int],
) -> None:
    ways = []

    def listen(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        if statement in {check.sql for check in CHECKS}:
            ways.append(connection.exec_driver_sql("SHOW enable_nestloop").scalar())

    with db.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", listen)
        assert examine(connection, head_revision(MIGRATIONS)) == []
        assert ways == ["off"] * len(CHECKS)
        assert connection.exec_driver_sql("SHOW enable_nestloop").scalar() == "on"
