"""The parts of a lease's periods in their order, and what falls due for each of them."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple

from proman.base.period import Period
from proman.billing.billed import Billed, Extent, Span
from proman.billing.reckoning import (
    RENT,
    Item,
    Portion,
    Show,
    charge_item,
    rent_item,
    rest_of,
)
from proman.leases.periods import due_day, full_period, period_index
from proman.leases.rules import LeaseTerms, Recurrence

_ONE_DAY = timedelta(days=1)
_LOOK_AHEAD = 130
"""Periods searched for an amount beyond what is due: ten years of months, over two of weeks."""


class Part(NamedTuple):
    """The days of a full period from `start` to `days.last`; `days.first` is where it began."""

    full: Period
    days: Period
    start: date
    due: date


class Due(NamedTuple):
    """What an item brings on its due date, and the days that are billed with it."""

    due_date: date
    item: Item
    lines: list[Portion]
    span: Span


def periodic_items(terms: LeaseTerms) -> list[Item]:
    """The rent, if any, and the charges of every period."""
    rent = [rent_item(terms)] if terms.rents else []
    periodic = (c for c in terms.charges if c.recurrence is Recurrence.PERIOD)
    return rent + [charge_item(charge) for charge in periodic]


def parts(terms: LeaseTerms, start: date, end: date | None) -> Iterator[Part]:
    """Parts of periods from the one that holds `start` to `end`, the last day that is billed.

    A period that holds the agreed last day is billed to that day, and from the next day on the
    rest; nothing after the agreed last day is due before that next day. What began by the
    cut-over day is left out.
    """
    agreed = terms.last_day
    for index in count(max(0, period_index(terms, start))):
        full = full_period(terms, index)
        if end is not None and full.first > end:
            return
        first = max(full.first, terms.first_day)
        last = full.last if end is None else min(full.last, end)
        due = max(due_day(terms, full), terms.first_day)
        if agreed is not None and first <= agreed < last:
            if _is_ours(terms, first):
                yield Part(full, Period(first, agreed), first, due)
            first_day = agreed + _ONE_DAY
        else:
            first_day = first
        if agreed is not None and first_day > agreed:
            due = max(due, agreed + _ONE_DAY)
        if _is_ours(terms, first_day):
            yield Part(full, Period(first, last), first_day, due)


def _is_ours(terms: LeaseTerms, first: date) -> bool:
    """What began by the cut-over day belongs to the system that was taken over from."""
    return terms.cut_over is None or first > terms.cut_over


def dues(
    terms: LeaseTerms, billed: Billed, end: date | None, horizon: date | None, show: Show
) -> Iterator[list[Due]]:
    """What falls due and is not billed, a list for each part of a period that brings anything.

    Goes on beyond the horizon (None: there is none) only to find the next one, where nothing was
    found before it, and not for ever where all is nil.
    """
    items = periodic_items(terms)
    start = _first_open_day(terms, items, billed)
    if start is None:
        return
    patience = _LOOK_AHEAD
    is_found = False
    for part in parts(terms, start, end):
        if is_found and horizon is not None and part.due > horizon:
            return
        found = [due for item in items for due in _due(terms, item, part, billed, show)]
        if found:
            is_found = True
            yield found
        elif horizon is None or part.due > horizon:
            patience -= 1
            if not patience:
                return


def _due(terms: LeaseTerms, item: Item, part: Part, billed: Billed, show: Show) -> Iterator[Due]:
    """What of an item is not billed in the part, if it comes to anything."""
    last = part.days.last
    if item.last_day is not None and item.last_day < last:
        last = item.last_day
    if item.steps[0].first_day > last or part.start > last:
        return
    start = billed.unbilled_from(item.charge_id, Period(part.start, last))
    if start > last:
        return
    own = start > part.start and _ended_by_itself(item, start - _ONE_DAY, billed)
    lines = rest_of(terms, item, part.full, part.days, start, show, own_end=own)
    if lines:
        due_date = max(part.due, start) if start > part.start else part.due
        ends_itself = last < part.days.last
        yield Due(due_date, item, lines, Span(item.charge_id, lines[0].first, last, ends_itself))


def _ended_by_itself(item: Item, day: date, billed: Billed) -> bool:
    """Whether a charge was billed to its own last day, which was moved since, not the lease's.

    Where that was not kept: the lease's last part ends all that is billed in it, the rent too.
    """
    kept = billed.ended_itself(item.charge_id, day)
    if kept is not None:
        return kept
    return item.charge_id != RENT and not billed.without(item.charge_id).ends_on(day)


def _first_open_day(terms: LeaseTerms, items: list[Item], billed: Billed) -> date | None:
    """The first day that may not be billed yet, over all items; None when all are done."""
    days = []
    for item in items:
        day = _first_day(terms, item)
        covered = billed.covered.get(item.charge_id)
        if covered is not None and covered >= day:
            day = covered + _ONE_DAY
        if item.last_day is None or day <= item.last_day:
            days.append(day)
    return min(days, default=None)


def _first_day(terms: LeaseTerms, item: Item) -> date:
    day = max(terms.first_day, item.steps[0].first_day)
    if terms.cut_over is not None and terms.cut_over >= day:
        return terms.cut_over + _ONE_DAY
    return day


def covered_by(terms: LeaseTerms, extents: Mapping[int, Extent]) -> Billed | None:
    """What is billed, from the extents alone; None when there may be a gap and spans must be read.

    An item is covered when its spans are unbroken and begin with its first part that is ours.
    """
    covered = {}
    for item in periodic_items(terms):
        extent = extents.get(item.charge_id)
        if extent is None:
            continue
        if not extent.is_unbroken or not _begins_with(terms, item, extent.first):
            return None
        if item.charge_id != RENT and _goes_on_within(terms, item, extent.last):
            return None
        covered[item.charge_id] = extent.last
    for charge_id, extent in extents.items():
        covered.setdefault(charge_id, extent.last)
    return Billed({}, covered)


def _goes_on_within(terms: LeaseTerms, item: Item, last: date) -> bool:
    """Whether a charge that was billed to a day inside a period is charged beyond it."""
    if last == terms.last_day or (item.last_day is not None and item.last_day <= last):
        return False
    return full_period(terms, period_index(terms, last)).last > last


def _begins_with(terms: LeaseTerms, item: Item, first: date) -> bool:
    expected = _first_day(terms, item)
    if first <= expected:
        return True
    part = next(parts(terms, expected, None), None)
    return part is not None and first <= max(part.start, expected)
