"""Settles a deposit: interest added, withheld against what is owed, returned, taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing import credit
from proman.billing.adjusting import check_day_and_reason, check_open
from proman.billing.allocation import change_open
from proman.billing.deposits import deposit_of
from proman.billing.models import DepositEvent
from proman.billing.settling import Move, available_from
from proman.db import db
from proman.identity.actor import Actor
from proman.ledger import actions as ledger
from proman.ledger import queries as journal

INTEREST, WITHHELD, RETURNED = "interest", "withheld", "returned"
EVENT_WORDS = {INTEREST: "Interest", WITHHELD: "Withheld", RETURNED: "Returned"}
_ENTRIES = {
    INTEREST: "deposit_interest",
    WITHHELD: "deposit_withheld",
    RETURNED: "deposit_returned",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a deposit on a day; minor units.

    `withheld` names an amount for each open invoice or opening balance that it settles.
    """

    on: date
    reason: str
    interest: int = 0
    withheld: Mapping[int, int] = field(default_factory=dict)
    returned: int = 0

    @property
    def out(self) -> int:
        """What leaves the deposit."""
        return sum(self.withheld.values()) + self.returned


def settle_deposit(
    lease_id: int, outcome: Outcome, *, today: date, actor: Actor
) -> list[DepositEvent]:
    """Add interest, withhold against documents of the lease, and return; all or nothing.

    Must be inside a write. Raises NotThere, and Refused for nothing at all, for more than is held
    or open on that day or any after it, for what is no open document of the lease (the field is
    `withheld-<invoice id>`), for a day in the future, or without a reason.
    """
    check_day_and_reason(outcome.on, today, outcome.reason)
    amounts = (outcome.interest, outcome.returned, *outcome.withheld.values())
    if min(amounts) < 0:
        raise Refused("No amount can be below nil.")
    if not any(amounts):
        raise Refused("Say what is withheld or returned.", "returned")
    deposit = deposit_of(lease_id)
    wanted = {key: amount for key, amount in outcome.withheld.items() if amount}
    _check_documents(lease_id, wanted, outcome.on)
    _check_held(lease_id, outcome)
    about = ledger.Concerning(lease_id, deposit.property_id)
    made = []
    if outcome.interest:
        made.append(_happen(INTEREST, outcome, outcome.interest, about, actor))
    for invoice_id, amount in wanted.items():
        of_document = replace(about, invoice_id=invoice_id)
        made.append(_happen(WITHHELD, outcome, amount, of_document, actor))
        change_open({invoice_id: -amount})
    if outcome.returned:
        made.append(_happen(RETURNED, outcome, outcome.returned, about, actor))
    return made


def the_event(lease_id: int | None, event_id: int) -> DepositEvent:
    """Interest, or what was withheld or returned; of that lease where one is named.

    Raises NotThere for any other event of a deposit.
    """
    event = db.session.scalars(select(DepositEvent).where(DepositEvent.id == event_id)).first()
    if event is None or event.entry_id is None or event.reverses_id is not None:
        raise NotThere("There is nothing to take back.")
    if lease_id is not None and event.lease_id != lease_id:
        raise NotThere("There is nothing to take back.")
    return event


def take_back(event_id: int, on: date, reason: str, *, today: date, actor: Actor) -> DepositEvent:
    """Reverse interest, or what was withheld (it is open again) or returned (it is held again).

    Must be inside a write. Raises NotThere, and Refused when it was taken back already, when the
    interest is not held any more, for a day before its own or in the future, or without a reason.
    """
    event = the_event(None, event_id)
    reversal = select(DepositEvent.id).where(DepositEvent.reverses_id == event_id)
    if db.session.scalar(reversal) is not None:
        raise Refused("This was taken back already.")
    check_day_and_reason(on, today, reason)
    if on < event.happened_on:
        raise Refused("It cannot be taken back before it happened.", "on")
    if event.event == INTEREST:
        _check_moves(_moves(event.lease_id), event.amount, on, None)
    assert event.entry_id is not None  # the_event() finds no other
    entry_id = ledger.reverse(
        event.entry_id,
        on,
        event=f"{_ENTRIES[event.event]}_reversal",
        actor=actor,
        explanation=reason.strip(),
    )
    if event.event == WITHHELD and event.invoice_id is not None:
        change_open({event.invoice_id: event.amount})
    back = DepositEvent(
        lease_id=event.lease_id,
        event=event.event,
        happened_on=on,
        amount=-event.amount,
        invoice_id=event.invoice_id,
        note=reason.strip(),
        entry_id=entry_id,
        reverses_id=event.id,
        recorded_by=actor.id,
    )
    db.session.add(back)
    db.session.flush()
    return back


def _check_documents(lease_id: int, wanted: Mapping[int, int], on: date) -> None:
    open_now = {one.id: one for one in credit.open_documents(lease_id)} if wanted else {}
    for invoice_id, amount in wanted.items():
        name, document = f"withheld-{invoice_id}", open_now.get(invoice_id)
        if document is None or document.kind not in ("invoice", "opening"):
            raise Refused("This is no open invoice of the lease.", name)
        check_open(document, amount, on, name)


def _check_held(lease_id: int, outcome: Outcome) -> None:
    moves = _moves(lease_id)
    if outcome.interest:
        if not moves:
            raise Refused("No deposit is held that could bear interest.", "interest")
        moves.append(Move(outcome.on, outcome.interest))
    if outcome.out:
        _check_moves(moves, outcome.out, outcome.on)


def _check_moves(
    moves: Sequence[Move], amount: int, on: date, field: str | None = "returned"
) -> None:
    if amount > sum(move.amount for move in moves):
        raise Refused("That is more than is held.", field)
    if available_from(moves, amount) > on:
        raise Refused("On that day so much was not held.", "on")


def _moves(lease_id: int) -> list[Move]:
    return [Move(*move) for move in journal.deposit_movements(lease_id)]


def _happen(
    event: str, outcome: Outcome, amount: int, about: ledger.Concerning, actor: Actor
) -> DepositEvent:
    reason = outcome.reason.strip()
    entry_id = ledger.post(
        _ENTRIES[event], outcome.on, about, actor=actor, explanation=reason, amount=amount
    )
    row = DepositEvent(
        lease_id=about.lease_id,
        event=event,
        happened_on=outcome.on,
        amount=amount,
        invoice_id=about.invoice_id,
        note=reason,
        entry_id=entry_id,
        recorded_by=actor.id,
    )
    db.session.add(row)
    db.session.flush()
    return row
