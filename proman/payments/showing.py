"""Puts together what a payment's page shows: what it paid, what is left, what happened."""

from dataclasses import dataclass
from datetime import datetime

from proman.billing.credit import OpenDocument, open_documents
from proman.payments.queries import AllocationLine, Part, allocations_of, parts_of
from proman.web.filters import day, money


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the time line."""

    at: datetime
    text: str
    actor: str
    icon: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """All that the page of a payment shows."""

    payment: Part
    others: list[Part]
    allocations: list[AllocationLine]
    standing: dict[int, int]
    documents: list[OpenDocument]
    events: list[Happening]

    @property
    def left(self) -> int:
        """What of the payment is unused credit; nil once it was reversed."""
        if self.payment.reversed_on:
            return 0
        return self.payment.amount - sum(line.amount for line in self.allocations)

    @property
    def whole(self) -> int:
        """What the receipt came to over all its leases."""
        return self.payment.amount + sum(part.amount for part in self.others)


def payment_page(payment_id: int) -> PaymentPage:
    """The page of a payment. Raises NotThere."""
    payment, others = parts_of(payment_id)
    lines = list(allocations_of(payment_id))
    used = sum(line.amount for line in lines)
    is_open = not payment.reversed_on and used < payment.amount
    return PaymentPage(
        payment,
        others,
        lines,
        _standing(lines),
        open_documents(payment.lease_id) if is_open else [],
        _events(payment, lines),
    )


def document_name(kind: str, number: str | None) -> str:
    """A document as it is called in a sentence."""
    if kind == "opening":
        return "the opening balance"
    return f"deposit request {number}" if kind == "deposit_request" else f"invoice {number}"


def _standing(lines: list[AllocationLine]) -> dict[int, int]:
    left = {line.id: line.amount for line in lines if line.amount > 0}
    for line in lines:
        if line.reverses_id in left:
            left[line.reverses_id] += line.amount
    return {key: amount for key, amount in left.items() if amount}


def _events(payment: Part, lines: list[AllocationLine]) -> list[Happening]:
    events = [
        Happening(
            payment.recorded_at,
            f"{money(payment.amount)} recorded, received on {day(payment.received_on)}",
            payment.recorded_by or "ProMan",
            "cash-banknote",
        )
    ]
    for line in lines:
        verb, icon = (
            ("put against", "check") if line.amount > 0 else ("released from", "arrow-back-up")
        )
        name = document_name(line.kind, line.number)
        text = f"{money(abs(line.amount))} {verb} {name}, as of {day(line.effective_on)}"
        events.append(Happening(line.recorded_at, text, line.recorded_by or "ProMan", icon))
    if payment.reversed_at and payment.reversed_on:
        text = f"Reversed on {day(payment.reversed_on)}"
        who = payment.reversed_by or "ProMan"
        events.append(
            Happening(payment.reversed_at, text, who, "arrow-back-up", payment.reason or "")
        )
    return events
