"""What a lease's billing issues as of a day: which periods, when due, with which lines, or why not.

Pure reckoning on plain values: the same for the run, its preview and the form of a lease. Amounts
are minor units, days inclusive.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

from proman.base.money import decimal_string
from proman.billing.billed import NOTHING_BILLED, Billed, Span
from proman.billing.due import Due, dues
from proman.billing.reckoning import Item, Portion, Show, charge_item
from proman.billing.tax import taxed_lines
from proman.leases.rules import (
    HoldingOver,
    LeaseStatus,
    LeaseTerms,
    Recurrence,
    billing_end,
    known_end,
)


class PlannedLine(NamedTuple):
    """One line as it would be printed; `period_amount` is that of one whole period, as agreed."""

    charge_id: int
    kind: str
    description: str
    first_day: date
    last_day: date
    net: int
    tax_rate: int
    tax: int
    gross: bool
    period_amount: int
    explanation: str


class PlannedInvoice(NamedTuple):
    """One invoice of a lease: all that is due on one day and not billed yet."""

    lease_id: int
    issue_date: date
    due_date: date
    first_day: date
    last_day: date
    lines: tuple[PlannedLine, ...]
    billed: tuple[Span, ...]
    net: int
    tax: int

    @property
    def total(self) -> int:
        """Net and tax."""
        return self.net + self.tax


class Plan(NamedTuple):
    """The invoices of one lease, or in a sentence why there are none, and when the next is due.

    `ends_on` is the last day of a lease that held over and was billed beyond the day on which the
    unit's next one began: a run ends it and credits the rest.
    """

    lease_id: int
    invoices: tuple[PlannedInvoice, ...]
    skipped: str | None = None
    next_due: date | None = None
    ends_on: date | None = None


def plain(minor: int) -> str:
    """An amount with two decimals, where no manner of an organization is at hand."""
    return decimal_string(minor, "EUR")


def plan(
    terms: LeaseTerms, *, as_of: date, billed: Billed = NOTHING_BILLED, show: Show = plain
) -> Plan:
    """What a run issues for the lease on `as_of`, every missed period caught up, oldest due first.

    Due within the lead days; one invoice for each due date; nothing that is `billed` again.
    """
    if terms.status is LeaseStatus.DRAFT:
        return Plan(terms.lease_id, (), "The lease is a draft.")
    if not terms.rents and not terms.charges:
        return Plan(terms.lease_id, (), "Neither a rent nor a charge is agreed.")
    ready, coming = _ready_and_coming(terms, as_of, billed, show)
    invoices = tuple(_invoices(terms, ready, as_of))
    ends_on = _succeeded(terms, as_of, billed)
    if invoices:
        return Plan(terms.lease_id, invoices, ends_on=ends_on)
    following = min(coming, default=None)
    return Plan(terms.lease_id, (), _reason(terms, as_of, following), following, ends_on)


def _succeeded(terms: LeaseTerms, as_of: date, billed: Billed) -> date | None:
    """The day before the unit's next lease began, where this one is billed beyond it."""
    following = terms.next_lease_first_day
    if terms.status is not LeaseStatus.ACTIVE or terms.last_day is None:
        return None
    if following is None or following > as_of:
        return None
    last = max(terms.last_day, following - timedelta(days=1))
    once = {c.charge_id for c in terms.charges if c.recurrence is not Recurrence.PERIOD}
    return last if billed.reaches_beyond(last, once) else None


def _ready_and_coming(
    terms: LeaseTerms, as_of: date, billed: Billed, show: Show
) -> tuple[list[Due], list[date]]:
    """What is due within the lead days, and the due dates of what comes next."""
    horizon = as_of + timedelta(days=terms.lead_days)
    ready: list[Due] = []
    coming: list[date] = []
    for due in _one_offs(terms, billed, show):
        is_ready = due.due_date <= horizon or due.item.charge_id in _at_once(terms)
        ready.append(due) if is_ready else coming.append(due.due_date)
    for found in dues(terms, billed, known_end(terms, as_of), horizon, show):
        ready += [due for due in found if due.due_date <= horizon]
        later = [due.due_date for due in found if due.due_date > horizon]
        if later:
            coming += later
            break
    return ready, coming


def plan_again(
    terms: LeaseTerms, wanted: Iterable[Span], *, as_of: date, billed: Billed, show: Show = plain
) -> PlannedInvoice | None:
    """One invoice of what is due for these spans by the terms as they are; None: nothing is.

    `billed` is what else of the lease was billed. The due date is the earliest of its parts.
    """
    spans = list(wanted)
    ready, _ = _ready_and_coming(terms, as_of, billed, show)
    members = [due for due in ready if any(_overlap(due.span, span) for span in spans)]
    if not members:
        return None
    members.sort(key=lambda due: (due.item.charge_id, due.span.first))
    return _invoice(terms, members, min(due.due_date for due in members), as_of)


def _overlap(one: Span, other: Span) -> bool:
    same = one.charge_id == other.charge_id
    return same and one.first <= other.last and other.first <= one.last


def next_due(terms: LeaseTerms, *, as_of: date, billed: Billed = NOTHING_BILLED) -> date | None:
    """The next day on which something falls due that is not billed yet, or None."""
    found = plan(terms, as_of=as_of, billed=billed)
    return found.invoices[0].due_date if found.invoices else found.next_due


def first_invoices(
    terms: LeaseTerms, count: int, *, show: Show = plain
) -> tuple[PlannedInvoice, ...]:
    """The first invoices that a lease will bring, a draft too, for the form that makes it.

    Each is issued its lead days before it is due. Nothing is shown beyond the agreed last day.
    """
    end = terms.ended_on or terms.last_day or billing_end(terms)
    found = list(_one_offs(terms, NOTHING_BILLED, show))
    for part in islice(dues(terms, NOTHING_BILLED, end, None, show), count):
        found += part
    return tuple(islice(_invoices(terms, found, None), count))


def _at_once(terms: LeaseTerms) -> set[int]:
    """Charges that do not wait for their day."""
    return {c.charge_id for c in terms.charges if c.recurrence is Recurrence.AT_ONCE}


def at_once_alone(terms: LeaseTerms) -> LeaseTerms:
    """The lease as if nothing were charged but what is invoiced at once."""
    charges = tuple(c for c in terms.charges if c.recurrence is Recurrence.AT_ONCE)
    return replace(terms, rents=(), charges=charges)


def _one_offs(terms: LeaseTerms, billed: Billed, show: Show) -> Iterator[Due]:
    """One-off charges that are not billed, due on their own day or the lease's first."""
    for charge in terms.charges:
        if charge.recurrence is Recurrence.PERIOD or billed.knows(charge.charge_id):
            continue
        if charge.amount:
            item, day = charge_item(charge), charge.first_day
            line = Portion(day, day, item.steps[0], charge.amount, f"{show(charge.amount)} once")
            yield Due(max(day, terms.first_day), item, [line], Span(item.charge_id, day, day))


def _invoices(terms: LeaseTerms, found: list[Due], as_of: date | None) -> Iterator[PlannedInvoice]:
    """One invoice for each due date, the rent's lines first, then the charges' by their id."""
    by_date: dict[date, list[Due]] = {}
    for due in found:
        by_date.setdefault(due.due_date, []).append(due)
    lead = timedelta(days=terms.lead_days)
    for due_date in sorted(by_date):
        members = by_date[due_date]
        if len(members) > 1:
            members.sort(key=lambda due: (due.item.charge_id, due.span.first))
        yield _invoice(terms, members, due_date, as_of or due_date - lead)


def _invoice(
    terms: LeaseTerms, members: list[Due], due_date: date, issue_date: date
) -> PlannedInvoice:
    lines = _printed([(due.item, line) for due in members for line in due.lines])
    return PlannedInvoice(
        terms.lease_id,
        issue_date,
        due_date,
        min(line.first_day for line in lines),
        max(line.last_day for line in lines),
        lines,
        tuple(due.span for due in members),
        sum(line.net for line in lines),
        sum(line.tax for line in lines),
    )


def _printed(portions: list[tuple[Item, Portion]]) -> tuple[PlannedLine, ...]:
    taxed = taxed_lines([(p.amount, p.step.tax_rate, p.step.gross) for _, p in portions])
    return tuple(
        PlannedLine(
            item.charge_id,
            item.kind,
            item.description,
            portion.first,
            portion.last,
            amounts.net,
            portion.step.tax_rate,
            amounts.tax,
            portion.step.gross,
            portion.step.amount,
            portion.formula,
        )
        for (item, portion), amounts in zip(portions, taxed, strict=True)
    )


def day_text(day: date) -> str:
    """A day in words, for sentences: 1 December 2026."""
    return f"{day.day} {day:%B %Y}"


def _reason(terms: LeaseTerms, as_of: date, coming: date | None) -> str:
    """Why a run issues nothing for the lease today."""
    if coming is not None:
        issue = max(coming - timedelta(days=terms.lead_days), as_of + timedelta(days=1))
        return f"Nothing is due before {day_text(coming)}; it is issued from {day_text(issue)}."
    end, last = billing_end(terms), terms.last_day
    if terms.ended_on is not None:
        return f"It ended on {day_text(terms.ended_on)} and is billed to its end."
    if last is not None and last < as_of and terms.holding_over is HoldingOver.STOP:
        return f"Its agreed last day, {day_text(last)}, has passed, and billing stops there."
    if last is not None and last < as_of and end is not None:
        return f"It is billed to {day_text(end)}; then the next lease of the unit began."
    if last is not None and as_of <= last:
        return f"It is billed to its agreed last day, {day_text(last)}."
    return "Its amounts are nil."
