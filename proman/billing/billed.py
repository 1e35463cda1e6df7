"""What of a lease was billed already, so that it is never billed again and never missed."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from itertools import chain
from typing import NamedTuple

from proman.base.period import Period

_ONE_DAY = timedelta(days=1)


class Span(NamedTuple):
    """That an item (the rent is charge nil) is billed for these days, both inclusive.

    `ended_itself` says whether the item's own last day ended it, before the lease's part did; None
    where nobody kept it.
    """

    charge_id: int
    first: date
    last: date
    ended_itself: bool | None = None

    @property
    def days(self) -> int:
        """Both ends counted."""
        return self.last.toordinal() - self.first.toordinal() + 1


class Billed(NamedTuple):
    """By item: the spans that were billed, or the day up to which nothing is missing."""

    spans: Mapping[int, tuple[Span, ...]] = {}
    covered: Mapping[int, date] = {}

    @classmethod
    def of(cls, spans: Iterable[Span]) -> "Billed":
        """From all spans of a lease that were ever billed."""
        found: dict[int, tuple[Span, ...]] = {}
        for span in spans:
            found[span.charge_id] = (*found.get(span.charge_id, ()), span)
        return cls(found)

    def knows(self, charge_id: int) -> bool:
        """Whether anything of the item was billed."""
        return charge_id in self.spans or charge_id in self.covered

    def unbilled_from(self, charge_id: int, part: Period) -> date:
        """The first day of the part after all that is billed in it."""
        start = part.first
        through = self.covered.get(charge_id)
        if through is not None and through >= start:
            start = through + _ONE_DAY
        for span in self.spans.get(charge_id, ()):
            if start <= span.last and span.first <= part.last:
                start = span.last + _ONE_DAY
        return start

    def ended_itself(self, charge_id: int, day: date) -> bool | None:
        """Whether the item, billed up to that day, had come to its own last day; None: unknown."""
        spans = self.spans.get(charge_id, ())
        return next((span.ended_itself for span in spans if span.last == day), None)

    def ends_on(self, day: date) -> bool:
        """Whether anything is billed up to that day and no farther by the same span."""
        return day in self.covered.values() or any(
            span.last == day for spans in self.spans.values() for span in spans
        )

    def reaches_beyond(self, day: date, but: Collection[int] = ()) -> bool:
        """Whether anything is billed for days after it, items of `but` aside."""
        covered = (last for key, last in self.covered.items() if key not in but)
        spans = (span.last for key, each in self.spans.items() if key not in but for span in each)
        return any(last > day for last in chain(covered, spans))

    def without(self, charge_id: int) -> "Billed":
        """What is known of all other items."""
        spans = {key: found for key, found in self.spans.items() if key != charge_id}
        covered = {key: day for key, day in self.covered.items() if key != charge_id}
        return Billed(spans, covered)


NOTHING_BILLED = Billed()


class Extent(NamedTuple):
    """All spans of an item in sum: first and last day (inclusive), and the days they count."""

    first: date
    last: date
    days: int

    @property
    def is_unbroken(self) -> bool:
        """Whether the spans leave no gap between the first and the last day."""
        return self.last.toordinal() - self.first.toordinal() + 1 == self.days
