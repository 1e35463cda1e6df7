"""Tells what is still ahead of a lease: the days on which it changes by what is agreed already."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from proman.leases import wording
from proman.leases.models import Lease
from proman.web.filters import money


class Ahead(NamedTuple):
    """A day to come and what changes on it."""

    day: date
    icon: str
    text: str


def ahead_of(lease: Lease, next_first_day: date | None, today: date) -> list[Ahead]:
    """What changes after `today`, in order; `next_first_day` is that of the unit's next lease."""
    if lease.status == "draft":
        return []
    agreed = [*_rents(lease), *_charges(lease), *_parties(lease)]
    if lease.ended_on is not None:
        agreed = [one for one in agreed if one.day <= lease.ended_on]
    found = [*_lease(lease, next_first_day), *agreed]
    return sorted((one for one in found if one.day > today), key=lambda one: one.day)


def _lease(lease: Lease, next_first_day: date | None) -> Iterator[Ahead]:
    yield Ahead(lease.first_day, "player-play", "The lease begins")
    if lease.ended_on is not None:
        yield Ahead(lease.ended_on, "calendar-off", "Its last day")
    elif lease.last_day is not None:
        then = "; it is billed on until somebody ends it"
        stop = lease.holding_over == "stop" or next_first_day is not None
        yield Ahead(lease.last_day, "calendar", "The agreed last day" + ("" if stop else then))
    if next_first_day is not None:
        yield Ahead(next_first_day, "key", "The unit’s next lease begins")


def _rents(lease: Lease) -> Iterator[Ahead]:
    of_days = {rent.effective_from: rent for rent in lease.rents}
    for rent in of_days.values():
        if rent.amount and rent.effective_from == lease.first_day:
            continue
        waits = ", with the next period" if rent.change == "defer" else ""
        words = f"Rent {money(rent.amount)} {wording.PER_PERIOD[lease.frequency]}{waits}"
        yield Ahead(rent.effective_from, "cash", words if rent.amount else f"Rent-free{waits}")


def _charges(lease: Lease) -> Iterator[Ahead]:
    for charge in lease.charges:
        amount = money(charge.amount)
        if charge.recurrence == "period":
            yield Ahead(charge.first_day, "receipt", f"{charge.description} begins, {amount}")
            if charge.last_day is not None:
                text = f"{charge.description} is charged for the last time"
                yield Ahead(charge.last_day, "receipt-off", text)
        elif charge.recurrence == "once":
            yield Ahead(charge.first_day, "receipt", f"{charge.description}, {amount} once")


def _parties(lease: Lease) -> Iterator[Ahead]:
    for party in lease.parties:
        if party.joined_on is not None:
            yield Ahead(party.joined_on, "user-plus", f"{party.tenant.name} joins")
        if party.left_on is not None:
            day = party.left_on + timedelta(days=1)
            yield Ahead(day, "user-minus", f"{party.tenant.name} is no longer on the lease")
