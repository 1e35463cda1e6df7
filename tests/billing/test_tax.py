from hypothesis import given
from hypothesis import strategies as st

from proman.base.money import round_half_away
from proman.billing.tax import Taxed, credited_tax, tax_of, taxed_lines

LINES = st.lists(
    st.tuples(st.integers(1, 10**7), st.sampled_from([0, 7000, 8875, 19000]), st.booleans()),
    min_size=1,
    max_size=8,
)


def test_a_gross_amount_holds_its_tax() -> None:
    assert tax_of(100000, 19000, gross=True) == 15966
    assert taxed_lines([(100000, 19000, True)]) == [Taxed(84034, 15966)]


def test_the_last_line_of_a_rate_takes_the_rest() -> None:
    """Three net lines of 33.35 at 19 % bear 19.01 together (each alone would bear 6.34)."""
    taxed = taxed_lines([(3335, 19000, False)] * 3)
    assert [line.tax for line in taxed] == [634, 634, 633]


def test_rates_and_net_and_gross_are_rounded_apart() -> None:
    taxed = taxed_lines([(3335, 19000, False), (3335, 19000, True), (3335, 7000, False)])
    assert [line.tax for line in taxed] == [634, 532, 233]
    assert [line.net for line in taxed] == [3335, 2803, 3335]


def test_partial_credits_and_the_last_takes_the_rest() -> None:
    line, already, taxes = Taxed(10005, 1901), Taxed(0, 0), []
    for _ in range(3):
        tax = credited_tax(line, already, 3335, 19000)
        taxes.append(tax)
        already = Taxed(already.net + 3335, already.tax + tax)
    assert taxes == [634, 634, 633]
    assert already == line


@given(LINES)
def test_each_rate_is_rounded_once_on_its_sum(lines: list[tuple[int, int, bool]]) -> None:
    taxed = taxed_lines(lines)
    for rate, gross in {(rate, gross) for _, rate, gross in lines}:
        of_rate = [
            (line, found)
            for line, found in zip(lines, taxed, strict=True)
            if line[1:] == (rate, gross)
        ]
        whole = sum(line[0] for line, _ in of_rate)
        divisor = 100_000 + rate if gross else 100_000
        assert sum(found.tax for _, found in of_rate) == round_half_away(whole * rate, divisor)
    for (amount, _, gross), found in zip(lines, taxed, strict=True):
        assert (found.net + found.tax if gross else found.net) == amount


@given(st.integers(1, 10**6), st.integers(0, 30000), st.lists(st.integers(1, 10**6), max_size=6))
def test_credits_never_take_more_tax_than_the_line_bore(
    net: int, rate: int, cuts: list[int]
) -> None:
    line, already = Taxed(net, tax_of(net, rate, gross=False)), Taxed(0, 0)
    for cut in [*cuts, net]:
        part = min(cut, line.net - already.net)
        tax = credited_tax(line, already, part, rate)
        assert tax >= 0
        already = Taxed(already.net + part, already.tax + tax)
    assert already == line
