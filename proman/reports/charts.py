"""Lays out charts as whole numbers on a grid that a template draws as SVG, without any style."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 1000
"""Height of the plot in its own units; it is stretched to whatever the page gives it."""
SLOT = 100
"""Width of one group of bars."""
BAR = 34
GAP = 4
TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the plot; `value` is the amount it stands for."""

    series: int
    label: str
    value: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the plot and the value it marks, top first."""

    value: int
    y: int


@dataclass(frozen=True, slots=True)
class BarChart:
    """Groups of bars, one group a label, one bar a series."""

    labels: tuple[str, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    width: int
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        return all(bar.value == 0 for bar in self.bars)


def nice_ceiling(value: int) -> int:
    """The least 4, 8, 12, 20 or 40 times a power of ten that is not below `value`; at least 4.

    All are divisible by the number of ticks, so that every tick is a round number.
    """
    power = 1
    while True:
        for step in (4, 8, 12, 20):
            if step * power >= value:
                return step * power
        power *= 10


def bar_chart(labels: Sequence[str], series: Sequence[Sequence[int]]) -> BarChart:
    """Bars of each series side by side for every label; values below nil are drawn as nil.

    A value above nil is at least one unit high, so that little is told from nothing.
    Raises ValueError when a series has not one value for each label.
    """
    if any(len(values) != len(labels) for values in series):
        raise ValueError("every series needs one value for each label")
    top = nice_ceiling(max((value for values in series for value in values), default=0))
    ticks = tuple(
        Tick(top * n // TICKS, HEIGHT - HEIGHT * n // TICKS) for n in range(TICKS, -1, -1)
    )
    bars = tuple(
        _bar(slot, number, label, values[slot], top, len(series))
        for slot, label in enumerate(labels)
        for number, values in enumerate(series)
    )
    return BarChart(tuple(labels), bars, ticks, SLOT * len(labels))


def _bar(slot: int, number: int, label: str, value: int, top: int, count: int) -> Bar:
    height = max(0, value) * HEIGHT // top
    if value > 0:
        height = max(6, height)
    used = count * BAR + (count - 1) * GAP
    x = slot * SLOT + (SLOT - used) // 2 + number * (BAR + GAP)
    return Bar(number, label, value, x, HEIGHT - height, BAR, height)
