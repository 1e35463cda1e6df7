"""The rent of a lease as a list of dated amounts: what a day bears, changes, days without rent."""

from dataclasses import replace
from datetime import date, timedelta

from proman.leases.periods import full_period, period_index
from proman.leases.rules import LeaseTerms, RentChange, RentStep

_ONE_DAY = timedelta(days=1)


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


def with_change(terms: LeaseTerms, new: RentStep) -> tuple[RentStep, ...]:
    """The steps that set another rent from a day on: it, and the same after days without rent.

    Where the rent returns after such days to what it was before them, it returns to the new one.
    What else was agreed for later days holds.
    """
    steps = _steps(terms)
    before = [step for step in steps if step.first_day <= new.first_day]
    charged = [step for step in before if step.amount]
    if not new.amount or not charged:
        return (new,)
    old, is_free = charged[-1], not before[-1].amount
    found = [new]
    for step in steps[len(before) :]:
        if not step.amount:
            is_free = True
        elif is_free and _terms(step) == _terms(old):
            found.append(_from(new, step.first_day))
            is_free = False
        else:
            break
    return tuple(found)


def is_set_already(terms: LeaseTerms, new: RentStep) -> bool:
    """Whether the new step would change nothing: the day bears it, and no other rent is waiting."""
    agreed = [step for step in _steps(terms) if step.first_day <= new.first_day]
    borne = rent_on(terms, new.first_day)
    return all(_terms(step) == _terms(new) for step in (*agreed[-1:], borne))


def last_charged(terms: LeaseTerms, day: date) -> RentStep:
    """The rent agreed by that day, days without rent aside; the first one where all are free."""
    steps = _steps(terms)
    charged = [step for step in steps if step.first_day <= day and step.amount]
    return charged[-1] if charged else steps[0]


def with_rents(terms: LeaseTerms, *steps: RentStep) -> LeaseTerms:
    """The terms with more rents; of two of one day the new one counts."""
    rents = sorted((*terms.rents, *steps), key=lambda step: step.first_day)
    return replace(terms, rents=tuple(rents))


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


def _terms(step: RentStep) -> tuple[int, int, bool]:
    return step.amount, step.tax_rate, step.gross


def _from(step: RentStep, day: date, amount: int | None = None) -> RentStep:
    amount = step.amount if amount is None else amount
    return replace(step, first_day=day, amount=amount, change=RentChange.SPLIT)
