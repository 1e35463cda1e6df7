"""Where the bars of a chart stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.reports.charts import HEIGHT, TICKS, bar_chart, nice_ceiling


@pytest.mark.parametrize(
    ("value", "ceiling"),
    [(0, 4), (4, 4), (5, 8), (9, 12), (13, 20), (21, 40), (812_345, 1_200_000)],
)
def test_nice_ceiling(value: int, ceiling: int) -> None:
    assert nice_ceiling(value) == ceiling


@given(st.integers(0, 10**15))
def test_ceiling_is_round_and_not_far_above(value: int) -> None:
    ceiling = nice_ceiling(value)
    assert ceiling >= value
    assert ceiling % TICKS == 0
    assert ceiling <= max(4, 2 * value)


def test_bars_stand_side_by_side_inside_their_slot_and_on_the_ground() -> None:
    chart = bar_chart(["Jan", "Feb"], [[400, 0], [200, 100]])
    assert [bar.height for bar in chart.bars] == [1000, 500, 0, 250]
    assert all(bar.y + bar.height == HEIGHT for bar in chart.bars)
    assert chart.bars[0].x + chart.bars[0].width < chart.bars[1].x
    assert chart.bars[1].x + chart.bars[1].width < 100 <= chart.bars[2].x
    assert [tick.value for tick in chart.ticks] == [400, 300, 200, 100, 0]
    assert not chart.is_empty


def test_little_is_told_from_nothing_and_below_nil_is_drawn_as_nil() -> None:
    chart = bar_chart(["a", "b", "c"], [[1, 1_000_000, -5]])
    assert chart.bars[0].height > 0
    assert chart.bars[2].height == 0


def test_a_series_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one value for each label"):
        bar_chart(["a"], [[1, 2]])
