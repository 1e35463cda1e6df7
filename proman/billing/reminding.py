"""When an overdue document is reminded of, and at which level: pure rules of reminders.

What is due follows from due dates, what is open and which reminders were made; never from the day
on which somebody looks. One who looks late finds the same levels, none left out and no two at once.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from proman.base.errors import Refused

HIGHEST_LEVEL = 3
MOST_DAYS = 365
_PLACE = re.compile(r"\{([^{}]*)\}")
PLACES = {
    "names": "who is written to",
    "total": "what is overdue",
    "pay_by": "the day to pay by",
    "reference": "what to quote on the payment",
}
"""What a text may hold between braces, and what stands there in a letter."""


@dataclass(frozen=True, slots=True)
class Level:
    """A step of the reminders: how many days after the due date, and what its letter says.

    A letter is made only where at least `minimum` (minor units) is overdue.
    """

    level: int
    days: int
    pay_within: int
    title: str
    text: str
    minimum: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise Refused(f"1 to {MOST_DAYS} days.", "days")
        if not 1 <= self.pay_within <= MOST_DAYS:
            raise Refused(f"1 to {MOST_DAYS} days.", "pay_within")
        if self.minimum < 0:
            raise Refused("The smallest sum cannot be below nil.", "minimum")
        if not self.title.strip():
            raise Refused("The letter needs a heading.", "title")
        if not self.text.strip():
            raise Refused("The letter needs a text.", "text")
        unknown = [word for word in _PLACE.findall(self.text) if word not in PLACES]
        if unknown:
            known = ", ".join(f"{{{word}}}" for word in PLACES)
            raise Refused(f"Nothing stands for {{{unknown[0]}}}. There is {known}.", "text")


def check_order(levels: Sequence[Level]) -> None:
    """Each level comes later than the one before it. Raises Refused with field `level-days`."""
    for before, after in pairwise(levels):
        if after.days <= before.days:
            raise Refused(
                f"More than {before.days} days: it follows the reminder before it.",
                f"level_{after.level}-days",
            )


@dataclass(frozen=True, slots=True)
class Overdue:
    """A document that is past due and open, and up to which level it was reminded of, and when.

    `issued_on` counts where it is later than the due date: nobody could pay before.
    """

    invoice_id: int
    due_date: date
    open: int
    level: int = 0
    reminded_on: date | None = None
    kind: str = "invoice"
    number: str | None = None
    issued_on: date | None = None


def next_level(levels: Sequence[Level], document: Overdue, day: date) -> Level | None:
    """The level that a document has come to on a day, or None while it waits.

    Levels are taken one after the other. Due 1 October with levels after 7 and 21 days: the first
    from 8 October. Where that was made on 20 October only, the second follows 14 days later, on
    3 November, as it would have followed the first that was made in time. Issued on 15 October
    only, the first comes from 22 October.
    """
    later = [each for each in levels if each.level > document.level]
    if not later:
        return None
    following = later[0]
    counts_from = max(document.due_date, document.issued_on or document.due_date)
    from_day = counts_from + timedelta(days=following.days)
    if document.reminded_on is not None:
        earlier = [each.days for each in levels if each.level <= document.level]
        gap = following.days - (earlier[-1] if earlier else 0)
        from_day = max(from_day, document.reminded_on + timedelta(days=max(gap, 1)))
    return following if day >= from_day else None


class Item(NamedTuple):
    """A document in a letter, and the level that it has by it (0: told of for the first time)."""

    invoice_id: int
    due_date: date
    open: int
    level: int
    kind: str
    number: str | None


class Letter(NamedTuple):
    """What a lease is to be reminded of: everything overdue, at the highest level reached."""

    lease_id: int
    level: Level
    items: tuple[Item, ...]

    @property
    def total(self) -> int:
        """What is overdue, minor units."""
        return sum(item.open for item in self.items)


def letter_for(
    levels: Sequence[Level], lease_id: int, documents: Iterable[Overdue], credit: int, day: date
) -> Letter | None:
    """The letter that a lease is due on a day, or None.

    Nobody is reminded of what their unused `credit` covers: it is for the manager to allocate.
    """
    reached: list[Level] = []
    items = []
    for document in sorted(documents, key=lambda each: (each.due_date, each.invoice_id)):
        level = next_level(levels, document, day)
        if level is not None:
            reached.append(level)
        items.append(
            Item(
                document.invoice_id,
                document.due_date,
                document.open,
                document.level if level is None else level.level,
                document.kind,
                document.number,
            )
        )
    if not reached:
        return None
    letter = Letter(lease_id, max(reached, key=lambda each: each.level), tuple(items))
    return letter if letter.total >= letter.level.minimum and letter.total > credit else None


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The text with what stands for each place."""
    return _PLACE.sub(lambda found: values[found[1]], text)


USUAL = (
    Level(
        1,
        7,
        7,
        "Payment reminder",
        "Dear {names},\n\nyou may have overlooked the payments below: {total} is overdue. Please"
        " pay it by {pay_by} and quote {reference}.\n\nIf you have paid in the meantime, thank"
        " you, and please disregard this letter.",
    ),
    Level(
        2,
        21,
        7,
        "Second reminder",
        "Dear {names},\n\nin spite of our reminder, {total} is still overdue. Please pay it by"
        " {pay_by} and quote {reference}. If you cannot, get in touch with us before that day.",
    ),
    Level(
        3,
        35,
        10,
        "Final reminder",
        "Dear {names},\n\n{total} is overdue and was not paid in spite of our reminders. We ask"
        " you for the last time to pay it by {pay_by} and to quote {reference}. If it is not"
        " paid by then, we shall take further steps without another notice.",
    ),
)
"""What a form shows where nobody has written any."""
