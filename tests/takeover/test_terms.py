import pytest

from proman.base.errors import Refused
from proman.takeover.terms import (
    Rooms,
    frequency_in,
    read_count,
    read_due,
    read_frequency,
    read_rooms,
    read_status,
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("3. Werktag", "workday:3"),
        ("1.", "day:1"),
        ("1st", "day:1"),
        ("5th of the month", "day:5"),
        ("3rd business day", "workday:3"),
        ("Ultimo", "day:31"),
        ("15. des Vormonats", "day:15:before"),
        ("le 5", "day:5"),
        ("5 dzień roboczy", "workday:5"),
        ("workday:3:before", "workday:3:before"),
        ("31", "day:31"),
    ],
)
def test_due_days(text: str, rule: str) -> None:
    assert read_due(text) == rule


@pytest.mark.parametrize("text", ["32", "soon", "1 or 2", "40. Werktag", "0"])
def test_what_is_no_due_day(text: str) -> None:
    with pytest.raises(Refused):
        read_due(text)


def test_frequencies() -> None:
    assert read_frequency("monatlich") == "monthly"
    assert read_frequency("Quarterly") == "quarterly"
    assert read_frequency("half_yearly") == "half_yearly"
    assert read_frequency("annuel") == "yearly"
    with pytest.raises(Refused):
        read_frequency("now and then")
    assert frequency_in("Monthly rent") == "monthly"
    assert frequency_in("Loyer mensuel") == "monthly"
    assert frequency_in("Jahresmiete") == "yearly"
    assert frequency_in("Rent") == ""


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        ("2/1.5", Rooms(2, 15)),
        ("0/1", Rooms(0, 10)),
        ("2 / 1,5", Rooms(2, 15)),
        ("2x1", Rooms(2, 10)),
        ("Studio/1", Rooms(0, 10)),
        ("2bd/1ba", Rooms(2, 10)),
        ("--/1", Rooms(None, 10)),
    ],
)
def test_rooms(text: str, rooms: Rooms) -> None:
    assert read_rooms(text) == rooms


def test_rooms_that_are_none() -> None:
    for text in ("2", "two/one", "2/1.55", "2.5/1"):
        with pytest.raises(Refused):
            read_rooms(text)
    assert read_count("1.5", 1) == 15


def test_statuses() -> None:
    assert read_status("Current") == "current"
    assert read_status("Holdover") == "holdover"
    assert read_status("Leerstand") == "vacant"
    assert read_status("vermietet") == "current"
    assert read_status("Moved out") == "ended"
    assert read_status("Gone fishing") is None
