"""Tax of printed lines: rounded once for each rate, the last line of a rate taking the rest."""

from collections.abc import Sequence
from typing import NamedTuple

from proman.base.money import round_half_away

WHOLE = 100_000
"""A rate of 100 % in thousandths of a per cent, as which all rates are kept."""


class Taxed(NamedTuple):
    """A line's net amount and its tax, minor units."""

    net: int
    tax: int


def tax_of(amount: int, rate: int, gross: bool) -> int:
    """The tax on a net amount, or the tax that a gross amount holds (1,000.00 at 19 %: 159.66)."""
    return round_half_away(amount * rate, WHOLE + rate if gross else WHOLE)


def taxed_lines(lines: Sequence[tuple[int, int, bool]]) -> list[Taxed]:
    """Net and tax of (amount, rate, gross) lines, in their order.

    Tax is rounded on the sum of a rate; each line's is rounded and the last line of the rate
    takes the rest. Net and gross lines of one rate are reckoned apart.
    """
    if not any(rate for _, rate, _ in lines):
        return [Taxed(amount, 0) for amount, _, _ in lines]
    taxes = [tax_of(amount, rate, gross) for amount, rate, gross in lines]
    for group in {(rate, gross) for _, rate, gross in lines}:
        members = [at for at, line in enumerate(lines) if line[1:] == group]
        whole = tax_of(sum(lines[at][0] for at in members), *group)
        taxes[members[-1]] += whole - sum(taxes[at] for at in members)
    return [
        Taxed(amount - tax if gross else amount, tax)
        for (amount, _, gross), tax in zip(lines, taxes, strict=True)
    ]


def credited_tax(line: Taxed, already: Taxed, net: int, rate: int) -> int:
    """The tax of a partial credit of `net` on a line; the credit that empties it takes the rest.

    100.05 at 19 % bears 19.01; three credits of 33.35 bear 6.34, 6.34 and 6.33.
    """
    left = line.tax - already.tax
    if net == line.net - already.net:
        return left
    return min(left, round_half_away(net * rate, WHOLE))
