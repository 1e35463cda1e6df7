"""The worked examples of the trade end to end: from the rows of a lease to the issued invoices."""

from datetime import date
from typing import Any

import pytest

from proman.db import begin_write, db
from proman.leases.models import Rent
from tests.billing.books import breaches, invoices, lines_of, run
from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_unit


def day(text: str) -> date:
    return date.fromisoformat(text)


def set_rent(lease_id: int, amount: int, on: str, **values: Any) -> None:
    begin_write()
    db.session.add(Rent(lease_id=lease_id, amount=amount, effective_from=day(on), **values))
    db.session.commit()


def billed(as_of: str) -> list[tuple[str, int]]:
    """A run on that day: the due dates and totals of what it issued."""
    found = [(str(i.due_date), i.total) for i in run(day(as_of), today=day("2030-01-01")).issued]
    assert breaches() == []
    return found


@pytest.mark.parametrize(
    ("lease", "as_of", "expected"),
    [
        pytest.param(
            {"first_day": "2027-03-17", "due_rule": "day:31"},
            "2027-05-31",
            [("2027-03-31", 48387), ("2027-04-30", 100000), ("2027-05-31", 100000)],
            id="due day 31 is clipped from its anchor",
        ),
        pytest.param(
            {"first_day": "2027-03-17"},
            "2027-03-17",
            [("2027-03-17", 48387)],
            id="never due before the first day",
        ),
        pytest.param(
            {"first_day": "2027-03-17", "proration": "fixed_30"},
            "2027-03-17",
            [("2027-03-17", 50000)],
            id="months of 30 days",
        ),
        pytest.param(
            {"first_day": "2027-03-17", "proration": "days_365"},
            "2027-03-17",
            [("2027-03-17", 49315)],
            id="365 days a year",
        ),
        pytest.param(
            {"first_day": "2027-03-17", "proration": "none"},
            "2027-03-17",
            [("2027-03-17", 100000)],
            id="no proration",
        ),
        pytest.param(
            {"first_day": "2027-01-31", "periods": "anniversary", "due_rule": "day:31"},
            "2027-03-31",
            [("2027-01-31", 100000), ("2027-02-28", 100000), ("2027-03-31", 100000)],
            id="by anniversary from 31 January",
        ),
        pytest.param(
            {
                "first_day": "2023-03-28",
                "last_day": "2027-03-27",
                "periods": "anniversary",
                "due_rule": "day:28",
                "cut_over": "2026-10-31",
                "rent": 160000,
            },
            "2026-11-28",
            [("2026-11-28", 160000)],
            id="A-07 of Harbour Court after the cut-over",
        ),
        pytest.param(
            {"first_day": "2027-11-01", "last_day": "2027-11-15"},
            "2027-12-01",
            [("2027-11-01", 50000), ("2027-11-16", 50000), ("2027-12-01", 100000)],
            id="holding over from 16 November",
        ),
        pytest.param(
            {"first_day": "2027-11-01", "last_day": "2027-11-15", "holding_over": "stop"},
            "2027-12-01",
            [("2027-11-01", 50000)],
            id="stopping at the agreed last day",
        ),
        pytest.param(
            {"first_day": "2027-03-17", "timing": "arrears"},
            "2027-05-01",
            [("2027-04-01", 48387), ("2027-05-01", 100000)],
            id="in arrears",
        ),
        pytest.param(
            {"first_day": "2027-03-17", "frequency": "fortnightly", "last_day": "2027-04-06"},
            "2027-04-06",
            [("2027-03-17", 100000), ("2027-03-31", 50000)],
            id="fortnightly, the last one a part",
        ),
        pytest.param(
            {"first_day": "2027-02-15", "frequency": "quarterly"},
            "2027-04-01",
            [("2027-02-15", 50000), ("2027-04-01", 100000)],
            id="quarterly by the calendar",
        ),
    ],
)
def test_example(
    home: Cast, lease: dict[str, Any], as_of: str, expected: list[tuple[str, int]]
) -> None:
    days = {key: day(lease[key]) for key in ("first_day", "last_day", "cut_over") if key in lease}
    make_lease(**(lease | days))
    assert billed(as_of) == expected
    assert billed(as_of) == []


def test_a_change_on_17_april_makes_two_lines(home: Cast) -> None:
    lease_id = make_lease(first_day=day("2027-04-01"))
    set_rent(lease_id, 110000, "2027-04-17", change="split")
    assert billed("2027-04-01") == [("2027-04-01", 104667)]
    (invoice,) = invoices()
    assert [
        (line.net, str(line.period_start), line.period_amount) for line in lines_of(invoice.id)
    ] == [
        (53333, "2027-04-01", 100000),
        (51334, "2027-04-17", 110000),
    ]


def test_a_change_alters_only_what_is_not_issued(home: Cast) -> None:
    lease_id = make_lease(first_day=day("2027-04-01"))
    assert billed("2027-04-01") == [("2027-04-01", 100000)]
    set_rent(lease_id, 110000, "2027-04-01")
    assert billed("2027-04-26") == [("2027-05-01", 110000)]
    assert invoices()[0].total == 100000


def test_a_gross_rent_holds_its_tax(home: Cast) -> None:
    lease_id = make_lease(first_day=day("2027-04-01"))
    set_rent(lease_id, 100000, "2027-04-01", tax_rate=19000, gross=True)
    assert billed("2027-04-01") == [("2027-04-01", 100000)]
    assert (invoices()[0].net, invoices()[0].tax) == (84034, 15966)


def test_the_third_working_day_of_january_2027(home: Cast) -> None:
    for region in ("BE", "BY"):
        unit = make_unit(make_property(region=region))
        make_lease(unit, first_day=day("2027-01-01"), due_rule="workday:3")
    assert billed("2027-01-05") == [("2027-01-06", 100000), ("2027-01-07", 100000)]


def test_rent_free_months_make_no_invoice(home: Cast) -> None:
    lease_id = make_lease(first_day=day("2027-01-01"), rent=0)
    set_rent(lease_id, 100000, "2027-03-01")
    assert billed("2027-03-01") == [("2027-03-01", 100000)]
    assert billed("2027-04-01") == [("2027-04-01", 100000)]
