"""Days without rent: dated amounts of nil, and what was agreed for the days after them."""

from dataclasses import replace
from datetime import date, timedelta

from proman.base.errors import Refused
from proman.db import db
from proman.identity.actor import Actor
from proman.leases.agreed import terms_of
from proman.leases.models import Lease, Rent
from proman.leases.periods import full_period, period_index
from proman.leases.rules import LeaseTerms, RentChange, RentStep

_ONE_DAY = timedelta(days=1)


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
    made = [
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
    lease.rents.extend(made)
    db.session.flush()
    return made


def rent_free(terms: LeaseTerms, first: date, last: date) -> tuple[RentStep, ...]:
    """The steps to add to the rents so that nil is charged from `first` to `last` (inclusive).

    Before and after, each day bears what it bore. None where all these days are free already.
    """
    following = last + _ONE_DAY
    begins = {step: counts_from(terms, step) for step in _steps(terms)}
    within = sorted({day for day in begins.values() if first < day <= last})
    before = [rent_on(terms, day) for day in (first, *within)]
    if not any(step.amount for step in before):
        return ()
    nil = [_from(step, day, 0) for step, day in zip(before, (first, *within), strict=True)]
    after = []
    if rent_on(terms, following).first_day != following:
        after.append(_from(rent_on(terms, following), following))
    for step, day in begins.items():
        is_waiting = step.first_day <= following < day
        if is_waiting and rent_on(terms, day) == step:
            after.append(_from(step, day))
    return (*nil, *after)


def rent_on(terms: LeaseTerms, day: date) -> RentStep:
    """The step that a day of the lease bears; a deferred one waits for the next period."""
    begin = max(full_period(terms, period_index(terms, day)).first, terms.first_day)
    steps = _steps(terms)
    current = steps[0]
    for step in steps:
        counts = step.first_day <= begin or step.change is RentChange.SPLIT
        if counts and step.first_day <= day:
            current = step
    return current


def _steps(terms: LeaseTerms) -> list[RentStep]:
    """By day; of two steps of one day the later recorded (listed) one counts."""
    steps = {step.first_day: step for step in terms.rents}
    return [steps[day] for day in sorted(steps)]


def counts_from(terms: LeaseTerms, step: RentStep) -> date:
    """The first day that a step bears, unless another takes its place before."""
    index = period_index(terms, step.first_day)
    begin = max(full_period(terms, index).first, terms.first_day)
    if step.change is RentChange.SPLIT or step.first_day == begin:
        return step.first_day
    return full_period(terms, index + 1).first


def _from(step: RentStep, day: date, amount: int | None = None) -> RentStep:
    amount = step.amount if amount is None else amount
    return replace(step, first_day=day, amount=amount, change=RentChange.SPLIT)
