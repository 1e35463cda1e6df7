"""Reckons indexed rents: which values count, from when the new rent holds, or why it does not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from proman.base.money import round_half_away
from proman.base.period import add_months

ALL = 100_000
"""The whole, in thousandths of a per cent."""
_YEAR = 12


class TakesEffect(StrEnum):
    """On which days an indexed rent can begin."""

    MONTH = "month"
    ANNIVERSARY = "anniversary"


class Why(StrEnum):
    """Why a lease's rent is not indexed on a notice day."""

    NO_BASE = "no_base"
    NO_NEWER = "no_newer"
    NOT_BEGUN = "not_begun"
    ENDS = "ends"
    COMING = "coming"
    RENT_FREE = "rent_free"
    HELD = "held"
    THRESHOLD = "threshold"
    FELL = "fell"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Published:
    """The index of a month (its first day) as it was published on a day, in thousandths."""

    id: int
    month: date
    value: int
    published_on: date


@dataclass(frozen=True, slots=True)
class Clause:
    """What a lease says of its indexation.

    `base` is the value that the last indexation ended with: it stays, whatever is published of its
    month later. `threshold` is in thousandths of a per cent. `unchanged_since` is for a lease whose
    rent was last changed before it came here.
    """

    base_month: date
    base: Published | None = None
    notice_months: int = 1
    hold_months: int = _YEAR
    takes_effect: TakesEffect = TakesEffect.MONTH
    threshold: int = 0
    up_only: bool = False
    same_month: bool = False
    unchanged_since: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A rent of one period (minor units) from a day on, with its tax as `rules.RentStep` has it.

    `first_day` is the first that bears it: one that waits for the next period begins with that.
    """

    first_day: date
    amount: int
    tax_rate: int = 0
    gross: bool = False


@dataclass(frozen=True, slots=True)
class Days:
    """When the lease runs; all days inclusive."""

    first_day: date
    last_day: date | None = None
    ended_on: date | None = None
    stops: bool = False
    """Whether it ends at its agreed last day without anybody ending it."""


@dataclass(frozen=True, slots=True)
class Indexation:
    """The rent that holds from a day on, and what it was reckoned from; minor units."""

    base: Published
    new: Published
    before: Step
    new_rent: int
    notice_day: date
    effective_from: date

    @property
    def old_rent(self) -> int:
        return self.before.amount


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why the rent stays as it is; `day` is the one that the reason tells of.

    `change` is that of the index in thousandths of a per cent.
    """

    why: Why
    effective_from: date
    day: date | None = None
    change: int = 0


def indexed(rent: int, base: int, new: int) -> int:
    """rent × new ÷ base in minor units, rounded once, halves away from zero."""
    return round_half_away(rent * new, base)


def change_of(base: int, new: int) -> int:
    """By how much the index changed, in thousandths of a per cent, rounded; it can be negative."""
    return round_half_away((new - base) * ALL, base)


def effective_day(clause: Clause, first_day: date, notice_day: date) -> date:
    """The first day of the new rent by a notice of that day.

    By the month: `notice_months` whole months lie between the month of the notice and that day; one
    makes it the first of the month after next, as § 557b BGB says. By the anniversary: the first
    anniversary of the lease's first day that is `notice_months` after the notice or later.
    """
    if clause.takes_effect is TakesEffect.MONTH:
        return add_months(notice_day.replace(day=1), clause.notice_months + 1)
    earliest = add_months(notice_day, clause.notice_months)
    years = max(0, earliest.year - first_day.year)
    on = add_months(first_day, _YEAR * years)
    return on if on >= earliest else add_months(first_day, _YEAR * (years + 1))


def unchanged_since(steps: Sequence[Step]) -> date | None:
    """Since when the last rent holds; rent-free days between do not change it."""
    since = None
    amount = next((step.amount for step in reversed(steps) if step.amount), None)
    for step in reversed(steps):
        if step.amount not in (0, amount):
            break
        if step.amount:
            since = step.first_day
    return since


def known_on(values: Iterable[Published], day: date) -> dict[date, Published]:
    """The value of each month as it was last published by that day (inclusive), by month."""
    found: dict[date, Published] = {}
    for value in sorted(values, key=lambda each: (each.published_on, each.id)):
        if value.published_on <= day:
            found[value.month] = value
    return dict(sorted(found.items()))


def indexation_of(
    clause: Clause,
    days: Days,
    steps: Sequence[Step],
    known: dict[date, Published],
    notice_day: date,
) -> Indexation | Skipped:
    """The new rent by a notice of that day, or why there is none.

    `steps` are the lease's rents by their first day (of one day the later recorded later), `known`
    the values of the clause's series by `known_on` that day.
    """
    on = effective_day(clause, days.first_day, notice_day)
    steps = [*{step.first_day: step for step in steps}.values()]
    base = clause.base or known.get(clause.base_month)
    if base is None:
        return Skipped(Why.NO_BASE, on, clause.base_month)
    new = _newest(known, base.month, clause.same_month)
    if new is None:
        return Skipped(Why.NO_NEWER, on, base.month)
    skipped = _kept_by_terms(clause, days, steps, on, notice_day)
    if skipped is not None:
        return skipped
    return _reckoned(clause, Indexation(base, new, steps[-1], 0, notice_day, on))


def _newest(known: dict[date, Published], after: date, same_month: bool) -> Published | None:
    """The value of the newest month after that one, or of its own month of a later year."""
    for month in reversed(known):
        if month <= after:
            return None
        if not same_month or month.month == after.month:
            return known[month]
    return None


def _kept_by_terms(
    clause: Clause, days: Days, steps: Sequence[Step], on: date, notice_day: date
) -> Skipped | None:
    if on < days.first_day or not steps or steps[0].first_day > on:
        return Skipped(Why.NOT_BEGUN, on, days.first_day)
    last = days.ended_on or days.last_day
    if last is not None and last < on:
        # A lease that nobody ended holds over once its agreed last day has passed.
        is_over = days.ended_on is not None or days.stops or last >= notice_day
        if is_over:
            return Skipped(Why.ENDS, on, last)
    if steps[-1].first_day > on:
        return Skipped(Why.COMING, on, steps[-1].first_day)
    if not steps[-1].amount:
        return Skipped(Why.RENT_FREE, on, steps[-1].first_day)
    since = unchanged_since(steps) or days.first_day
    if clause.unchanged_since is not None:
        since = max(since, clause.unchanged_since)
    until = add_months(since, clause.hold_months)
    return Skipped(Why.HELD, on, until) if on < until else None


def _reckoned(clause: Clause, found: Indexation) -> Indexation | Skipped:
    base, new, on = found.base.value, found.new.value, found.effective_from
    change = change_of(base, new)
    if clause.up_only and new < base:
        return Skipped(Why.FELL, on, found.new.month, change)
    if abs(new - base) * ALL < clause.threshold * base:
        return Skipped(Why.THRESHOLD, on, found.new.month, change)
    rent = indexed(found.old_rent, base, new)
    if rent == found.old_rent:
        return Skipped(Why.SAME, on, found.new.month, change)
    return replace(found, new_rent=rent)
