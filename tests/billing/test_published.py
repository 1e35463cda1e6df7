"""Examples that others have published: proration, days of rent, clipped month ends, tax rounding.

Each names where it stands. Sources that round the daily rate first differ by cents; ProMan rounds
a line once, so only figures that do not depend on it are taken from them.
"""

from dataclasses import replace
from datetime import date

import pytest

from proman.billing.rules import plan
from proman.billing.tax import tax_of, taxed_lines
from proman.leases.rules import DueRule, LeaseTerms, Periods, Proration, RentStep

ACTUAL, FIXED_30, DAYS_365 = Proration.ACTUAL, Proration.FIXED_30, Proration.DAYS_365
SAPLING = "sapling.com/2105869/calculate-prorated-rent"
"""Counts 21 days to the end of January; with both end days that is from the 11th."""
GUIDE = "proratemyrent.com, Prorated Rent Calculator Guide"
FRESHDESK = "myrentalmanagement.freshdesk.com, How to prorate rent with a billing date of the 1st"
CALCBRIGHT = "calcbright.com/prorated-rent-calculator"
BGH_2006 = "Bundesgerichtshof, 13 July 2010, VIII ZR 129/09 (mieterbund-darmstadt.de on it)"
BGH_2008 = "Bundesgerichtshof, 13 July 2010, VIII ZR 291/09 (mieterbund-darmstadt.de on it)"
BAMBERG = "ra-bamberg.de, Samstag zählt nicht als Werktag im Sinne von § 556 b BGB"
ELVIRA = "elvira-immo.de, Fälligkeit der Miete: the 1st a Saturday, the third working day the 5th"


def lease(first: date, rent: int, **terms: object) -> LeaseTerms:
    """By calendar months in advance, due on the 1st, unless said otherwise."""
    return replace(LeaseTerms(1, first, rents=(RentStep(first, rent),)), **terms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "rent", "proration", "amount"),
    [
        pytest.param(date(2027, 1, 11), 120000, ACTUAL, 81290, id=f"{SAPLING}: days in the month"),
        pytest.param(date(2027, 1, 11), 120000, DAYS_365, 82849, id=f"{SAPLING}: days in a year"),
        pytest.param(date(2027, 3, 17), 120000, ACTUAL, 58065, id=f"{GUIDE}: actual days"),
        pytest.param(date(2027, 3, 17), 120000, FIXED_30, 60000, id=f"{GUIDE}: banker's month"),
        pytest.param(date(2027, 8, 20), 100000, ACTUAL, 38710, id=FRESHDESK),
        pytest.param(date(2026, 3, 11), 150000, ACTUAL, 101613, id=CALCBRIGHT),
    ],
)
def test_a_first_part_month(first: date, rent: int, proration: Proration, amount: int) -> None:
    found = plan(lease(first, rent, proration=proration), as_of=first)
    assert [invoice.total for invoice in found.invoices] == [amount]


@pytest.mark.parametrize(
    ("month", "due"),
    [
        pytest.param(date(2006, 12, 1), date(2006, 12, 5), id=BGH_2006),
        pytest.param(date(2008, 2, 1), date(2008, 2, 5), id=BGH_2008),
        pytest.param(date(2010, 10, 1), date(2010, 10, 5), id=BAMBERG),
        pytest.param(date(2026, 8, 1), date(2026, 8, 5), id=ELVIRA),
    ],
)
def test_the_third_working_day_of_german_law(month: date, due: date) -> None:
    """§ 556b (1) BGB: Saturdays are not counted."""
    terms = lease(month, 65646, due_rule=DueRule(3, True), country="DE", region="BE")
    assert plan(terms, as_of=month).invoices[0].due_date == due


@pytest.mark.parametrize("year", [2027, 2028])
@pytest.mark.parametrize("periods", list(Periods))
def test_an_anchor_on_31_january_is_never_lost(year: int, periods: Periods) -> None:
    """docs.stripe.com/subscriptions/billing-cycle: 28 February (29 in a leap year), then
    31 March, 30 April, and so on.
    """
    first = date(year, 1, 31)
    terms = lease(first, 100000, due_rule=DueRule(31), periods=periods)
    found = [invoice.due_date for invoice in plan(terms, as_of=date(year, 4, 30)).invoices]
    leap = 29 if year % 4 == 0 else 28
    assert found == [first, date(year, 2, leap), date(year, 3, 31), date(year, 4, 30)]


def test_the_tax_of_a_rate_is_that_of_the_sum() -> None:
    """EN 16931, BR-CO-17, by the example of its authors: CEN/TC 434, ubl-tc434-example1.xml.

    Lines at 6 % come to 183.23 and bear 10.99, those at 21 % to 46.37 and bear 9.74.
    """
    low = "19.90 9.85 8.29 14.46 35.00 35.00 10.65 1.55 14.37 8.29 16.58 9.95 3.30 3.90 102.12"
    lines = [(int(each.replace(".", "")), 6000, False) for each in [*low.split(), "-109.98"]]
    lines += [(amount, 21000, False) for amount in (1080, 760, 934, 1863)]
    taxed = taxed_lines(lines)
    assert (sum(one.net for one in taxed[:16]), sum(one.tax for one in taxed[:16])) == (18323, 1099)
    assert (sum(one.net for one in taxed[16:]), sum(one.tax for one in taxed[16:])) == (4637, 974)


def test_the_tax_within_a_gross_amount_is_rounded_half_up() -> None:
    """docs.zuora.com, Rounding rule for inclusive tax mode, "Rounding Tax Amount": 2.99 at 4 %
    holds exactly 0.115, which is 0.12.
    """
    assert tax_of(299, 4000, gross=True) == 12
