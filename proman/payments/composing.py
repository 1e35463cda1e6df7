"""Puts a payment together from what was typed, and shows beforehand what it will pay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from proman.base.errors import Refused
from proman.base.money import parse_amount
from proman.billing import credit, settling
from proman.billing.credit import OpenDocument
from proman.billing.settling import Move, OpenItem, Source
from proman.payments.actions import NewPayment, Share
from proman.payments.forms import BY_HAND, PaymentForm, SplitRow
from proman.payments.picking import LeaseLine, lease_meant
from proman.web.typed_amounts import TypedAmounts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an amount would pay: minor units for each document, and what stays credit."""

    pays: Mapping[int, int]
    left: int


@dataclass
class Composition:
    """A payment as it stands in the form: its leases, their open documents, what it would do."""

    form: PaymentForm
    deposits: TypedAmounts
    allocations: TypedAmounts
    split: list[SplitRow]
    lease: LeaseLine | None = None
    documents: list[OpenDocument] = field(default_factory=list)
    shares: list[tuple[LeaseLine, int]] = field(default_factory=list)
    outcome: Outcome | None = None
    duplicate_id: int | None = None
    is_double: bool = False

    @property
    def is_by_hand(self) -> bool:
        return bool(self.form.how.data == BY_HAND)

    @property
    def is_valid(self) -> bool:
        """Whether it could be recorded as far as the form can tell."""
        return not (self.form.errors or self.form.form_errors or self.errors)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """What is wrong beyond the form's own fields: id of the field and message."""
        names = {document.id: document.number or "Opening balance" for document in self.documents}
        found = [
            (f"share_lease-{r.place}", f"Lease {r.place + 1}: {r.error}")
            for r in self.split
            if r.error
        ]
        for typed in (self.deposits, self.allocations):
            for key, message in typed.errors.items():
                found.append((f"{typed.prefix}-{key}", f"{names.get(key, key)}: {message}"))
        return found

    @property
    def own_amount(self) -> int:
        """What is left for the first lease, minor units."""
        return (self.form.amount.data or 0) - sum(amount for _, amount in self.shares)

    def refuse(self, refusal: Refused) -> None:
        """Show a refusal beside the field it belongs to."""
        if not (self.deposits.refuse(refusal) or self.allocations.refuse(refusal)):
            self.form.refuse(refusal)

    def new_payment(self) -> NewPayment:
        """What is to be recorded; the form must be valid."""
        form, lease = self.form, self.lease
        assert lease is not None
        by_hand = self.allocations.values if self.is_by_hand else None
        first = Share(lease.id, self.own_amount, self.deposits.values, by_hand)
        others = tuple(Share(each.id, amount) for each, amount in self.shares)
        received_on = form.received_on.data
        assert received_on is not None
        return NewPayment(
            received_on, form.method.data, form.reference.data, (first, *others), form.payer.data
        )


def compose(form: PaymentForm, data: Mapping[str, str], today: date) -> Composition:
    """Read what was typed so far, whether or not it is complete."""
    currency = form.amount.currency
    made = Composition(
        form,
        TypedAmounts.read(data, "deposit", currency),
        TypedAmounts.read(data, "allocation", currency),
        SplitRow.read(data),
    )
    try:
        made.lease = lease_meant(form.lease.data or "")
    except Refused as refusal:
        if form.lease.data:
            form.refuse(refusal)
        return made
    form.lease.raw_data = [made.lease.label]
    form.lease.data = made.lease.label
    made.documents = credit.open_documents(made.lease.id)
    _read_split(made, currency)
    _foresee(made, form.received_on.data or today)
    return made


def foresee(
    items: list[OpenItem],
    amount: int,
    day: date,
    deposits: Mapping[int, int],
    invoices: Mapping[int, int] | None,
) -> Outcome:
    """What an amount received on a day would pay. Raises Refused like the recording itself."""
    source = Source(None, (Move(day, amount),))
    named = {**deposits, **(invoices or {})}
    steps = settling.by_hand([source], items, named) if any(named.values()) else []
    if invoices is None:
        rest = amount - sum(step.amount for step in steps)
        if rest > 0:
            steps += settling.oldest_first([Source(None, (Move(day, rest),))], items)
    pays: dict[int, int] = {}
    for step in steps:
        pays[step.invoice_id] = pays.get(step.invoice_id, 0) + step.amount
    return Outcome(pays, amount - sum(pays.values()))


def _foresee(made: Composition, day: date) -> None:
    if made.own_amount <= 0 or made.deposits.errors or made.allocations.errors:
        return
    by_hand = made.allocations.values if made.is_by_hand else None
    items = credit.open_items(made.documents)
    try:
        made.outcome = foresee(items, made.own_amount, day, made.deposits.values, by_hand)
    except Refused as refusal:
        made.refuse(refusal)


def _read_split(made: Composition, currency: str) -> None:
    assert made.lease is not None
    for row in made.split:
        if not row.is_typed:
            continue
        try:
            lease = lease_meant(row.lease, f"share_lease-{row.place}")
            amount = parse_amount(row.amount or "0", currency).minor
            if amount <= 0:
                raise Refused("Say how much of the payment is for this lease.")
            if lease.id in {made.lease.id, *(each.id for each, _ in made.shares)}:
                raise Refused("This lease is named twice.")
        except Refused as refusal:
            row.error = refusal.message
        else:
            row.lease = lease.label
            made.shares.append((lease, amount))
    if made.shares and made.form.amount.data and made.own_amount <= 0:
        made.form.refuse(Refused("The other leases leave nothing for the first one.", "amount"))
