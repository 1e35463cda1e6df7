"""Owns what an invoice, credit note or deposit request says, as plain values ready to print."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from proman.billing.snapshots import Issuer, Recipient
from proman.billing.states import document_state


@dataclass(frozen=True, slots=True)
class Logo:
    """An image of the organization, as it was uploaded."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One printed line: minor units, both dates inclusive, the rate in thousandths of 1 %."""

    description: str
    period_start: date | None
    period_end: date | None
    explanation: str
    net: int
    tax_rate: int
    tax: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What lowered the amount owed: a payment, a credit note, a deposit withheld."""

    label: str
    day: date
    amount: int
    """Minor units; positive lowers what is owed, negative raises it again (a bounced payment)."""


@dataclass(frozen=True, slots=True)
class TaxShare:
    """The net and the tax of all lines of one rate."""

    rate: int
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """An issued document with the names and addresses of its day, and what is open `as_of` a day.

    `number` is None for an opening item only. `refers_to` is the number and the issue date of the
    invoice that a credit note credits. All amounts are minor units of `currency`.
    """

    kind: str
    number: str | None
    issuer: Issuer
    recipient: Recipient
    logo: Logo | None
    currency: str
    issue_date: date
    due_date: date
    period_start: date | None
    period_end: date | None
    lines: Sequence[DocumentLine]
    net: int
    tax: int
    total: int
    open: int
    as_of: date
    settlements: Sequence[Settlement] = ()
    credited: int = 0
    written_off: int = 0
    refers_to: tuple[str, date] | None = None
    reason: str = ""

    @property
    def taxes(self) -> list[TaxShare]:
        """One share for each rate above nil on the document, highest rate first."""
        shares: dict[int, TaxShare] = {}
        for line in self.lines:
            known = shares.get(line.tax_rate, TaxShare(line.tax_rate, 0, 0))
            shares[line.tax_rate] = TaxShare(
                line.tax_rate, known.net + line.net, known.tax + line.tax
            )
        return sorted((s for s in shares.values() if s.rate), key=lambda s: -s.rate)

    @property
    def state(self) -> str:
        """The state on the day `as_of`."""
        return document_state(
            self.kind,
            self.total,
            self.open,
            self.credited,
            self.due_date,
            self.as_of,
            self.written_off,
        )

    @property
    def asks_for_money(self) -> bool:
        """Whether the reader is to pay something: a credit note never asks."""
        return self.kind != "credit_note" and self.open > 0


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One movement of a lease's account; `balance` is what is owed after it (negative: credit)."""

    day: date
    text: str
    charged: int
    received: int
    balance: int


@dataclass(frozen=True, slots=True)
class StatementDocument:
    """The account of one lease from a first to a last day, both inclusive."""

    issuer: Issuer
    recipient: Recipient
    logo: Logo | None
    currency: str
    first_day: date
    last_day: date
    opening: int
    rows: Sequence[StatementRow]
    closing: int
