from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.takeover.days import days_in_title, is_ambiguous, orders, read_day


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("09/01/2025", "mdy", date(2025, 9, 1)),
        ("15.05.2020", "dmy", date(2020, 5, 15)),
        ("1.2.2013", "dmy", date(2013, 2, 1)),
        ("2026-10-31", "mdy", date(2026, 10, 31)),
        ("2026-10-31T00:00:00", "dmy", date(2026, 10, 31)),
        ("10/31/2026 12:00 AM", "mdy", date(2026, 10, 31)),
        ("20261031", "dmy", date(2026, 10, 31)),
        ("31-12-26", "dmy", date(2026, 12, 31)),
        ("5/1/98", "mdy", date(1998, 5, 1)),
        ("Oct 31, 2026", "dmy", date(2026, 10, 31)),
        ("October 31st, 2026", "dmy", date(2026, 10, 31)),
        ("31 October 2026", "mdy", date(2026, 10, 31)),
        ("1. März 2024", "mdy", date(2024, 3, 1)),
        ("1er mars 2024", "mdy", date(2024, 3, 1)),
        ("1 sierpnia 2025", "mdy", date(2025, 8, 1)),
        ("3 de marzo de 2025", "mdy", date(2025, 3, 3)),
        ("02/29/2024", "mdy", date(2024, 2, 29)),
    ],
)
def test_days(text: str, order: str, day: date) -> None:
    assert read_day(text, order) == day


@pytest.mark.parametrize(
    "text",
    ["31/31/2026", "02/29/2023", "10/2026", "soon", "0/1/2026", "1/1/1200", "12345", "Oct 26"],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="is not a date"):
        read_day(text, "dmy")


def test_the_wrong_order_is_refused() -> None:
    with pytest.raises(Refused, match="day first"):
        read_day("10/31/2026", "dmy")


def test_what_a_date_proves() -> None:
    assert orders("10/31/2026") == {"mdy"}
    assert orders("15.05.2020") == {"dmy"}
    assert orders("01.02.2013") == {"dmy", "mdy"}
    assert is_ambiguous("01.02.2013")
    assert not is_ambiguous("02.02.2013")
    assert not is_ambiguous("2013-02-01")


def test_titles() -> None:
    assert days_in_title("Harbour Court - Rent Roll as of 10/31/2026") == ["10/31/2026"]
    assert days_in_title("Stand: 31. Oktober 2026, gedruckt 2.11.2026") == [
        "31. Oktober 2026",
        "2.11.2026",
    ]


@settings(deadline=None)
@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from("/.-"), st.booleans())
def test_whatever_is_written_reads_as_it_was(day: date, sign: str, month_first: bool) -> None:
    parts = (day.month, day.day) if month_first else (day.day, day.month)
    text = f"{parts[0]:02d}{sign}{parts[1]:02d}{sign}{day.year}"
    order = "mdy" if month_first else "dmy"
    assert read_day(text, order) == day
    assert order in orders(text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_text_makes_it_stumble(text: str) -> None:
    for order in ("dmy", "mdy"):
        if order not in orders(text):
            with pytest.raises(Refused):
                read_day(text, order)
