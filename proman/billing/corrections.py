"""What a credit note takes back: all that is left of an invoice, or what an ending leaves over.

Issued amounts are the ground: a later change of the terms never alters what a credit is worth.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from proman.base.errors import Refused
from proman.base.period import Period
from proman.billing.reckoning import RENT, Item, Portion, Show, portions
from proman.billing.rules import day_text, plain
from proman.billing.settling import LATE_FEE
from proman.billing.tax import Taxed, credited_tax, tax_of
from proman.leases.periods import full_period, period_index
from proman.leases.rules import LeaseTerms, Recurrence, RentChange, RentStep, billing_end

_ONE_DAY = timedelta(days=1)


class IssuedLine(NamedTuple):
    """A line of an issued invoice, and what credit notes took back of it so far."""

    line_id: int
    invoice_id: int
    charge_id: int
    kind: str
    description: str
    first_day: date
    last_day: date
    net: int
    tax_rate: int
    tax: int
    gross: bool
    period_amount: int
    credited: Taxed = Taxed(0, 0)

    @property
    def amount(self) -> int:
        """What was reckoned: net, or with its tax where the agreed amount holds it."""
        return self.net + self.tax if self.gross else self.net

    @property
    def left(self) -> int:
        """What of the amount is not credited."""
        taken = self.credited.net + (self.credited.tax if self.gross else 0)
        return self.amount - taken


class CreditLine(NamedTuple):
    """One line of a credit note, in positive amounts; `of` is the line that it takes back."""

    of: IssuedLine
    first_day: date
    last_day: date
    net: int
    tax: int
    explanation: str

    @property
    def total(self) -> int:
        """Net and tax."""
        return self.net + self.tax


def full_credit(lines: Iterable[IssuedLine], *, show: Show = plain) -> list[CreditLine]:
    """Everything of an invoice that is not credited yet."""
    found = []
    for line in lines:
        net, tax = line.net - line.credited.net, line.tax - line.credited.tax
        if net or tax:
            text = f"{show(net)} credited in full"
            found.append(CreditLine(line, line.first_day, line.last_day, net, tax, text))
    return found


def part_credit(
    lines: Iterable[IssuedLine], amounts: Mapping[int, int], *, show: Show = plain
) -> list[CreditLine]:
    """An amount of each line that is named by its id, as the line was agreed: net, or gross.

    The part that takes the last of a line takes the rest of its tax. Raises Refused (the field is
    `line-<id>`) for an amount below nil or beyond what is left, and for what is no line of these.
    """
    known = {line.line_id: line for line in lines}
    found = []
    for line_id, amount in amounts.items():
        name, line = f"line-{line_id}", known.get(line_id)
        if amount and line is None:
            raise Refused("This is no line of the invoice.", name)
        if amount < 0:
            raise Refused("An amount cannot be below nil.", name)
        if not amount or line is None:
            continue
        if amount > line.left:
            raise Refused(f"Only {show(line.left)} of it is left to credit.", name)
        net, tax = _split(line, amount)
        is_whole = amount == line.left
        text = f"{show(net)} credited in full" if is_whole else f"{show(amount)} credited"
        found.append(CreditLine(line, line.first_day, line.last_day, net, tax, text))
    return _taxed_together(found)


def credit_for_ending(
    terms: LeaseTerms, ended_on: date, lines: Sequence[IssuedLine], *, show: Show = plain
) -> list[CreditLine]:
    """What was issued less what would have been issued had the lease's last day been known.

    `lines` are all issued lines of the lease. One-off charges and late fees stay.
    November 1,000.00, last day 15 November: 500.00 by actual days, 506.85 by 365 days a year.
    """
    ended = replace(terms, ended_on=ended_on)
    end = billing_end(ended) or ended_on
    once = {c.charge_id for c in terms.charges if c.recurrence is not Recurrence.PERIOD}
    groups: dict[tuple[int, int], list[IssuedLine]] = {}
    for line in lines:
        # What was taken back whole is as if it had never been issued; it may be billed again since.
        if line.charge_id not in once and line.kind != LATE_FEE and line.left:
            key = (period_index(terms, line.first_day), line.charge_id)
            groups.setdefault(key, []).append(line)
    found = []
    for (index, _), members in sorted(groups.items()):
        if max(line.last_day for line in members) > end:
            members.sort(key=lambda line: (line.first_day, line.line_id))
            would = _would_have_been(ended, full_period(terms, index), end, members, show)
            found += _taken_back(members, would, end, show)
    return _taxed_together(found)


def _would_have_been(
    ended: LeaseTerms, full: Period, end: date, issued: list[IssuedLine], show: Show
) -> list[Portion]:
    """The same period's lines, reckoned from the amounts that were issued, up to the end."""
    first = max(full.first, ended.first_day)
    if end < first:
        return []
    steps: list[RentStep] = []
    following = first
    for line in issued:
        if line.first_day > following and steps:
            steps.append(RentStep(following, 0))
        rate, gross = line.tax_rate, line.gross
        steps.append(RentStep(line.first_day, line.period_amount, RentChange.SPLIT, rate, gross))
        following = line.last_day + _ONE_DAY
    item = Item(issued[0].charge_id or RENT, "", "", tuple(steps), following - _ONE_DAY)
    return portions(ended, item, full, first, min(full.last, end), show)


def _taken_back(
    issued: list[IssuedLine], would: list[Portion], end: date, show: Show
) -> list[CreditLine]:
    """The difference, taken from the last days first, never more than a line has left."""
    difference = sum(line.left for line in issued) - sum(portion.amount for portion in would)
    kept = {portion.first: portion for portion in would}
    found = []
    for line in reversed(issued):
        amount = min(difference, line.left)
        if amount <= 0:
            continue
        difference -= amount
        net, tax = _split(line, amount)
        text = _explanation(line, kept.get(line.first_day), amount, show)
        first = max(line.first_day, min(end + _ONE_DAY, line.last_day))
        found.append(CreditLine(line, first, line.last_day, net, tax, text))
    return found[::-1]


def _taxed_together(credits: list[CreditLine]) -> list[CreditLine]:
    """The same credits with the tax of each credit note's rate rounded on the sum of its lines.

    What empties a line takes all that is left of its tax; of the others the last one takes the
    rest of the sum's, never more than it has left.
    """
    found = list(credits)
    groups: dict[tuple[int, int, bool], list[int]] = {}
    for at, credit in enumerate(credits):
        key = (credit.of.invoice_id, credit.of.tax_rate, credit.of.gross)
        groups.setdefault(key, []).append(at)
    for (_, rate, gross), members in groups.items():
        partial = [at for at in members if _amount(found[at]) != found[at].of.left]
        if not partial:
            continue
        last = found[partial[-1]]
        others = sum(found[at].tax for at in members) - last.tax
        tax = tax_of(sum(_amount(found[at]) for at in members), rate, gross) - others
        tax = max(0, min(tax, last.of.tax - last.of.credited.tax))
        net = _amount(last) - tax if gross else last.net
        found[partial[-1]] = last._replace(net=net, tax=tax)
    return found


def _amount(credit: CreditLine) -> int:
    """What is taken back of the line as it was agreed: net, or with its tax."""
    return credit.total if credit.of.gross else credit.net


def _split(line: IssuedLine, amount: int) -> Taxed:
    """Net and tax of a part of a line; the part that empties it takes the rest."""
    if not line.gross:
        tax = credited_tax(Taxed(line.net, line.tax), line.credited, amount, line.tax_rate)
        return Taxed(amount, tax)
    left = line.tax - line.credited.tax
    tax = left if amount == line.left else min(left, tax_of(amount, line.tax_rate, True))
    return Taxed(amount - tax, tax)


def _explanation(line: IssuedLine, kept: Portion | None, amount: int, show: Show) -> str:
    if kept is None or line.left - kept.amount != amount:
        if amount == line.left:
            return f"{show(amount)} issued for days after the end"
        return f"{show(amount)} of {show(line.left)} issued"
    stays = kept.formula if "=" in kept.formula else f"{kept.formula} = {show(kept.amount)}"
    return (
        f"{show(line.left)} issued less {stays} for the days to {day_text(kept.last)}"
        f" = {show(amount)}"
    )
