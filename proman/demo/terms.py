"""Draws the terms of the demonstration leases: range, rhythm, due day, rent, charges, deposit."""

from datetime import date, timedelta
from random import Random

from proman.base.period import add_months
from proman.demo.values import DemoCharge, DemoRent, DemoUnit

STANDARD_TAX = 23_000
REDUCED_TAX = 13_500
"""Ireland's rates of value added tax, in thousandths of a per cent."""

RHYTHMS = (
    ("monthly", "calendar", "advance", 800),
    ("monthly", "anniversary", "advance", 130),
    ("monthly", "calendar", "arrears", 20),
    ("four_weekly", "anniversary", "advance", 15),
    ("fortnightly", "anniversary", "advance", 10),
    ("weekly", "anniversary", "advance", 25),
)
COMMERCIAL_RHYTHMS = (
    ("monthly", "calendar", "advance", 600),
    ("quarterly", "calendar", "advance", 300),
    ("quarterly", "anniversary", "advance", 60),
    ("half_yearly", "calendar", "advance", 25),
    ("yearly", "anniversary", "advance", 15),
)
DAYS_OF = {"weekly": 7, "fortnightly": 14, "four_weekly": 28}
MONTHS_OF = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}
DUE_RULES = (
    ("day:1", 640), ("day:3", 60), ("day:5", 90), ("day:15", 60), ("day:28", 30), ("day:31", 40),
    ("workday:1", 30), ("workday:3", 50),
)  # fmt: skip
CHARGES = (
    ("parking", "Parking space", 6_000, 14_000, STANDARD_TAX, True, 22),
    ("heating", "Heating and hot water", 4_500, 11_000, REDUCED_TAX, False, 30),
    ("service", "Service charge", 3_000, 9_000, 0, False, 18),
    ("other", "Storage room", 1_500, 4_000, STANDARD_TAX, True, 6),
)
"""Kind, words, lowest and highest monthly amount, tax, gross, how many leases in a hundred."""


def draw_rhythm(random: Random, *, commercial: bool) -> tuple[str, str, str]:
    """Frequency, kind of periods and timing; shops and offices often pay by the quarter."""
    rhythms = COMMERCIAL_RHYTHMS if commercial else RHYTHMS
    frequency, periods, timing, _ = random.choices(rhythms, [row[3] for row in rhythms])[0]
    return frequency, periods, timing


def draw_due_rule(random: Random) -> str:
    """Mostly the first; also other days, the last of the month and working days."""
    return random.choices([row[0] for row in DUE_RULES], [row[1] for row in DUE_RULES])[0]


def draw_first_day(random: Random, earliest: date, latest: date) -> date:
    """A day in the range (inclusive): two thirds on the first of a month, others anywhere."""
    day = earliest + timedelta(days=random.randrange((latest - earliest).days + 1))
    first = day.replace(day=1)
    return first if random.randrange(3) and first >= earliest else day


def amount_of_period(monthly: int, frequency: str) -> int:
    """What a monthly amount (minor units) is for one period, in whole hundreds of minor units."""
    if frequency in DAYS_OF:
        return monthly * 12 * DAYS_OF[frequency] // 365 // 100 * 100
    return monthly * MONTHS_OF[frequency]


def draw_rents(
    random: Random, unit: DemoUnit, frequency: str, first_day: date, window: tuple[date, date]
) -> tuple[DemoRent, ...]:
    """The rent at first and, where an anniversary lies inside `window`, what it may have risen to.

    `window` is the first day of the demonstration and the last day on which the rent may rise.
    """
    monthly = unit.market_rent * random.randrange(88, 103) // 100 // 500 * 500
    rents = [DemoRent(first_day, amount_of_period(monthly, frequency))]
    starts, latest = window
    rise_on = first_day.replace(year=latest.year, day=1)
    if rise_on > latest:
        rise_on = add_months(rise_on, -12)
    if first_day < add_months(rise_on, -11) and starts < rise_on and random.randrange(2):
        raised = monthly * random.choice((1020, 1025, 1030, 1045)) // 1000 // 100 * 100
        rents.append(DemoRent(rise_on, amount_of_period(raised, frequency)))
    return tuple(rents)


def draw_charges(
    random: Random, unit: DemoUnit, frequency: str, first_day: date
) -> tuple[DemoCharge, ...]:
    """Parking, heating, service charge, storage: the same rhythm as the rent."""
    if unit.commercial:
        service = amount_of_period(unit.area * 350, frequency)
        return (DemoCharge("service", "Service charge", service, STANDARD_TAX, first_day),)
    charges = []
    for kind, words, low, high, tax, gross, share in CHARGES:
        if random.randrange(100) < share:
            amount = amount_of_period(random.randrange(low, high, 500), frequency)
            charges.append(DemoCharge(kind, words, amount, tax, first_day, gross))
    return tuple(charges)
