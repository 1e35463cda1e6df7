from datetime import date

import pytest

from proman.base.working_days import working_day


@pytest.mark.parametrize(
    ("n", "country", "region", "day"),
    [
        (3, "DE", "", date(2027, 1, 6)),
        (3, "DE", "BE", date(2027, 1, 6)),
        (3, "DE", "BY", date(2027, 1, 7)),
        (1, "DE", "", date(2027, 1, 4)),
        (23, "DE", "", date(2027, 1, 29)),
        (3, "", "", date(2027, 1, 5)),
        (3, "DE", "nowhere", date(2027, 1, 6)),
        (3, "ZZ", "", date(2027, 1, 5)),
    ],
)
def test_the_nth_working_day_of_january(n: int, country: str, region: str, day: date) -> None:
    assert working_day(2027, 1, n, country, region) == day


def test_a_holiday_of_parts_of_a_region_does_not_count() -> None:
    """Assumption Day is one in the Catholic communes of Bavaria only."""
    assert working_day(2028, 8, 11, "DE", "BY") == date(2028, 8, 15)


def test_saturdays_are_not_working_days_where_fridays_are_not_either() -> None:
    assert working_day(2026, 11, 1, "IL") == date(2026, 11, 1), "a Sunday"
    assert working_day(2026, 11, 6, "IL") == date(2026, 11, 8)
