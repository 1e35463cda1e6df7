from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.takeover.numbers import currencies_of, read_number, readings, to_units

POINT = [
    ("$1,687.50", "1687.50"),
    ("($1,100.00)", "-1100"),
    ("$(656.25)", "-656.25"),
    ("-$12.00", "-12"),
    ("$-12.00", "-12"),
    ("12.00-", "-12"),
    ("1,100.00 CR", "-1100"),
    ("1,100.00 DR", "1100"),
    ("USD 1,100.00", "1100"),
    ("US$ 1,100", "1100"),
    ("1'200.50 CHF", "1200.50"),
    ("CHF 1’200.50", "1200.50"),
    ("1,00,000.00", "100000"),
    ("$.50", "0.50"),
    ("£1,234", "1234"),
    ("1100.", "1100"),
]
COMMA = [
    ("-1.113,34 €", "-1113.34"),
    ("−1.113,34 €", "-1113.34"),
    ("1.113,34- €", "-1113.34"),
    ("2.427,24 €", "2427.24"),
    ("0,00 €", "0"),
    ("1 234,50 €", "1234.50"),
    ("1 234,50", "1234.50"),
    ("1 234,50", "1234.50"),
    ("1 234 567,5", "1234567.5"),
    ("850,-", "850"),
    ("850,– €", "850"),
    ("850,-- EUR", "850"),
    ("1.113,34 S", "1113.34"),
    ("1.113,34 H", "-1113.34"),
    ("1.234,50 zł", "1234.50"),
    ("kr 1.234,50", "1234.50"),
    ("R$ 1.234,50", "1234.50"),
    ("EUR 500", "500"),
]


@pytest.mark.parametrize(("text", "number"), POINT)
def test_with_a_decimal_point(text: str, number: str) -> None:
    assert read_number(text, "point") == Decimal(number)


@pytest.mark.parametrize(("text", "number"), COMMA)
def test_with_a_decimal_comma(text: str, number: str) -> None:
    assert read_number(text, "comma") == Decimal(number)


@pytest.mark.parametrize("text", ["-", "–", "$ -", "- €", "n/a", "k.A.", ""])
def test_nothing(text: str) -> None:
    assert read_number(text, "point") is None


@pytest.mark.parametrize(
    "text", ["abc", "12abc", "1.2.3,4,5x", "1E5", "1,2,3.4.5", "12..5", "5 Zimmer", "--5", "=A1+A2"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    for sign in ("point", "comma"):
        with pytest.raises(Refused):
            read_number(text, sign)


def test_the_other_decimal_sign_is_refused_not_misread() -> None:
    with pytest.raises(Refused):
        read_number("1.113,34", "point")
    with pytest.raises(Refused):
        read_number("1,113.34", "comma")
    with pytest.raises(Refused):
        read_number("68,22", "point")


def test_what_a_number_proves() -> None:
    assert readings("1,100.00") == {"point"}
    assert readings("68,22") == {"comma"}
    assert readings("1.234.567") == {"comma"}
    assert readings("1,100") == {"point", "comma"}
    assert readings("847") == {"point", "comma"}
    assert readings("Unit 5") == frozenset()


def test_currencies() -> None:
    assert currencies_of("0,00 €") == ("EUR",)
    assert "USD" in currencies_of("$5")
    assert "CAD" in currencies_of("$5")
    assert currencies_of("US$ 5") == ("USD",)
    assert currencies_of("Rent (CHF)") == ("CHF",)
    assert currencies_of("Rent VAT PSF") == ()
    assert currencies_of("5.00 CR") == ()


def test_units_never_round() -> None:
    assert to_units(Decimal("12.345"), 2) is None
    assert to_units(Decimal("12.340"), 2) == 1234
    assert to_units(Decimal("-12"), 0) == -12


@settings(deadline=None)
@given(
    minor=st.integers(-(10**12), 10**12),
    comma=st.booleans(),
    group=st.sampled_from(["", "other", " ", "\u00a0", "\u202f", "\u2009", "'", "’"]),
    sign=st.sampled_from(["before", "after", "brackets"]),
    currency=st.sampled_from(["", "€ {}", "{} €", "${}", "{} CHF", "EUR {}"]),
)
@example(minor=-110000, comma=False, group="other", sign="brackets", currency="${}")
def test_whatever_is_written_reads_as_it_was(
    minor: int, comma: bool, group: str, sign: str, currency: str
) -> None:
    mark, other = (",", ".") if comma else (".", ",")
    whole, part = divmod(abs(minor), 100)
    digits = f"{whole:,}".replace(",", other if group == "other" else group) + f"{mark}{part:02d}"
    if minor < 0:
        digits = {"before": f"-{digits}", "after": f"{digits}-", "brackets": f"({digits})"}[sign]
    text = currency.format(digits) if currency else digits
    found = read_number(text, "comma" if comma else "point")
    assert found is not None
    assert to_units(found, 2) == minor


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_text_makes_it_stumble(text: str) -> None:
    for sign in ("point", "comma"):
        try:
            read_number(text, sign)
        except Refused:
            assert sign not in readings(text)
        else:
            assert sign in readings(text)
