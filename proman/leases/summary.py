"""What a lease's page says first: its state, its days, its rent now and what comes next."""

from datetime import date
from typing import NamedTuple

from proman.leases import wording
from proman.leases.agreed import terms_of
from proman.leases.models import Lease, Rent
from proman.leases.rules import LeaseState, state


class Summary(NamedTuple):
    """The lease on a day, in the words of its page."""

    names: str
    """Who is on the lease on that day, or on its first day before it begins."""
    state: LeaseState
    rent: Rent | None
    next_rent: Rent | None
    per_period: str
    due: str
    terms: list[tuple[str, str]]
    days_left: int | None


def summary_of(lease: Lease, next_first_day: date | None, today: date) -> Summary:
    """What the lease is on `today`; `next_first_day` is that of the unit's next lease."""
    terms = terms_of(lease, next_first_day)
    on = max(today, lease.first_day)
    past = [rent for rent in lease.rents if rent.effective_from <= on]
    last = lease.ended_on or lease.last_day
    # Of two rents of one day the later recorded counts; after the lease has ended none does.
    of_days = {rent.effective_from: rent for rent in lease.rents if rent.effective_from > on}
    coming = [of_days[day] for day in sorted(of_days) if day <= (lease.ended_on or day)]
    return Summary(
        names=", ".join(party.tenant.name for party in lease.parties if party.is_on(on)),
        state=state(terms, today),
        rent=past[-1] if past else None,
        next_rent=coming[0] if coming else None,
        per_period=wording.PER_PERIOD[lease.frequency],
        due=wording.due_in_words(lease.due_rule, lease.frequency, lease.timing),
        terms=_terms(lease),
        days_left=(last - today).days if last is not None and last >= today else None,
    )


def _terms(lease: Lease) -> list[tuple[str, str]]:
    due = wording.due_in_words(lease.due_rule, lease.frequency, lease.timing)
    ahead = "the day before" if lease.lead_days == 1 else f"{lease.lead_days} days before"
    return [
        ("Billed", dict(wording.FREQUENCIES)[lease.frequency]),
        ("Periods", dict(wording.PERIODS)[lease.periods]),
        ("Paid", dict(wording.TIMINGS)[lease.timing]),
        ("Due", due[0].upper() + due[1:]),
        ("Invoices are issued", f"{ahead} they are due" if lease.lead_days else "on the due day"),
        ("Part-periods", dict(wording.PRORATIONS)[lease.proration]),
        ("After the agreed last day", dict(wording.HOLDING_OVER)[lease.holding_over]),
    ]
