"""Random leases and what is done to them in five years, as plain values of the second reckoning."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from tests.reckoner.terms import DAY, MONTHS, WEEKS, Charge, Dated, DueRule, Lease

START = date(2024, 1, 1)
YEARS = 5 * 365
EASTER = [
    date(2023, 4, 9), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2027, 3, 28),
    date(2028, 4, 16), date(2029, 4, 1), date(2030, 4, 21),
]  # fmt: skip
AFTER_EASTER = {"BE": (-2, 1, 39, 50), "BY": (-2, 1, 39, 50, 60)}
FIXED = {
    "BE": ("01-01", "03-08", "05-01", "10-03", "12-25", "12-26"),
    "BY": ("01-01", "01-06", "05-01", "10-03", "11-01", "12-25", "12-26"),
}
ONCE = {"BE": (date(2025, 5, 8), date(2028, 6, 17)), "BY": ()}
HOLIDAYS = {
    region: frozenset(
        [easter + timedelta(days=days) for easter in EASTER for days in AFTER_EASTER[region]]
        + [date.fromisoformat(f"{easter.year}-{day}") for easter in EASTER for day in FIXED[region]]
        + [*ONCE[region]]
    )
    for region in FIXED
}
"""The public holidays of the whole of Berlin and of Bavaria, by their laws."""


@dataclass(frozen=True)
class Deed:
    """Something done to the lease of that name on a day; `what` says with which of the values.

    Of `terms` count the agreed last day and whether billing stops there, the due rule, the lead.
    """

    on: date
    lease: str
    what: str
    day: date
    dated: Dated | None = None
    charge: Charge | None = None
    terms: Lease | None = None


@dataclass(frozen=True)
class History:
    """Leases, the deeds of five years, and the days of the runs, in order."""

    leases: tuple[Lease, ...]
    deeds: tuple[Deed, ...]
    runs: tuple[date, ...]

    def deeds_of(self, lease: Lease) -> list[Deed]:
        """What is done to one lease."""
        return [deed for deed in self.deeds if deed.lease == lease.name]


# Made once: a strategy that is built for each draw costs more than the draw.
TAXES = st.sampled_from(
    [
        (Fraction(rate, 1000), gross)
        for rate, gross in [(0, False), (190, False), (190, True), (70, False), (81, True)]
    ]
)
AMOUNTS = st.integers(1_00, 3000_00) | st.sampled_from([0, 1, 7, 99, 33_35, 1000_00, 1100_00])
BOOLEANS = st.booleans()
ONE_IN_THREE = st.sampled_from([False, False, True])
UP_TO_THREE = st.integers(0, 3)
UP_TO_FOUR = st.integers(0, 4)
NEXT_MONTHS = st.integers(0, 100)
NEXT_YEARS = st.integers(0, 900)
ABOUT = st.integers(-90, 30)
SOON = st.integers(0, 20)
INDEXES = st.integers(0, 15)
FREQUENCIES = st.just("monthly") | st.sampled_from([*WEEKS, *MONTHS])
METHODS = st.sampled_from(["actual", "fixed 30", "365", "none"])
REGIONS = st.sampled_from([*HOLIDAYS])
DAYS_OF_MONTH = st.integers(1, 31)
WORKING_DAYS = st.integers(1, 23)
SHIFTS = st.integers(-1, 1)
LEADS = st.just(5) | st.integers(0, 40)
WHATS = st.sampled_from("rent charge charge-end end end end terms terms credit".split())
GAPS = st.lists(st.integers(1, 300), min_size=6, max_size=16)
Tax = tuple[Fraction, bool]


def later(day: date, draw: st.DrawFn, offsets: st.SearchStrategy[int]) -> date:
    return day + timedelta(draw(offsets))


def amount(draw: st.DrawFn, start: date, tax: Tax, deferred: bool = False) -> Dated:
    """An amount, mostly taxed as the lease's others are."""
    return Dated(start, draw(AMOUNTS), deferred, *(draw(TAXES) if draw(ONE_IN_THREE) else tax))


def charge(draw: st.DrawFn, name: str, since: date, tax: Tax) -> Charge:
    """What is charged beside the rent, from a day on, for some time or for good."""
    first = later(since, draw, NEXT_YEARS) if draw(BOOLEANS) else since
    last = later(first, draw, NEXT_YEARS) if draw(BOOLEANS) else None
    return Charge(name, (amount(draw, first, tax),), first, last)


def rent(draw: st.DrawFn, first: date, tax: Tax) -> Charge:
    """The rent with the steps that were agreed at once."""
    steps = [amount(draw, first, tax)]
    for _ in range(draw(UP_TO_THREE)):
        steps.append(amount(draw, later(first, draw, NEXT_YEARS), tax, draw(BOOLEANS)))
    return Charge("rent", tuple(sorted(steps, key=lambda step: step.start)))


def due_rule(draw: st.DrawFn, region: str) -> DueRule:
    working = draw(ONE_IN_THREE)
    number = draw(WORKING_DAYS if working else DAYS_OF_MONTH)
    return DueRule(number, working, draw(SHIFTS), HOLIDAYS[region])


def region_of(lease: Lease) -> str:
    return next(region for region in HOLIDAYS if HOLIDAYS[region] == lease.due.holidays)


def lease(draw: st.DrawFn, name: str) -> Lease:
    """Any lease that begins in the first three years."""
    first = later(START, draw, NEXT_YEARS)
    agreed_last = later(first, draw, NEXT_YEARS) if draw(BOOLEANS) else None
    following = None
    if agreed_last is not None and draw(ONE_IN_THREE):
        following = later(agreed_last, draw, NEXT_MONTHS) + DAY
    tax, many = draw(TAXES), draw(UP_TO_THREE)
    beside = [charge(draw, f"charge {number}", first, tax) for number in range(many)]
    return Lease(
        name,
        first,
        (rent(draw, first, tax), *beside),
        agreed_last,
        succeeded_on=following,
        stops=draw(ONE_IN_THREE),
        frequency=draw(FREQUENCIES),
        anniversary=draw(BOOLEANS),
        arrears=draw(ONE_IN_THREE),
        due=due_rule(draw, draw(REGIONS)),
        method=draw(METHODS),
        cut_over=later(first, draw, NEXT_MONTHS) if draw(ONE_IN_THREE) else None,
        lead=draw(LEADS),
    )


def deed(draw: st.DrawFn, of: Lease, runs: list[date]) -> Deed:
    """Something that a manager does to a lease, mostly soon after a run."""
    during = [run for run in runs if run >= of.first] or runs[-1:]
    on, what = later(during[draw(INDEXES) % len(during)], draw, SOON), draw(WHATS)
    day = max(of.first, later(on, draw, ABOUT))
    now = of.charges[0].amounts[0]
    tax = now.rate, now.gross
    if what == "rent":
        return Deed(on, of.name, what, day, dated=amount(draw, day, tax, draw(BOOLEANS)))
    if what == "charge":
        return Deed(on, of.name, what, day, charge=charge(draw, f"charge of {on}", day, tax))
    if what == "terms":
        after = replace(
            of,
            agreed_last=day if draw(BOOLEANS) else None,
            due=due_rule(draw, region_of(of)),
            lead=draw(LEADS),
            stops=draw(BOOLEANS),
        )
        return Deed(on, of.name, what, day, terms=after)
    return Deed(on, of.name, what, day)


@st.composite
def histories(draw: st.DrawFn, size: int) -> History:
    """So many leases, up to four deeds for each, and runs every few days or months."""
    runs, day = [], START
    for gap in draw(GAPS):
        day = min(day + timedelta(gap), START + timedelta(YEARS))
        runs.append(day)
    runs.append(START + timedelta(YEARS))
    leases = [lease(draw, f"L{number}") for number in range(size)]
    deeds = [deed(draw, each, runs) for each in leases for _ in range(draw(UP_TO_FOUR))]
    return History(tuple(leases), tuple(sorted(deeds, key=lambda each: each.on)), tuple(runs))
