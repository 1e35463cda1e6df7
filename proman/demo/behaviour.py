"""How the demonstration's tenants pay: punctual, late, in parts, too much, not at all, bouncing."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from proman.demo.values import Behaviour, Receipt

WEIGHTS = (
    ("punctual", 67), ("late", 17), ("partial", 5), ("arrears", 5), ("over", 4), ("bouncer", 2),
)  # fmt: skip
OPENING = ("partial", "punctual", "late", "arrears", "over", "punctual", "bouncer", "punctual")
"""The first tenants, so that ten leases already show every manner of paying."""
METHODS = ("transfer",) * 7 + ("direct_debit",) * 2 + ("card",)
ROUND_UP_TO = 10_000
"""An over-payer rounds up to whole hundreds."""


def draw_behaviour(random: Random, index: int, window: tuple[date, date]) -> Behaviour:
    """The `index`-th lease's manner of paying; who falls into arrears does so inside `window`."""
    kind = OPENING[index] if index < len(OPENING) else _draw_kind(random)
    days = random.randrange(2, 38) if kind == "late" else random.randrange(-3, 2)
    stops_on = None
    if kind == "arrears":
        last_months = min((window[1] - window[0]).days, 150)
        stops_on = window[1] - timedelta(days=random.randrange(20, max(21, last_months)))
    return Behaviour(kind, days, stops_on)


def receipts(
    behaviour: Behaviour, due: date, amount: int, today: date, random: Random
) -> Iterator[Receipt]:
    """What arrives for an invoice of `amount` minor units due on `due`, up to `today` inclusive.

    Money that would arrive, or bounce, after `today` has not done so yet.
    """
    if amount <= 0 or (behaviour.stops_on is not None and due >= behaviour.stops_on):
        return
    method = random.choice(METHODS)
    for on, part, bounce in _planned(behaviour, due, amount, random):
        if on <= today and part > 0:
            bounced_on = on + timedelta(days=3) if bounce else None
            yield Receipt(on, part, method, _not_after(bounced_on, today))


def _planned(
    behaviour: Behaviour, due: date, amount: int, random: Random
) -> Iterator[tuple[date, int, bool]]:
    on = due + timedelta(days=behaviour.days + random.randrange(3))
    if behaviour.kind == "partial":
        first = amount * random.choice((40, 50, 60, 75)) // 100
        yield on, first, False
        if random.randrange(100) < 85:
            yield on + timedelta(days=random.randrange(12, 40)), amount - first, False
    elif behaviour.kind == "over" and random.randrange(3) == 0:
        yield on, -(-amount // ROUND_UP_TO) * ROUND_UP_TO, False
    elif behaviour.kind == "bouncer" and random.randrange(5) == 0:
        yield on, amount, True
        if random.randrange(100) < 70:
            yield on + timedelta(days=random.randrange(8, 20)), amount, False
    elif random.randrange(200) > 0:
        yield on, amount, False


def _not_after(day: date | None, today: date) -> date | None:
    return day if day is not None and day <= today else None


def _draw_kind(random: Random) -> str:
    return random.choices([row[0] for row in WEIGHTS], [row[1] for row in WEIGHTS])[0]
