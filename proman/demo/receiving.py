"""Records the demonstration's receipts in bulk, by the same ledger and allocation as any other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from sqlalchemy import Table, bindparam, insert, select

from proman.billing.allocation import allocate_as_decided, allocate_to_new
from proman.billing.models import Invoice
from proman.billing.settling import DEPOSIT_REQUEST, Step
from proman.database.ids import insert_numbered
from proman.db import db, utc_now
from proman.identity.actor import Actor
from proman.ledger.actions import Concerning, Event, post_many
from proman.payments.actions import reverse_payment
from proman.payments.models import Payment
from proman.payments.queries import payment as the_payment

_payments: Table = Payment.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_OPEN = select(_i.c.id, _i.c.lease_id).where(
    _i.c.organization_id == bindparam("organization_id"),
    _i.c.open > 0,
    _i.c.kind != DEPOSIT_REQUEST,
)
REASON = "The bank returned the payment"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money that arrives for a lease; for a deposit request where one is named."""

    received_on: date
    lease_id: int
    property_id: int
    amount: int
    method: str
    reference: str
    payer: str
    bounced_on: date | None = None
    deposit_request_id: int | None = None


def receive(arrivals: Sequence[Arrival], *, actor: Actor) -> dict[int, date]:
    """Record receipts and allocate them, oldest due date first; returns what is going to bounce.

    The answer is the day of the bounce by the payment's id.
    """
    if not arrivals:
        return {}
    now = utc_now()
    rows = [_row(one) | {"recorded_at": now, "recorded_by": actor.id} for one in arrivals]
    ids = insert_numbered(db.session(), insert(_payments), rows)
    numbered = list(zip(ids, arrivals, strict=True))
    post_many((_event(key, one) for key, one in numbered), actor=actor)
    deposits = [_step(key, one) for key, one in numbered if one.deposit_request_id is not None]
    if deposits:
        allocate_as_decided(deposits, actor=actor)
    allocate_open({one.lease_id for one in arrivals}, actor=actor)
    return {key: one.bounced_on for key, one in numbered if one.bounced_on is not None}


def bounce(payment_ids: Iterable[tuple[int, date]], *, today: date, actor: Actor) -> None:
    """Reverse payments that the bank returned, then let other credit fill what is open again."""
    leases = set()
    for payment_id, on in payment_ids:
        payment = the_payment(payment_id)
        leases.add(payment.lease_id)
        reverse_payment(payment, on, REASON, today=today, actor=actor)
    db.session.expunge_all()
    if leases:
        allocate_open(leases, actor=actor)


def allocate_open(lease_ids: set[int], *, actor: Actor) -> None:
    """Let the leases' credit fill what is open of them."""
    pairs = [(row.id, row.lease_id) for row in db.session.execute(_OPEN)]
    allocate_to_new([pair for pair in pairs if pair[1] in lease_ids], actor=actor)


def _row(arrival: Arrival) -> dict[str, object]:
    return {
        "lease_id": arrival.lease_id,
        "payment_group": str(uuid4()),
        "received_on": arrival.received_on,
        "method": arrival.method,
        "reference": arrival.reference,
        "payer": arrival.payer,
        "amount": arrival.amount,
    }


def _event(payment_id: int, arrival: Arrival) -> Event:
    about = Concerning(arrival.lease_id, arrival.property_id, payment_id=payment_id)
    return Event("payment", arrival.received_on, {"amount": arrival.amount}, about)


def _step(payment_id: int, arrival: Arrival) -> Step:
    assert arrival.deposit_request_id is not None
    return Step(
        payment_id,
        arrival.deposit_request_id,
        DEPOSIT_REQUEST,
        arrival.amount,
        arrival.received_on,
    )
