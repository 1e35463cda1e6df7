"""Tax of an invoice's and of a credit note's lines.

From the rules' section "Invoice, credit note": tax per rate, rounded per rate, the last line of a
rate taking the rest, net and gross lines apart; partial credits, the last taking the rest.
"""

from collections.abc import Sequence
from fractions import Fraction

from tests.reckoner.amounts import rounded


def tax_of(amount: int, rate: Fraction, gross: bool) -> int:
    """The tax on a net amount, or within a gross one, in cents."""
    return rounded(amount * rate / (1 + rate) if gross else amount * rate)


def taxes(amounts: Sequence[int], rate: Fraction, gross: bool) -> list[int]:
    """The tax of each line of one rate; together it is the tax of their sum."""
    found = [tax_of(amount, rate, gross) for amount in amounts[:-1]]
    return [*found, tax_of(sum(amounts), rate, gross) - sum(found)]
