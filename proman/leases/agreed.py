"""What a lease's record says, as the plain values that its rules are reckoned with, and back."""

from collections.abc import Iterable
from datetime import date

from proman.identity.actor import Actor
from proman.leases.models import Lease, Rent
from proman.leases.rules import (
    DueRule,
    Frequency,
    HoldingOver,
    LeaseStatus,
    LeaseTerms,
    Periods,
    Proration,
    RentChange,
    RentStep,
    Timing,
)


def terms_of(lease: Lease, next_first_day: date | None = None) -> LeaseTerms:
    """The lease with its rents; its charges and the holidays of its place are left out.

    `next_first_day` is that of the unit's next lease.
    """
    return LeaseTerms(
        lease.id,
        lease.first_day,
        last_day=lease.last_day,
        ended_on=lease.ended_on,
        next_lease_first_day=next_first_day,
        cut_over=lease.cut_over,
        status=LeaseStatus(lease.status),
        frequency=Frequency(lease.frequency),
        periods=Periods(lease.periods),
        timing=Timing(lease.timing),
        due_rule=DueRule.parse(lease.due_rule),
        lead_days=lease.lead_days,
        proration=Proration(lease.proration),
        holding_over=HoldingOver(lease.holding_over),
        rents=tuple(
            RentStep(
                rent.effective_from, rent.amount, RentChange(rent.change), rent.tax_rate, rent.gross
            )
            for rent in lease.rents
        ),
    )


def rents_of(steps: Iterable[RentStep], actor: Actor) -> list[Rent]:
    """Steps as rents to be recorded."""
    return [
        Rent(
            effective_from=step.first_day,
            amount=step.amount,
            change=step.change.value,
            tax_rate=step.tax_rate,
            gross=step.gross,
            recorded_by=actor.id,
        )
        for step in steps
    ]
