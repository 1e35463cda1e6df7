"""Grants days without rent."""

from datetime import date

from proman.base.errors import Refused
from proman.db import db
from proman.identity.actor import Actor
from proman.leases.agreed import rents_of, terms_of
from proman.leases.dated_rents import rent_free
from proman.leases.models import Lease, Rent


def grant_rent_free(lease: Lease, first: date, last: date, *, actor: Actor) -> list[Rent]:
    """Let no rent be charged from the first to the last day, both inclusive; charges stay.

    What was agreed for later days holds from the next day on, and what is issued stays. Raises
    Refused for days outside the lease, and where no rent is charged on them anyway.
    """
    if first < lease.first_day:
        raise Refused("The lease has not begun by then.", "first_day")
    if last < first:
        raise Refused("The last day is before the first day.", "last_day")
    if lease.ended_on is not None and last > lease.ended_on:
        raise Refused("The lease has ended by then.", "last_day")
    steps = rent_free(terms_of(lease), first, last)
    if not steps:
        raise Refused("No rent is charged on these days already.", "first_day")
    made = rents_of(steps, actor)
    lease.rents.extend(made)
    db.session.flush()
    return made
