"""Draws who lived when in a unit: running, let again, ended, upcoming, draft, vacant, held over."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from proman.base.period import add_months
from proman.demo.terms import draw_first_day

WEIGHTS = (
    ("running", 805), ("let_again", 60), ("ended", 30), ("leaving", 25), ("holding_over", 35),
    ("upcoming", 15), ("draft", 5), ("vacant", 25),
)  # fmt: skip
OPENING = (
    "running", "running", "let_again", "running", "holding_over", "vacant", "running", "leaving",
    "draft", "running", "ended", "upcoming", "running", "running",
)  # fmt: skip
"""The first units, so that ten leases already show every state."""
YEARS_BACK = 6
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """One lease's range, both ends inclusive, and its status as stored."""

    first_day: date
    last_day: date | None
    ended_on: date | None = None
    status: str = "active"


def draw_history(random: Random, index: int, window: tuple[date, date]) -> list[Stay]:
    """The stays of the `index`-th unit in order of time, never overlapping; none when vacant."""
    kind = OPENING[index] if index < len(OPENING) else _draw_kind(random)
    today = window[1]
    if kind == "vacant":
        return []
    if kind == "running":
        return [_running(random, window)]
    if kind == "holding_over":
        return [_holding_over(random, today)]
    if kind == "ended":
        return [_ended(random, window)]
    if kind == "leaving":
        return _leaving(random, today)
    if kind == "let_again":
        gone = _ended(random, window)
        assert gone.ended_on is not None
        return [gone, _next_stay(random, gone.ended_on, today)]
    first = today + timedelta(days=random.randrange(4, 75))
    return [
        Stay(first, add_months(first, 12) - DAY, status="draft" if kind == "draft" else "active")
    ]


def _running(random: Random, window: tuple[date, date]) -> Stay:
    starts, today = window
    if random.randrange(4):
        first = draw_first_day(random, add_months(starts, -12 * YEARS_BACK), starts - DAY)
    else:
        first = draw_first_day(random, starts, today - timedelta(days=3))
    return Stay(first, _agreed_end(random, first, today))


def _agreed_end(random: Random, first: date, today: date) -> date | None:
    """None for an open end; else the first whole number of years that ends after today."""
    if random.randrange(100) < 55:
        return None
    years = 1
    while add_months(first, 12 * years) - DAY <= today:
        years += 1
    return add_months(first, 12 * years) - DAY


def _holding_over(random: Random, today: date) -> Stay:
    last = today - timedelta(days=random.randrange(5, 160))
    return Stay(add_months(last + DAY, -12 * random.randrange(1, 4)), last)


def _ended(random: Random, window: tuple[date, date]) -> Stay:
    """Ended inside the window, mostly at a month's end."""
    starts, today = window
    latest = today - timedelta(days=8)
    ended = draw_first_day(random, min(starts + timedelta(days=20), latest), latest)
    ended = ended - DAY if ended.day == 1 else ended
    first = draw_first_day(random, add_months(starts, -48), add_months(starts, -2))
    return Stay(first, ended if random.randrange(2) else None, ended, "ended")


def _next_stay(random: Random, after: date, today: date) -> Stay:
    first = after + timedelta(days=random.choice((1, 1, 5, 16, 30)))
    return Stay(first, _agreed_end(random, first, max(first, today)))


def _leaving(random: Random, today: date) -> list[Stay]:
    """Someone whose term ends within 80 days, and the next one already signed."""
    last = today + timedelta(days=random.randrange(5, 80))
    stay = Stay(add_months(last + DAY, -12 * random.randrange(1, 3)), last)
    first = last + timedelta(days=random.choice((1, 4, 10)))
    return [stay, Stay(first, add_months(first, 12) - DAY)]


def _draw_kind(random: Random) -> str:
    return random.choices([row[0] for row in WEIGHTS], [row[1] for row in WEIGHTS])[0]
