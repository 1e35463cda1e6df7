"""The rest of a period: after the agreed last day, and after a charge's own that was moved."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from proman.billing.billed import Billed
from proman.billing.rules import Plan, plan
from proman.leases.rules import ChargeTerms, DueRule, LeaseTerms, Proration, RentStep


def day(text: str) -> date:
    return date.fromisoformat(text)


def lease(first: str, due: str = "day:1", **changes: Any) -> LeaseTerms:
    """A monthly lease by the calendar at 1,000.00 unless said otherwise."""
    rents = (RentStep(day(first), 100000),)
    return replace(LeaseTerms(1, day(first), rents=rents, due_rule=DueRule.parse(due)), **changes)


def dues(found: Plan) -> list[tuple[str, int]]:
    return [(str(invoice.due_date), invoice.total) for invoice in found.invoices]


def again(found: Plan) -> Billed:
    return Billed.of(span for invoice in found.invoices for span in invoice.billed)


def test_nothing_after_the_agreed_last_day_is_due_before_the_day_after_it() -> None:
    terms = lease("2027-11-01", last_day=day("2027-12-31"), due="day:25:before")
    december = plan(terms, as_of=day("2027-12-31"))
    assert dues(december) == [("2027-11-01", 100000), ("2027-11-25", 100000)]
    january = plan(terms, as_of=day("2028-01-01"), billed=again(december))
    assert dues(january) == [("2028-01-01", 100000)]


def test_the_rest_is_split_by_its_days_and_the_last_line_takes_the_rest() -> None:
    """What is left may be less than its first amount alone would be: no line below nil."""
    steps = (RentStep(day("2027-11-01"), 100000), RentStep(day("2027-11-21"), 110000))
    terms = lease("2027-11-01", rents=steps, last_day=day("2027-11-15"))
    rest = plan(replace(terms, proration=Proration.NONE), as_of=day("2027-11-20")).invoices[1]
    assert [line.net for line in rest.lines] == [1042, 2291]
    assert [line.explanation for line in rest.lines] == [
        "1033.33 less 1000.00 for the days to 2027-11-15 = 33.33; 5 days at 1000.00 bear 10.42",
        "1033.33 less 1000.00 for the days to 2027-11-15 = 33.33; 10 days at 1100.00 bear 22.91",
    ]
    by_days = plan(terms, as_of=day("2027-11-20")).invoices[1]
    assert [line.net for line in by_days.lines] == [16667, 36666]


@pytest.mark.parametrize("proration", list(Proration))
def test_a_charge_whose_last_day_is_moved_bills_the_rest_of_its_period(
    proration: Proration,
) -> None:
    """It ended by itself, which goes by actual days, whatever the lease's own part-periods do."""
    parking = ChargeTerms(7, "parking", "Parking", 11000, day("2027-12-01"), day("2027-12-17"))
    terms = lease("2027-12-01", charges=(parking,), proration=proration)
    first = plan(terms, as_of=day("2027-12-01"))
    assert [line.net for line in first.invoices[0].lines] == [100000, 6032]
    longer = replace(terms, charges=(replace(parking, last_day=None),))
    second = plan(longer, as_of=day("2027-12-20"), billed=again(first))
    assert dues(second) == [("2027-12-18", 4968)]


@pytest.mark.parametrize("proration", list(Proration))
def test_a_charge_alone_that_the_lease_ended_is_not_billed_again(proration: Proration) -> None:
    """The lease's agreed last day is taken away; no rent tells that it had ended the charge too."""
    parking = ChargeTerms(7, "parking", "Parking", 11000, day("2027-12-01"))
    own = {"rents": (), "charges": (parking,), "proration": proration}
    terms = lease("2027-12-01", last_day=day("2027-12-17"), **own)
    first = plan(terms, as_of=day("2027-12-01"))
    open_ended = replace(terms, last_day=None)
    second = plan(open_ended, as_of=day("2027-12-20"), billed=again(first))
    billed = sum(invoice.total for invoice in (*first.invoices, *second.invoices))
    assert billed == 11000
