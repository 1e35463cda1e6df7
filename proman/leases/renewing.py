"""Renews a lease: it goes on beyond its agreed last day, at the same rent or at another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from proman.base.errors import Refused
from proman.identity.actor import Actor
from proman.leases.actions import change_rent, flush_or_refuse, refuse_overlap
from proman.leases.models import Charge, Lease, Rent
from proman.leases.rules import LeaseStatus


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is agreed anew; `last_day` inclusive, none: open-ended; the rent in minor units.

    Without a rent it stays as it is; else it is `rent` of one period from `rent_from` on, taxed as
    before. Charges that end on the agreed last day go on with it only if `with_charges`.
    """

    last_day: date | None
    rent: int | None = None
    rent_from: date | None = None
    with_charges: bool = False


def renew(lease: Lease, renewal: Renewal, *, today: date, actor: Actor) -> None:
    """Let the lease go on beyond its agreed last day; what is issued stays.

    Raises Refused with the field when it has no last day or has ended, for a last day that is not
    later, for an overlap with the unit's next lease, and for a rent that cannot be (see
    `change_rent`).
    """
    if lease.status != LeaseStatus.ACTIVE:
        raise Refused("Only an active lease is renewed.")
    agreed = lease.last_day
    if agreed is None:
        raise Refused("This lease has no last day; it goes on by itself.")
    if renewal.last_day is not None and renewal.last_day <= max(agreed, today):
        raise Refused("The new last day is after the old one, and not in the past.", "last_day")
    refuse_overlap(lease, renewal.last_day, "last_day")
    for charge in ending_with(lease) if renewal.with_charges else ():
        charge.last_day = renewal.last_day
    lease.last_day = renewal.last_day
    flush_or_refuse()
    if renewal.rent is not None:
        first_day = renewal.rent_from or agreed + timedelta(days=1)
        now = rent_before(lease, first_day)
        change_rent(
            lease, renewal.rent, first_day, tax_rate=now.tax_rate, gross=now.gross, actor=actor
        )


def ending_with(lease: Lease) -> Sequence[Charge]:
    """The charges of each period that end on the lease's agreed last day."""
    return [
        charge
        for charge in lease.charges
        if charge.recurrence == "period" and charge.last_day == lease.last_day is not None
    ]


def rent_before(lease: Lease, day: date) -> Rent:
    """The rent as agreed on a day, or the first one of a day before the lease."""
    past = [rent for rent in lease.rents if rent.effective_from <= day]
    return past[-1] if past else lease.rents[0]
