"""Moves tenants to another unit: their lease ends the day before, one of the same terms begins."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from proman.base.errors import Refused
from proman.billing.ending import EndingPreview, end_lease, preview_ending, the_billable
from proman.billing.issuing import Issued
from proman.billing.rules import day_text
from proman.identity.actor import Actor
from proman.leases.actions import Agreement, NewCharge, Signer, write_lease
from proman.leases.agreed import terms_of
from proman.leases.dated_rents import last_charged
from proman.leases.models import Charge, Lease
from proman.leases.queries import the_lease

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Who moves where: `moves_on` is the first day in the new unit; amounts in minor units.

    `rent` and `deposit` are those of the new lease. The charges of each period that run on that day
    go along only if `with_charges`.
    """

    moves_on: date
    unit_id: int
    rent: int
    deposit: int
    with_charges: bool = True
    reason: str = ""


class Transferred(NamedTuple):
    """The lease of the new unit, and the credit notes of the old one."""

    lease: Lease
    credits: list[Issued]


def agreement_of(lease: Lease, transfer: Transfer) -> Agreement:
    """The terms of the lease in the new unit: those of the old one, from the day of the move.

    Whoever is on the lease that day signs it. Rents agreed for later days are not taken along:
    they were agreed for the old unit. A last day that has passed by then is left out.
    """
    day = transfer.moves_on
    rent = last_charged(terms_of(lease), day)
    return Agreement(
        unit_id=transfer.unit_id,
        signers=tuple(Signer(party.tenant_id) for party in lease.parties if party.is_on(day)),
        first_day=day,
        last_day=lease.last_day if lease.last_day and lease.last_day >= day else None,
        rent=transfer.rent,
        rent_tax_rate=rent.tax_rate,
        rent_gross=rent.gross,
        frequency=lease.frequency,
        periods=lease.periods,
        timing=lease.timing,
        due_rule=lease.due_rule,
        lead_days=lease.lead_days,
        proration=lease.proration,
        holding_over=lease.holding_over,
        deposit=transfer.deposit,
        reference="",
        notes="\n".join(filter(None, (lease.notes, f"Moved from lease {lease.reference}."))),
        charges=tuple(
            _along(charge, day) for charge in charges_on(lease, day) if transfer.with_charges
        ),
    )


def charges_on(lease: Lease, day: date) -> list[Charge]:
    """The charges of each period that run on a day or begin later."""
    return [
        charge
        for charge in lease.charges
        if charge.recurrence == "period" and (charge.last_day is None or charge.last_day >= day)
    ]


def preview_transfer(lease: Lease, moves_on: date, *, today: date) -> EndingPreview:
    """What the move does to the money of the lease that ends. Raises as `transfer_lease`."""
    lease_id = lease.id
    _refuse_before_cut_over(lease, moves_on)
    return preview_ending(the_billable(lease_id), _last_day(moves_on), today=today)


def transfer_lease(lease_id: int, transfer: Transfer, *, today: date, actor: Actor) -> Transferred:
    """End the lease the day before the move, credit what goes beyond, and let the new unit.

    A deposit that is held stays with the lease that ended until it is settled there. Must be
    inside a write. Raises Refused with the field for what cannot end so, for the same unit, and
    where another lease holds the new one.
    """
    lease = the_lease(lease_id)
    if transfer.unit_id == lease.unit_id:
        raise Refused("The lease is of this unit already. Choose another.", "unit_id")
    _refuse_before_cut_over(lease, transfer.moves_on)
    agreement = agreement_of(lease, transfer)
    if not agreement.signers:
        raise Refused("Nobody is on the lease on that day.", "moves_on")
    reason = transfer.reason or f"Moved to another unit on {day_text(transfer.moves_on)}."
    try:
        last_day = _last_day(transfer.moves_on)
        credits = end_lease(lease_id, last_day, reason, today=today, actor=actor)
    except Refused as error:
        raise Refused(error.message, "moves_on" if error.field else None) from error
    try:
        made = write_lease(agreement, active=True, actor=actor)
    except Refused as error:
        raise Refused(error.message, "unit_id") from error
    return Transferred(made, credits)


def _refuse_before_cut_over(lease: Lease, moves_on: date) -> None:
    """What began by the cut-over was billed by the system that the lease was taken over from."""
    if lease.cut_over is not None and moves_on <= lease.cut_over:
        raise Refused(
            f"The lease was taken over as of {day_text(lease.cut_over)}. Choose a later day: what "
            "came before is in the books of the earlier system.",
            "moves_on",
        )


def _last_day(moves_on: date) -> date:
    return moves_on - _ONE_DAY


def _along(charge: Charge, day: date) -> NewCharge:
    return NewCharge(
        charge.kind,
        charge.description,
        charge.amount,
        max(charge.first_day, day),
        charge.last_day,
        charge.tax_rate,
        charge.gross,
    )
