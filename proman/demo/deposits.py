"""Writes the demonstration's deposits in bulk: those held when it begins, those requested since."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from proman.billing.issuing import Draft, DraftLine, Issued, issue
from proman.billing.models import DepositEvent
from proman.db import utc_now
from proman.demo.placing import insert_rows
from proman.identity.actor import Actor
from proman.ledger.actions import Concerning, Event, post_many


@dataclass(frozen=True, slots=True)
class Held:
    """A deposit of a lease, minor units."""

    lease_id: int
    property_id: int
    reference: str
    amount: int


def take_over(deposits: Sequence[Held], on: date, *, actor: Actor) -> None:
    """Deposits held already on the day on which the books begin."""
    post_many(
        (
            Event("opening_deposit", on, {"amount": each.amount}, _about(each), "Taken over")
            for each in deposits
        ),
        actor=actor,
    )
    insert_rows(DepositEvent, _events("received", ((each, on, None) for each in deposits), actor))


def request(deposits: Sequence[Held], on: date, due: date, *, actor: Actor) -> list[Issued]:
    """Ask for the deposits of new leases, as a document of its own for each."""
    drafts = [Draft(each.lease_id, due, None, None, [_line(each)]) for each in deposits]
    issued = issue("deposit_request", drafts, on, actor=actor)
    pairs = list(zip(deposits, issued, strict=True))
    post_many(
        (
            Event("deposit_request", doc.issue_date, {"amount": each.amount}, _about(each, doc.id))
            for each, doc in pairs
        ),
        actor=actor,
    )
    asked = ((each, doc.issue_date, doc.id) for each, doc in pairs)
    insert_rows(DepositEvent, _events("requested", asked, actor))
    return issued


def give_back(deposits: Sequence[tuple[Held, date]], *, actor: Actor) -> None:
    """Deposits returned in full after the lease's end."""
    entries = post_many(
        (
            Event("deposit_returned", on, {"amount": each.amount}, _about(each))
            for each, on in deposits
        ),
        actor=actor,
    )
    rows = _events("returned", ((each, on, None) for each, on in deposits), actor)
    insert_rows(
        DepositEvent,
        (row | {"entry_id": entry_id} for row, entry_id in zip(rows, entries, strict=True)),
    )


def _about(deposit: Held, invoice_id: int | None = None) -> Concerning:
    return Concerning(deposit.lease_id, deposit.property_id, invoice_id)


def _line(deposit: Held) -> DraftLine:
    words = f"Deposit for lease {deposit.reference}"
    amount = deposit.amount
    return DraftLine(
        None, "deposit", words, None, None, amount, 0, 0, False, amount, "As agreed in the lease"
    )


def _events(
    event: str, happened: Iterable[tuple[Held, date, int | None]], actor: Actor
) -> Iterable[dict[str, Any]]:
    now = utc_now()
    for deposit, on, invoice_id in happened:
        yield {
            "lease_id": deposit.lease_id,
            "event": event,
            "happened_on": on,
            "amount": deposit.amount,
            "invoice_id": invoice_id,
            "recorded_at": now,
            "recorded_by": actor.id,
        }
