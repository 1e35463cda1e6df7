"""The invoices and credit notes of leases, run by run.

From the rules' sections "Due, issued, period" (when a run issues, one invoice for each lease and
due date), "Billing run" (idempotent, catches up, never rewrites) and "Lease" (ending inside an
issued period credits what was issued less what would have been issued).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import product

from tests.reckoner.amounts import parts_of
from tests.reckoner.calendars import Piece, pieces
from tests.reckoner.taxes import tax_of, taxes
from tests.reckoner.terms import DAY, Charge, Lease

Rate = tuple[Fraction, bool]
"""A rate of tax, and whether it is held by the amount."""


@dataclass
class Line:
    """One line; its amounts in cents: as agreed (net or gross), the tax, and what was credited."""

    charge: str
    start: date
    end: date
    rate: Rate
    amount: int
    tax: int = 0
    credited: int = 0

    @property
    def net(self) -> int:
        return self.amount - self.tax if self.rate[1] else self.amount

    @property
    def left(self) -> int:
        return self.amount - self.credited


@dataclass
class Billed:
    """A charge's piece on an invoice, with the lease as it was when that was issued."""

    lease: Lease
    charge: Charge
    piece: Piece
    lines: list[Line]


@dataclass
class Invoice:
    lease: str
    due: date
    issued: date
    billed: list[Billed]
    credited_tax: dict[Rate, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def lines(self) -> list[Line]:
        return [line for billed in self.billed for line in billed.lines]


@dataclass
class Credit:
    """A credit note on one invoice: for each rate of tax the amount and the tax, in cents."""

    invoice: Invoice
    issued: date
    sums: dict[Rate, tuple[int, int]]

    @property
    def tax(self) -> int:
        return sum(tax for _, tax in self.sums.values())

    @property
    def net(self) -> int:
        return sum(amount - tax if rate[1] else amount for rate, (amount, tax) in self.sums.items())


@dataclass
class Books:
    """The leases by name, and what was issued so far; each series has its last date."""

    leases: dict[str, Lease] = field(default_factory=dict)
    invoices: list[Invoice] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    done: dict[tuple[str, str, date], date] = field(default_factory=dict)
    """Lease, charge and where its period begins: up to which day it is billed."""
    cut: dict[tuple[str, str, date], bool] = field(default_factory=dict)
    """Whether that was the charge's own last day rather than the lease's."""

    def run(self, as_of: date) -> list[Invoice]:
        """Issue all that is due within the lead days; the invoices made."""
        on = max([as_of, *(invoice.issued for invoice in self.invoices[-1:])])
        made = [
            invoice for lease in self.leases.values() for invoice in self._run(lease, as_of, on)
        ]
        self.invoices += made
        return made

    def _run(self, lease: Lease, as_of: date, on: date) -> list[Invoice]:
        by_due: dict[date, list[Billed]] = defaultdict(list)
        for charge, piece in product(lease.charges, pieces(lease, as_of)):
            key = (lease.name, charge.name, piece.begins)
            if key in self.done:
                if self.done[key] >= piece.end:
                    continue
                piece = replace(beyond(piece, self.done[key]), cut=self.cut[key])
            is_near = piece.due <= as_of + timedelta(days=lease.lead)
            lines = lines_of(lease, charge, piece) if is_near else []
            if lines:
                self.done[key] = min(piece.end, charge.last or piece.end)
                self.cut[key] = charge.last is not None and charge.last < piece.end
                by_due[piece.due].append(Billed(lease, charge, piece, lines))
        made = [Invoice(lease.name, due, on, by_due[due]) for due in sorted(by_due)]
        for invoice in made:
            for rate, lines in by_rate(invoice.lines).items():
                found = taxes([line.amount for line in lines], *rate)
                for line, tax in zip(lines, found, strict=True):
                    line.tax = tax
        return made

    def end(self, name: str, on: date, today: date) -> list[Credit]:
        """End the lease on its last day; what was issued beyond it is credited at once."""
        self.leases[name] = replace(self.leases[name], ended_on=on)
        last = self.leases[name].last_known(on) or on
        made = []
        for invoice in self.invoices:
            if invoice.lease == name:
                made += self._credit(invoice, today, surplus(invoice, last))
        return made

    def credit(self, invoice: Invoice, today: date) -> list[Credit]:
        """Take back all that is left of an invoice."""
        return self._credit(invoice, today, [(line, line.left) for line in invoice.lines])

    def _credit(self, invoice: Invoice, today: date, taken: list[tuple[Line, int]]) -> list[Credit]:
        """The credit note that takes back so much of each line, if that is anything."""
        sums: dict[Rate, tuple[int, int]] = {}
        for line, amount in taken:
            line.credited += amount
        for rate, of_rate in by_rate(invoice.lines).items():
            credited = [(line, amount) for line, amount in taken if amount and line.rate == rate]
            if not credited:
                continue
            amount, left = sum(each for _, each in credited), sum(line.left for line in of_rate)
            tax_left = sum(line.tax for line in of_rate) - invoice.credited_tax[rate]
            tax = tax_of_note([(each, line.amount, line.tax) for line, each in credited], rate)
            sums[rate] = amount, tax if left else tax_left
            invoice.credited_tax[rate] += sums[rate][1]
        if not sums:
            return []
        on = max([today, *(credit.issued for credit in self.credits[-1:])])
        self.credits.append(Credit(invoice, on, sums))
        return self.credits[-1:]


def tax_of_note(parts: list[tuple[int, int, int]], rate: Rate) -> int:
    """The tax of a note's lines of a rate: (amount, the line's whole amount and its tax).

    Rounded on the sum; but what empties a line takes its tax, and no line gives more than it has.
    """
    own = [tax if amount == whole else tax_of(amount, *rate) for amount, whole, tax in parts]
    partial = [at for at, (amount, whole, _) in enumerate(parts) if amount != whole]
    if partial:
        last = partial[-1]
        rest = tax_of(sum(amount for amount, _, _ in parts), *rate) - (sum(own) - own[last])
        own[last] = max(0, min(rest, parts[last][2]))
    return sum(own)


def beyond(piece: Piece, done: date) -> Piece:
    """What of a piece comes after the days that are billed, due no earlier than its first."""
    if done < piece.start:
        return piece
    return replace(piece, start=done + DAY, due=max(piece.due, done + DAY))


def lines_of(lease: Lease, charge: Charge, piece: Piece) -> list[Line]:
    return [
        Line(charge.name, part.start, part.end, (part.dated.rate, part.dated.gross), part.amount)
        for part in parts_of(lease, charge, piece)
    ]


def by_rate(lines: Iterable[Line]) -> dict[Rate, list[Line]]:
    """Lines by rate; net and gross ones apart."""
    found = defaultdict(list)
    for line in lines:
        found[line.rate].append(line)
    return found


def surplus(invoice: Invoice, on: date) -> list[tuple[Line, int]]:
    """What was issued less what would have been had one known the last day, where that is more.

    It is taken from a period's last lines first. "A change alters only what is not yet issued":
    what would have been issued is reckoned by what the lease said when the invoice was.
    """
    found = []
    for billed in invoice.billed:
        last = min(on, billed.piece.end)
        would = []
        if billed.piece.start <= last:
            would = lines_of(billed.lease, billed.charge, replace(billed.piece, end=last))
        more = sum(line.left for line in billed.lines) - sum(line.amount for line in would)
        for line in reversed(billed.lines):
            taken = max(0, min(more, line.left))
            more -= taken
            found.append((line, taken))
    return found
