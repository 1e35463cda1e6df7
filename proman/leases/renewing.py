"""Renews a lease: it goes on beyond its agreed last day, at the same rent or at another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from proman.base.errors import Refused
from proman.identity.actor import Actor
from proman.leases.actions import change_rent, flush_or_refuse, refuse_overlap
from proman.leases.agreed import terms_of
from proman.leases.dated_rents import last_charged, with_change, with_rents
from proman.leases.models import Charge, Lease
from proman.leases.rules import LeaseStatus, LeaseTerms, RentChange, RentStep


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
    step = _new_rent(terms_of(lease), agreed, renewal)
    if step is not None:
        change_rent(
            lease,
            step.amount,
            step.first_day,
            tax_rate=step.tax_rate,
            gross=step.gross,
            actor=actor,
        )


def renewed(terms: LeaseTerms, renewal: Renewal) -> LeaseTerms:
    """The terms as a renewal would leave them, for its preview."""
    agreed = terms.last_day
    if agreed is None:
        return terms
    step = _new_rent(terms, agreed, renewal)
    terms = terms if step is None else with_rents(terms, *with_change(terms, step))
    last_day = renewal.last_day and max(renewal.last_day, terms.first_day)
    charges = tuple(
        replace(charge, last_day=last_day)
        if renewal.with_charges and charge.recurrence == "period" and charge.last_day == agreed
        else charge
        for charge in terms.charges
    )
    return replace(terms, last_day=last_day, charges=charges)


def changes_from(terms: LeaseTerms, renewal: Renewal) -> date:
    """The first day on which a renewal makes a difference."""
    following = (terms.last_day or terms.first_day) + timedelta(days=1)
    return min(following, renewal.rent_from or following)


def _new_rent(terms: LeaseTerms, agreed: date, renewal: Renewal) -> RentStep | None:
    """The rent agreed anew, taxed as before; None where it stays."""
    if renewal.rent is None:
        return None
    first_day = renewal.rent_from or agreed + timedelta(days=1)
    now = last_charged(terms, first_day)
    return RentStep(first_day, renewal.rent, RentChange.SPLIT, now.tax_rate, now.gross)


def ending_with(lease: Lease) -> Sequence[Charge]:
    """The charges of each period that end on the lease's agreed last day."""
    return [
        charge
        for charge in lease.charges
        if charge.recurrence == "period" and charge.last_day == lease.last_day is not None
    ]
