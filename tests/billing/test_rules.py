"""The worked examples of the trade, to the cent and the day."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from proman.billing.billed import Billed
from proman.billing.rules import Plan, first_invoices, next_due, plan
from proman.leases.rules import (
    ChargeTerms,
    DueRule,
    Frequency,
    HoldingOver,
    LeaseStatus,
    LeaseTerms,
    Periods,
    Proration,
    Recurrence,
    RentChange,
    RentStep,
    Timing,
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def lease(first: str, amount: int = 100000, due: str = "day:1", **changes: Any) -> LeaseTerms:
    """A monthly lease by the calendar at 1,000.00 unless said otherwise."""
    rents = (RentStep(day(first), amount),)
    terms = LeaseTerms(1, day(first), rents=rents, due_rule=DueRule.parse(due))
    return replace(terms, **changes)


def dues(found: Plan) -> list[tuple[str, int]]:
    return [(str(invoice.due_date), invoice.total) for invoice in found.invoices]


def nets(found: Plan) -> list[list[int]]:
    return [[line.net for line in invoice.lines] for invoice in found.invoices]


def again(terms: LeaseTerms, *plans: Plan) -> Billed:
    return Billed.of(span for p in plans for invoice in p.invoices for span in invoice.billed)


def test_from_17_march_due_day_31() -> None:
    terms = lease("2027-03-17", due="day:31")
    assert dues(plan(terms, as_of=day("2027-05-31"))) == [
        ("2027-03-31", 48387),
        ("2027-04-30", 100000),
        ("2027-05-31", 100000),
    ]


def test_never_due_before_the_first_day() -> None:
    found = plan(lease("2027-03-17"), as_of=day("2027-04-01"))
    assert dues(found) == [("2027-03-17", 48387), ("2027-04-01", 100000)]


@pytest.mark.parametrize(
    ("proration", "amount", "formula"),
    [
        (Proration.ACTUAL, 48387, "1000.00 × 15/31 days = 483.87"),
        (Proration.FIXED_30, 50000, "1000.00 × 15/30 days of 30-day months = 500.00"),
        (Proration.DAYS_365, 49315, "12 × 1000.00 × 15/365 days = 493.15"),
        (Proration.NONE, 100000, "1000.00, not prorated"),
    ],
)
def test_four_ways_of_proration(proration: Proration, amount: int, formula: str) -> None:
    found = plan(lease("2027-03-17", proration=proration), as_of=day("2027-03-17"))
    assert dues(found) == [("2027-03-17", amount)]
    assert found.invoices[0].lines[0].explanation == formula


def test_proration_is_capped_at_the_whole_amount() -> None:
    terms = lease("2027-03-02", proration=Proration.FIXED_30)
    assert dues(plan(terms, as_of=day("2027-03-02"))) == [("2027-03-02", 100000)]
    half = lease("2027-07-02", frequency=Frequency.HALF_YEARLY, proration=Proration.DAYS_365)
    assert dues(plan(half, as_of=day("2027-07-02"))) == [("2027-07-02", 100000)]


def test_29_february_counts_and_365_stays_365_in_a_leap_year() -> None:
    terms = lease("2028-02-15")
    assert dues(plan(terms, as_of=day("2028-02-15"))) == [("2028-02-15", 51724)]
    terms = replace(terms, proration=Proration.DAYS_365)
    assert dues(plan(terms, as_of=day("2028-02-15"))) == [("2028-02-15", 49315)]


def test_weekly_kinds_go_by_actual_days_unless_none() -> None:
    terms = lease("2027-03-01", 70000, frequency=Frequency.WEEKLY, last_day=day("2027-03-10"))
    for proration in (Proration.ACTUAL, Proration.FIXED_30, Proration.DAYS_365):
        found = plan(replace(terms, proration=proration), as_of=day("2027-03-08"))
        assert dues(found) == [("2027-03-01", 70000), ("2027-03-08", 30000)]
    found = plan(replace(terms, proration=Proration.NONE), as_of=day("2027-03-08"))
    assert dues(found)[-1] == ("2027-03-08", 70000)


def test_a_change_in_mid_period_splits_the_line() -> None:
    steps = (RentStep(day("2027-01-01"), 100000), RentStep(day("2027-04-17"), 110000))
    found = plan(lease("2027-04-01", rents=steps), as_of=day("2027-04-01"))
    first, second = found.invoices[0].lines
    assert (first.net, first.first_day, first.last_day) == (
        53333,
        day("2027-04-01"),
        day("2027-04-16"),
    )
    assert (second.net, second.first_day, second.last_day) == (
        51334,
        day("2027-04-17"),
        day("2027-04-30"),
    )
    assert found.invoices[0].total == 104667
    assert first.explanation == "1000.00 × 16/30 days = 533.33"
    assert "1100.00 × 14/30 days = 513.34" in second.explanation


def test_a_change_may_wait_for_the_next_period() -> None:
    steps = (
        RentStep(day("2027-01-01"), 100000),
        RentStep(day("2027-04-17"), 110000, RentChange.DEFER),
    )
    found = plan(lease("2027-04-01", rents=steps), as_of=day("2027-05-01"))
    assert nets(found) == [[100000], [110000]]


def test_a_split_in_a_part_period_splits_the_prorated_amount_by_its_days() -> None:
    steps = (RentStep(day("2027-03-17"), 100000), RentStep(day("2027-03-27"), 110000))
    found = plan(lease("2027-03-17", rents=steps), as_of=day("2027-03-17"))
    assert nets(found) == [[32258, 17742]]
    assert found.invoices[0].lines[0].explanation == "1000.00 × 15/31 days × 10/15 days = 322.58"


def test_a_rent_free_period_makes_no_invoice() -> None:
    steps = (RentStep(day("2027-01-01"), 0), RentStep(day("2027-03-01"), 100000))
    found = plan(lease("2027-01-01", rents=steps), as_of=day("2027-04-01"))
    assert dues(found) == [("2027-03-01", 100000), ("2027-04-01", 100000)]
    assert plan(lease("2027-01-01", 0), as_of=day("2027-04-01")).skipped == "Its amounts are nil."


def test_issued_within_the_lead_days_before_the_due_date() -> None:
    terms = lease("2027-01-01")
    billed = again(terms, plan(terms, as_of=day("2027-02-01")))
    early = plan(terms, as_of=day("2027-02-23"), billed=billed)
    assert early.invoices == ()
    assert early.next_due == day("2027-03-01")
    assert early.skipped == (
        "Nothing is due before 1 March 2027; it is issued from 24 February 2027."
    )
    found = plan(terms, as_of=day("2027-02-24"), billed=billed)
    assert [(i.issue_date, i.due_date) for i in found.invoices] == [
        (day("2027-02-24"), day("2027-03-01"))
    ]


def test_the_third_working_day_in_bavaria() -> None:
    terms = lease("2027-01-01", due="workday:3", country="DE", region="BY")
    assert dues(plan(terms, as_of=day("2027-01-05"))) == [("2027-01-07", 100000)]
    assert dues(plan(replace(terms, region="BE"), as_of=day("2027-01-05"))) == [
        ("2027-01-06", 100000)
    ]


def test_anniversary_periods_from_31_january() -> None:
    terms = lease("2027-01-31", periods=Periods.ANNIVERSARY, due="day:31")
    found = plan(terms, as_of=day("2027-04-30"))
    assert [(i.first_day.isoformat(), i.last_day.isoformat()) for i in found.invoices] == [
        ("2027-01-31", "2027-02-27"),
        ("2027-02-28", "2027-03-30"),
        ("2027-03-31", "2027-04-29"),
        ("2027-04-30", "2027-05-30"),
    ]
    assert [str(i.due_date) for i in found.invoices] == [
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]


def test_every_missed_period_is_caught_up_with_its_own_dates() -> None:
    terms = lease("2027-01-01", lead_days=0)
    march = plan(terms, as_of=day("2027-03-15"))
    assert dues(march) == [
        ("2027-01-01", 100000),
        ("2027-02-01", 100000),
        ("2027-03-01", 100000),
    ]
    assert {i.issue_date for i in march.invoices} == {day("2027-03-15")}
    billed = Billed.of(s for i in (march.invoices[0], march.invoices[2]) for s in i.billed)
    assert dues(plan(terms, as_of=day("2027-03-15"), billed=billed)) == [("2027-02-01", 100000)]


def test_one_invoice_for_a_due_date_with_a_line_for_each_charge() -> None:
    parking = ChargeTerms(7, "parking", "Parking", 6000, day("2027-01-01"), tax_rate=19000)
    heating = ChargeTerms(8, "heating", "Heating", 9000, day("2027-01-01"))
    found = plan(lease("2027-01-01", charges=(heating, parking)), as_of=day("2027-01-01"))
    (invoice,) = found.invoices
    assert [(line.kind, line.net, line.tax) for line in invoice.lines] == [
        ("rent", 100000, 0),
        ("parking", 6000, 1140),
        ("heating", 9000, 0),
    ]
    assert (invoice.net, invoice.tax, invoice.total) == (115000, 1140, 116140)
    assert [span.charge_id for span in invoice.billed] == [0, 7, 8]


def test_a_charge_added_later_gets_its_own_invoice_in_the_next_run() -> None:
    terms = lease("2027-01-01")
    first = plan(terms, as_of=day("2027-01-01"))
    parking = ChargeTerms(7, "parking", "Parking", 6000, day("2027-01-11"))
    found = plan(
        replace(terms, charges=(parking,)), as_of=day("2027-01-11"), billed=again(terms, first)
    )
    assert dues(found) == [("2027-01-01", 4065)]
    assert found.invoices[0].lines[0].explanation == "60.00 × 21/31 days = 40.65"


def test_a_charge_ending_inside_a_period_is_split_by_actual_days() -> None:
    parking = ChargeTerms(7, "parking", "Parking", 6000, day("2027-01-01"), day("2027-02-14"))
    terms = lease("2027-01-01", charges=(parking,), proration=Proration.FIXED_30)
    found = plan(terms, as_of=day("2027-03-01"))
    assert nets(found) == [[100000, 6000], [100000, 3000], [100000]]


def test_a_charge_from_the_leases_first_day_is_prorated_like_the_rent() -> None:
    heating = ChargeTerms(8, "heating", "Heating", 6000, day("2020-01-01"))
    terms = lease("2027-03-17", charges=(heating,), proration=Proration.FIXED_30)
    assert nets(plan(terms, as_of=day("2027-03-17"))) == [[50000, 3000]]


def test_one_off_charges_wait_for_the_next_run_or_are_invoiced_at_once() -> None:
    key = ChargeTerms(7, "fee", "Key", 2500, day("2027-01-20"), recurrence=Recurrence.ONCE)
    terms = lease("2027-01-01", charges=(key,))
    first = plan(terms, as_of=day("2027-01-01"))
    assert dues(first) == [("2027-01-01", 100000)]
    found = plan(terms, as_of=day("2027-01-20"), billed=again(terms, first))
    assert dues(found) == [("2027-01-20", 2500)]
    both = again(terms, first, found)
    assert plan(terms, as_of=day("2027-01-21"), billed=both).invoices == ()
    now = replace(terms, charges=(replace(key, recurrence=Recurrence.AT_ONCE),))
    at_once = plan(now, as_of=day("2027-01-02"), billed=again(terms, first))
    assert dues(at_once) == [("2027-01-20", 2500)]


def test_arrears_are_due_in_the_month_after_the_period() -> None:
    terms = lease("2027-03-17", timing=Timing.ARREARS)
    assert plan(terms, as_of=day("2027-03-26")).invoices == ()
    found = plan(terms, as_of=day("2027-05-01"))
    assert dues(found) == [("2027-04-01", 48387), ("2027-05-01", 100000)]


def test_gross_rent_holds_its_tax() -> None:
    steps = (RentStep(day("2027-01-01"), 100000, tax_rate=19000, gross=True),)
    (invoice,) = plan(lease("2027-01-01", rents=steps), as_of=day("2027-01-01")).invoices
    assert (invoice.net, invoice.tax, invoice.total) == (84034, 15966, 100000)


def test_the_period_with_the_agreed_last_day_is_billed_to_that_day() -> None:
    terms = lease("2027-01-01", last_day=day("2027-11-15"))
    november = plan(terms, as_of=day("2027-11-15"))
    assert dues(november)[-1] == ("2027-11-01", 50000)
    held_over = plan(terms, as_of=day("2027-11-16"), billed=again(terms, november))
    assert dues(held_over) == [("2027-11-16", 50000)]
    assert held_over.invoices[0].first_day == day("2027-11-16")
    december = plan(terms, as_of=day("2027-12-01"), billed=again(terms, november, held_over))
    assert dues(december) == [("2027-12-01", 100000)]
    stops = replace(terms, holding_over=HoldingOver.STOP)
    found = plan(stops, as_of=day("2027-12-01"), billed=again(terms, november))
    assert found.skipped == (
        "Its agreed last day, 15 November 2027, has passed, and billing stops there."
    )


def test_the_rest_of_the_whole_amount_by_the_365_method() -> None:
    terms = lease("2027-11-01", last_day=day("2027-11-15"), proration=Proration.DAYS_365)
    assert dues(plan(terms, as_of=day("2027-11-20"))) == [
        ("2027-11-01", 49315),
        ("2027-11-16", 50685),
    ]


def test_holding_over_ends_with_the_next_lease_or_the_ending() -> None:
    terms = lease("2027-01-01", last_day=day("2027-11-15"), lead_days=0)
    following = replace(terms, next_lease_first_day=day("2027-11-26"))
    assert dues(plan(following, as_of=day("2028-02-01")))[-1] == ("2027-11-16", 33333)
    ended = replace(terms, ended_on=day("2027-12-10"), status=LeaseStatus.ENDED)
    assert dues(plan(ended, as_of=day("2028-02-01")))[-2:] == [
        ("2027-11-16", 50000),
        ("2027-12-01", 32258),
    ]


def test_dated_changes_apply_to_a_lease_that_holds_over() -> None:
    steps = (RentStep(day("2027-01-01"), 100000), RentStep(day("2027-11-16"), 120000))
    terms = lease("2027-11-01", rents=steps, last_day=day("2027-11-15"))
    assert dues(plan(terms, as_of=day("2027-12-01"))) == [
        ("2027-11-01", 50000),
        ("2027-11-16", 60000),
        ("2027-12-01", 120000),
    ]


def test_a_lease_that_is_renewed_bills_the_rest_of_its_old_last_period() -> None:
    terms = lease("2027-11-01", last_day=day("2027-11-15"))
    first = plan(terms, as_of=day("2027-11-01"))
    renewed = replace(terms, last_day=day("2028-12-31"))
    found = plan(renewed, as_of=day("2027-12-01"), billed=again(terms, first))
    assert dues(found) == [("2027-11-16", 50000), ("2027-12-01", 100000)]


def test_a_lease_within_one_period_counts_its_days() -> None:
    terms = lease("2027-03-17", last_day=day("2027-03-25"))
    assert dues(plan(terms, as_of=day("2027-03-17"))) == [("2027-03-17", 29032)]


def test_periods_begun_by_the_cut_over_belong_to_the_old_system() -> None:
    """Harbour Court's A-07, by anniversary of the 28th: first billed 28 November."""
    terms = lease(
        "2023-03-28", 160000, periods=Periods.ANNIVERSARY, due="day:28",
        last_day=day("2027-03-27"), cut_over=day("2026-10-31"),
    )  # fmt: skip
    assert dues(plan(terms, as_of=day("2026-12-28")))[:2] == [
        ("2026-11-28", 160000),
        ("2026-12-28", 160000),
    ]
    calendar = lease("2023-03-28", cut_over=day("2026-10-31"))
    assert dues(plan(calendar, as_of=day("2026-10-31"))) == [("2026-11-01", 100000)]


def test_a_period_after_the_cut_over_is_billed_even_when_due_before_it() -> None:
    terms = lease("2023-01-01", due="day:25:before", cut_over=day("2026-10-31"))
    assert dues(plan(terms, as_of=day("2026-11-01"))) == [("2026-10-25", 100000)]


def test_a_draft_or_an_empty_lease_is_skipped_with_the_reason() -> None:
    draft = lease("2027-01-01", status=LeaseStatus.DRAFT)
    assert plan(draft, as_of=day("2027-01-01")).skipped == "The lease is a draft."
    empty = lease("2027-01-01", rents=())
    assert "Neither a rent" in str(plan(empty, as_of=day("2027-01-01")).skipped)


def test_an_ended_lease_is_billed_to_its_last_day_and_no_further() -> None:
    ended = lease("2027-01-01", ended_on=day("2027-02-14"), status=LeaseStatus.ENDED)
    found = plan(ended, as_of=day("2027-05-01"))
    assert dues(found) == [("2027-01-01", 100000), ("2027-02-01", 50000)]
    rest = plan(ended, as_of=day("2027-05-01"), billed=again(ended, found))
    assert rest.skipped == "It ended on 14 February 2027 and is billed to its end."
    assert next_due(ended, as_of=day("2027-05-01"), billed=again(ended, found)) is None


def test_the_form_of_a_lease_shows_its_first_invoices() -> None:
    terms = lease("2027-03-17", due="day:31", status=LeaseStatus.DRAFT)
    shown = first_invoices(terms, 3)
    assert [(str(i.issue_date), str(i.due_date), i.total) for i in shown] == [
        ("2027-03-26", "2027-03-31", 48387),
        ("2027-04-25", "2027-04-30", 100000),
        ("2027-05-26", "2027-05-31", 100000),
    ]
    short = lease("2027-03-17", last_day=day("2027-04-15"))
    assert [i.total for i in first_invoices(short, 5)] == [48387, 50000]
