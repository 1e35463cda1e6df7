from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.base.money import Money, decimal_string, exponent, parse_amount, round_half_away

WHOLE = st.integers(-(10**15) + 1, 10**15 - 1)


@pytest.mark.parametrize(("currency", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("USD", 2)])
def test_a_currency_has_its_decimals(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (48387, "EUR", "483.87"),
        (-5, "EUR", "-0.05"),
        (0, "USD", "0.00"),
        (1500, "JPY", "1500"),
        (-1, "KWD", "-0.001"),
    ],
)
def test_written_as_a_plain_decimal(minor: int, currency: str, text: str) -> None:
    assert Money(minor, currency).to_decimal_string() == text
    assert parse_amount(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1000", 100000),
        ("1000.5", 100050),
        ("483,87", 48387),
        ("1.234,50", 123450),
        ("1,234.50", 123450),
        ("1'234.50", 123450),
        ("1 234,5", 123450),
        ("1,234,567", 123456700),
        ("−3", -300),
        (" +7 ", 700),
        (".5", 50),
        ("0,125000", None),
        ("12.300", None),
        ("0.1230", None),
    ],
)
def test_amounts_typed_by_people(text: str, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(Refused):
            parse_amount(text, "EUR")
    else:
        assert parse_amount(text, "EUR") == Money(minor, "EUR")


@pytest.mark.parametrize(
    "text", ["", "abc", "1,000", "1.000", "1,23,456.00", "1.2.3", "12.345", "1e3", "9" * 16, "٣"]
)
def test_what_is_unclear_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse_amount(text, "EUR")


def test_no_decimals_where_the_currency_has_none() -> None:
    assert parse_amount("1500.00", "JPY") == Money(1500, "JPY")
    for grouped in ("1,500", "1.500"):
        assert parse_amount(grouped, "JPY") == Money(1500, "JPY")
    for unclear in ("1500.500", "0.500"):
        with pytest.raises(Refused):
            parse_amount(unclear, "JPY")
    with pytest.raises(Refused):
        parse_amount("1500.5", "JPY")
    assert parse_amount("1.250", "KWD") == Money(1250, "KWD")


def test_currencies_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="EUR"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(TypeError):
        Money(1.5, "EUR")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ISO"):
        Money(1, "€")


@pytest.mark.parametrize(
    ("numerator", "denominator", "result"),
    [(5, 10, 1), (-5, 10, -1), (15, 10, 2), (-15, 10, -2), (14, 10, 1), (5, -10, -1), (0, 7, 0)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, result: int) -> None:
    assert round_half_away(numerator, denominator) == result


@given(WHOLE, st.integers(1, 10**6))
def test_rounding_is_the_nearest_and_symmetrical(numerator: int, denominator: int) -> None:
    rounded = round_half_away(numerator, denominator)
    assert abs(Fraction(numerator, denominator) - rounded) <= Fraction(1, 2)
    assert round_half_away(-numerator, denominator) == -rounded


@given(WHOLE, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_what_is_written_reads_back(minor: int, currency: str) -> None:
    assert parse_amount(decimal_string(minor, currency), currency).minor == minor


@given(WHOLE, WHOLE)
def test_money_adds_up(one: int, other: int) -> None:
    assert Money(one, "EUR") + Money(other, "EUR") - Money(one, "EUR") == Money(other, "EUR")
    turned = -Money(one, "EUR")
    assert -turned == Money(one, "EUR")
