"""What a rent or a charge comes to in a part of a period, and the formula that says so."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from proman.base.money import round_half_away
from proman.base.period import Period
from proman.leases.periods import periods_a_year
from proman.leases.rules import ChargeTerms, LeaseTerms, Proration, RentChange, RentStep

RENT = 0
_ONE_DAY = timedelta(days=1)

Show = Callable[[int], str]
"""Writes minor units in the manner of the organization."""


class Item(NamedTuple):
    """What is billed: the rent (charge nil) or a charge; both are dated amounts of one period."""

    charge_id: int
    kind: str
    description: str
    steps: tuple[RentStep, ...]
    last_day: date | None


class Share(NamedTuple):
    """The share of a period's amount that a part of it bears, at most the whole."""

    numerator: int
    denominator: int
    whole: bool
    """Whether the part is the full period."""


class Portion(NamedTuple):
    """One line's amount: some days (inclusive) of a part of a period, at one step's rate."""

    first: date
    last: date
    step: RentStep
    amount: int
    formula: str


def rent_item(terms: LeaseTerms) -> Item:
    """The rent of a lease; of two steps of one day the later recorded (listed) one counts."""
    steps = {step.first_day: step for step in terms.rents}
    ordered = tuple(steps[day] for day in sorted(steps))
    return Item(RENT, "rent", "Rent", ordered, None)


def charge_item(charge: ChargeTerms) -> Item:
    """A charge as an amount that begins and ends on its own days."""
    step = RentStep(
        charge.first_day,
        charge.amount,
        RentChange.SPLIT,
        charge.tax_rate,
        charge.gross,
        charge.recorded,
    )
    return Item(charge.charge_id, charge.kind, charge.description, (step,), charge.last_day)


def share(terms: LeaseTerms, full: Period, first: date, last: date) -> Share:
    """The share of the part from `first` to `last` (both inclusive) by the lease's proration.

    Actual days of the period; 30 days a month; the yearly amount by 365 days, leap years too;
    or none. Weekly kinds go by actual days, unless none. Never more than the whole.
    """
    whole = first <= full.first and last >= full.last
    if whole or terms.proration is Proration.NONE:
        return Share(1, 1, whole)
    days = (last - first).days + 1
    if terms.frequency.days or terms.proration is Proration.ACTUAL:
        return Share(days, full.days, False)
    if terms.proration is Proration.FIXED_30:
        numerator, denominator = days, 30 * terms.frequency.months
    else:
        numerator, denominator = periods_a_year(terms.frequency) * days, 365
    return Share(min(numerator, denominator), denominator, False)


def _stretches(item: Item, first: date, last: date) -> list[tuple[date, date, RentStep]]:
    """Days of the part under each step; a deferred step waits for the next period."""
    current: RentStep | None = None
    found: list[tuple[date, date, RentStep]] = []
    start = first
    end = last if item.last_day is None else min(last, item.last_day)
    for step in item.steps:
        if step.first_day <= first:
            current = step
        elif step.first_day <= end and step.change is RentChange.SPLIT:
            if current is not None:
                found.append((start, step.first_day - _ONE_DAY, current))
            current, start = step, step.first_day
    if current is not None and start <= end:
        found.append((start, end, current))
    return found


def portions(
    terms: LeaseTerms, item: Item, full: Period, first: date, last: date, show: Show
) -> list[Portion]:
    """The lines of an item for the part from `first` to `last` of a full period; nil has none.

    A split inside the part goes by its actual days; each line is rounded once, and the last is
    the rounded exact sum less the others.
    """
    part = share(terms, full, first, last)
    stretches = [found for found in _stretches(item, first, last) if found[2].amount]
    if part.whole and len(stretches) == 1 and stretches[0][:2] == (first, last):
        step = stretches[0][2]
        return [
            Portion(first, last, step, step.amount, f"{show(step.amount)} for the whole period")
        ]
    lines = _split(terms, part, stretches, (last - first).days + 1, show)
    return [line for line in lines if line.amount]


def _split(
    terms: LeaseTerms,
    part: Share,
    stretches: list[tuple[date, date, RentStep]],
    days: int,
    show: Show,
) -> list[Portion]:
    """A line for each stretch of a part of so many days; the last takes the rest."""
    denominator = part.denominator * days
    lines: list[Portion] = []
    exact = rounded = 0
    for at, (start, end, step) in enumerate(stretches, 1):
        of_days = (end - start).days + 1
        numerator = step.amount * part.numerator * of_days
        exact += numerator
        own = amount = round_half_away(numerator, denominator)
        if at == len(stretches):
            amount = round_half_away(exact, denominator) - rounded
        rounded += amount
        text = _formula(terms, part, step, (of_days, days), amount, show)
        if amount != own:
            text += f" (the parts are {show(rounded)} together)"
        lines.append(Portion(start, end, step, amount, text))
    return lines


def _formula(
    terms: LeaseTerms, part: Share, step: RentStep, split: tuple[int, int], amount: int, show: Show
) -> str:
    """How a line's amount came about, in the words of a hand calculation."""
    of_days, days = split
    text = show(step.amount)
    if not part.whole:
        text = _prorated(terms, part, text)
        if of_days == days and part.numerator == part.denominator:
            return text
    if of_days != days:
        text += f" × {of_days}/{days} days"
    return f"{text} = {show(amount)}"


def _prorated(terms: LeaseTerms, part: Share, text: str) -> str:
    if terms.proration is Proration.NONE:
        return f"{text}, not prorated"
    if part.numerator == part.denominator:
        return f"{text}, at most the whole amount"
    if terms.proration is Proration.DAYS_365 and not terms.frequency.days:
        year = periods_a_year(terms.frequency)
        yearly = f"{year} × {text}" if year > 1 else text
        return f"{yearly} × {part.numerator // year}/365 days"
    months = " of 30-day months" if terms.proration is Proration.FIXED_30 else ""
    if terms.frequency.days:
        months = ""
    return f"{text} × {part.numerator}/{part.denominator} days{months}"


def rest_of(
    terms: LeaseTerms,
    item: Item,
    full: Period,
    part: Period,
    start: date,
    show: Show,
    *,
    own_end: bool = False,
) -> list[Portion]:
    """The lines from `start` on, when the part was billed up to the day before it.

    That was the last day of the part as one knew it, or the item's own last day in it (`own_end`).
    They come to what the whole part bears less what its earlier days bore; where the amount
    changes among the later days, that goes by days and amounts, and the last line takes the rest.
    """
    whole = portions(terms, item, full, part.first, part.last, show)
    if start == part.first or (whole and whole[0].first >= start):
        return whole
    before = start - _ONE_DAY
    if own_end:
        was = _sum(
            portions(terms, item._replace(last_day=before), full, part.first, part.last, show)
        )
    else:
        was = _sum(portions(terms, item, full, part.first, before, show))
    rest = _sum(whole) - was
    stretches = [
        (max(first, start), last, step)
        for first, last, step in _stretches(item, part.first, part.last)
        if step.amount and last >= start
    ]
    if not stretches or rest <= 0:
        return []
    text = f"{show(rest + was)} less {show(was)} for the days to {before:%Y-%m-%d}"
    if len(stretches) == 1:
        return [Portion(*stretches[0], rest, f"{text} = {show(rest)}")]
    return _rest_split(stretches, rest, f"{text} = {show(rest)}", show)


def _rest_split(
    stretches: list[tuple[date, date, RentStep]], rest: int, text: str, show: Show
) -> list[Portion]:
    """A line for each amount among the days that were not billed; the last takes the rest."""
    weights = [((last - first).days + 1) * step.amount for first, last, step in stretches]
    lines: list[Portion] = []
    given = 0
    for (first, last, step), weight in zip(stretches, weights, strict=True):
        is_last = last == stretches[-1][1]
        amount = rest - given if is_last else round_half_away(rest * weight, sum(weights))
        given += amount
        share = f"; {(last - first).days + 1} days at {show(step.amount)} bear {show(amount)}"
        lines.append(Portion(first, last, step, amount, text + share))
    return [line for line in lines if line.amount]


def _sum(lines: list[Portion]) -> int:
    return sum(line.amount for line in lines)
