"""Records receipts of money, one or many, splits them over leases, and reverses them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import uuid4

from proman.base.errors import Refused
from proman.billing import allocation
from proman.billing.credit import credit_sources, standing_of
from proman.billing.settling import DEPOSIT_REQUEST, Step
from proman.db import db
from proman.identity import audit
from proman.identity.actor import Actor
from proman.ledger import actions as ledger
from proman.ledger import queries as journal
from proman.ledger.locking import require_open
from proman.payments import queries
from proman.payments.models import METHODS, Payment, PaymentReversal
from proman.payments.rules import (
    Receipt,
    check_receipt_day,
    check_reversal,
    check_shares,
    is_possible_duplicate,
)


@dataclass(frozen=True, slots=True)
class Share:
    """What of a payment is for one lease, minor units, and where it goes.

    `deposits` names amounts for deposit requests, `invoices` for other documents, both by invoice
    id. Without `invoices` the rest goes to the oldest due date first; what is left stays credit.
    """

    lease_id: int
    amount: int
    deposits: Mapping[int, int] = field(default_factory=dict)
    invoices: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A receipt of money to be recorded."""

    received_on: date
    method: str
    reference: str
    shares: tuple[Share, ...]
    payer: str = ""

    @property
    def amount(self) -> int:
        """The whole of it, minor units."""
        return sum(share.amount for share in self.shares)

    @property
    def receipt(self) -> Receipt:
        """As it is compared with others."""
        leases = frozenset(share.lease_id for share in self.shares)
        return Receipt(self.received_on, self.reference, self.amount, leases)


class PossibleDuplicate(Refused):
    """A payment looks like one that is recorded already; it has to be confirmed."""

    def __init__(self, payment_id: int | None) -> None:
        super().__init__(
            "A payment with this reference, date and amount is recorded already. Confirm that this"
            " is another one.",
            "confirmed",
        )
        self.payment_id = payment_id
        """The recorded one; None where it stands in the same batch."""


def record_payment(
    new: NewPayment, *, today: date, actor: Actor, confirmed: bool = False
) -> list[Payment]:
    """Record a receipt: a payment for each of its leases, credited and then allocated.

    Must be inside a write. Raises PossibleDuplicate unless `confirmed`, and Refused for a day in
    the future, an unknown lease or method, or amounts that cannot be.
    """
    check_receipt_day(new.received_on, today)
    require_open(new.received_on, "received_on")
    check_shares(new.amount, [share.amount for share in new.shares])
    if new.method not in METHODS:
        raise Refused("Choose how the money came.", "method")
    properties = queries.properties_of_leases([share.lease_id for share in new.shares])
    if any(share.lease_id not in properties for share in new.shares):
        raise Refused("There is no such lease.", "lease_id")
    if not confirmed:
        _ask_about_duplicates(new)
    group = str(uuid4())
    return [_receive(new, share, properties[share.lease_id], group, actor) for share in new.shares]


def record_payments(
    batch: Sequence[NewPayment], *, today: date, actor: Actor, confirmed: frozenset[int]
) -> list[Payment]:
    """Record many receipts, all or none; `confirmed` holds the places (from 0) of known doubles.

    Raises RowRefused, which names the place of the first one that cannot be recorded.
    """
    recorded: list[Payment] = []
    for place, new in enumerate(batch):
        sure = place in confirmed
        try:
            if not sure and any(
                is_possible_duplicate(new.receipt, b.receipt) for b in batch[:place]
            ):
                raise PossibleDuplicate(None)
            recorded += record_payment(new, today=today, actor=actor, confirmed=sure)
        except Refused as refusal:
            raise RowRefused(place, refusal) from refusal
    return recorded


class RowRefused(Refused):
    """One receipt of a batch cannot be recorded, so none was."""

    def __init__(self, place: int, refusal: Refused) -> None:
        super().__init__(refusal.message, refusal.field)
        self.place = place
        self.refusal = refusal


def allocate_rest(payment: Payment, wanted: Mapping[int, int] | None, *, actor: Actor) -> int:
    """Put what is left of a payment against open documents, oldest first or as named.

    Returns the amount that was allocated, minor units. Raises Refused for amounts that cannot be.
    """
    steps = _allocate(payment, wanted, actor)
    if steps:
        after = {f"invoice {step.invoice_id}": step.amount for step in steps}
        audit.record("allocated", "payments", payment.id, payment.reference, after=after)
    return sum(step.amount for step in steps)


def release_allocation(payment: Payment, allocation_id: int, *, today: date, actor: Actor) -> int:
    """Turn one allocation of a payment back into credit; returns its amount.

    Raises Refused when it no longer stands, or filled a deposit that was returned or withheld.
    """
    standing = [paid for paid in standing_of(payment.id) if paid.allocation_id == allocation_id]
    if not standing:
        raise Refused("This allocation was released already.")
    if standing[0].kind == DEPOSIT_REQUEST:
        held = journal.deposits_held([payment.lease_id])[payment.lease_id]
        if held < standing[0].amount:
            raise Refused("This deposit was returned or withheld since.")
    allocation.release_allocation(allocation_id, today, actor=actor)
    before = {f"invoice {standing[0].invoice_id}": standing[0].amount}
    audit.record("released", "payments", payment.id, payment.reference, before=before)
    return standing[0].amount


def reverse_payment(
    payment: Payment, on: date, reason: str, *, today: date, actor: Actor
) -> list[PaymentReversal]:
    """Reverse a receipt, with all parts of a split one: its allocations first, then itself.

    The invoices are open again with their own due dates. Raises Refused when it was reversed
    already, for a day before its receipt or in the future, without a reason, and once its deposit
    part was returned or withheld.
    """
    parts = queries.payments_of_group(payment.payment_group)
    if any(part.reversal for part in parts):
        raise Refused("This payment was reversed already.")
    for part in parts:
        _check_reversal(part, on, reason, today)
    require_open(on, "on")
    return [_take_back(part, on, reason.strip(), actor) for part in parts]


def _ask_about_duplicates(new: NewPayment) -> None:
    payment_id = queries.duplicate_of(new.receipt)
    if payment_id is not None:
        raise PossibleDuplicate(payment_id)


def _receive(new: NewPayment, share: Share, property_id: int, group: str, actor: Actor) -> Payment:
    payment = Payment(
        lease_id=share.lease_id,
        payment_group=group,
        received_on=new.received_on,
        method=new.method,
        reference=new.reference.strip(),
        payer=new.payer.strip(),
        amount=share.amount,
        recorded_by=actor.id,
    )
    db.session.add(payment)
    db.session.flush()
    about = ledger.Concerning(share.lease_id, property_id, payment_id=payment.id)
    ledger.post("payment", new.received_on, about, actor=actor, amount=share.amount)
    named = {**share.deposits, **(share.invoices or {})}
    if any(named.values()):
        _allocate(payment, named, actor)
    if share.invoices is None:
        _allocate(payment, None, actor)
    return payment


def _allocate(payment: Payment, wanted: Mapping[int, int] | None, actor: Actor) -> list[Step]:
    return allocation.allocate_credit(
        payment.lease_id, actor=actor, payment_id=payment.id, wanted=wanted
    )


def _check_reversal(part: Payment, on: date, reason: str, today: date) -> None:
    deposits = [paid.amount for paid in standing_of(part.id) if paid.kind == DEPOSIT_REQUEST]
    check_reversal(
        received_on=part.received_on,
        on=on,
        today=today,
        reason=reason,
        deposit_part=sum(deposits),
        deposit_held=journal.deposits_held([part.lease_id])[part.lease_id],
    )


def _take_back(part: Payment, on: date, reason: str, actor: Actor) -> PaymentReversal:
    # What was released later than the day asked for was in use until then.
    day = max(on, queries.last_release(part.id) or on)
    allocation.release_payment(part.id, day, actor=actor)
    sources = credit_sources([part.lease_id]).get(part.lease_id, [])
    left = sum(source.left for source in sources if source.payment_id == part.id)
    if left != part.amount:
        raise Refused("Some of this payment was paid back to the tenant. Reverse that first.")
    entry = journal.payment_entry(part.id)
    ledger.reverse(entry, day, event="payment_reversal", actor=actor, explanation=reason)
    reversal = PaymentReversal(
        payment_id=part.id, reversed_on=day, reason=reason, recorded_by=actor.id
    )
    db.session.add(reversal)
    db.session.flush()
    return reversal
