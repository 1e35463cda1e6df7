"""Reads of billing: what a run would issue and leave out, and what runs have issued."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Table, bindparam, select

from proman.base.errors import Refused
from proman.billing.amounts import writer
from proman.billing.models import BillingRun
from proman.billing.parties import Addressee, addressees
from proman.billing.reckoning import Show
from proman.billing.rules import Plan, PlannedInvoice, at_once_alone, day_text, plan
from proman.billing.terms import billable_leases
from proman.db import db
from proman.identity.models import Organization, User
from proman.identity.remembering import Remembered

PREVIEW_ROWS = 50
FARTHEST_DAYS = 400
"""How far ahead a preview looks."""


def writer_of_here() -> Show:
    """How the organization at work writes amounts."""
    organization = db.session.get_one(Organization, db.session.info["organization_id"])
    return writer(organization.locale, organization.currency)


def plans(
    as_of: date,
    lease_ids: Sequence[int] | None = None,
    *,
    at_once_only: bool = False,
    show: Show | None = None,
) -> list[Plan]:
    """What billing would do on that day, for each lease (default: all), by lease id.

    This is the run itself short of writing: it takes the same plans and issues them. With
    `at_once_only` nothing but the charges that are invoiced at once. `show` writes amounts
    (default: as the organization does).
    """
    show, found = show or writer_of_here(), []
    for lease in billable_leases(lease_ids):
        terms = at_once_alone(lease.terms) if at_once_only else lease.terms
        found.append(plan(terms, as_of=as_of, billed=lease.billed, show=show))
    return found


class RunRow(NamedTuple):
    """One billing run that issued something."""

    id: int
    as_of: date
    run_at: datetime
    by: str | None
    issued: int
    total: int


_r: Table = BillingRun.__table__  # type: ignore[assignment]
_u: Table = User.__table__  # type: ignore[assignment]
_NEWEST_RUNS = (
    select(_r.c.id, _r.c.as_of, _r.c.run_at, _u.c.name, _r.c.issued, _r.c.total)
    .outerjoin(_u, _u.c.id == _r.c.run_by)
    .where(_r.c.organization_id == bindparam("organization_id"))
    .order_by(_r.c.id.desc())
    .limit(10)
)


def newest_runs() -> list[RunRow]:
    """The last ten runs that issued something, the newest first."""
    return [RunRow(*row) for row in db.session.execute(_NEWEST_RUNS)]


class LeftOut(NamedTuple):
    """Leases that a run leaves out for the same reason."""

    reason: str
    leases: Sequence[int]


class RunPreview(NamedTuple):
    """What a run on a day would issue and leave out; one page of it with names."""

    as_of: date
    invoices: Sequence[PlannedInvoice]
    left_out: Sequence[LeftOut]
    shown: Sequence[tuple[PlannedInvoice, Addressee]]
    page: int
    next_due: date | None
    """The earliest due date of a lease that is left out for now."""
    ending: Sequence[tuple[Plan, Addressee]]
    """The leases that a run would end, because their unit's next one has begun."""

    @property
    def total(self) -> int:
        """What the invoices come to, tax included."""
        return sum(invoice.total for invoice in self.invoices)

    @property
    def pages(self) -> int:
        """How many pages the invoices fill."""
        return max(1, -(-len(self.invoices) // PREVIEW_ROWS))

    @property
    def skipped(self) -> int:
        """How many leases are left out."""
        return sum(len(each.leases) for each in self.left_out)


def refuse_far_day(as_of: date, today: date) -> None:
    """Raises Refused for a day that is more than a year and a month ahead of today.

    Every lease brings its invoices up to that day: without an end a look ahead takes for ever.
    """
    last = today + timedelta(days=FARTHEST_DAYS)
    if as_of > last:
        raise Refused(f"A preview looks ahead to {day_text(last)} at most.", "as_of")


_previewed: Remembered[list[Plan]] = Remembered(
    "users", "tenants", "payments", "payment_reversals", "expenses", "deliveries", "reminders"
)
"""Plans hang on leases, units, places and what was billed: not on what is paid, or sent to whom."""


def _plans_to_show(as_of: date, show: Show | None) -> list[Plan]:
    """The plans of all leases for a page: they take a second at 10,000 leases, pages many."""
    return _previewed.get(as_of, lambda: plans(as_of, show=show))


def preview_run(as_of: date, page: int = 1, show: Show | None = None) -> RunPreview:
    """What a run would do on that day (any day), and one page of its invoices by due date."""
    found = _plans_to_show(as_of, show)
    invoices = in_order(invoice for each in found for invoice in each.invoices)
    reasons: dict[str, list[int]] = defaultdict(list)
    for each in found:
        if each.skipped is not None:
            reasons[each.skipped].append(each.lease_id)
    left_out = [LeftOut(reason, leases) for reason, leases in reasons.items()]
    left_out.sort(key=lambda each: -len(each.leases))
    last = max(1, -(-len(invoices) // PREVIEW_ROWS))
    page = min(max(page, 1), last)
    chosen = invoices[(page - 1) * PREVIEW_ROWS : page * PREVIEW_ROWS]
    ending = [each for each in found if each.ends_on is not None]
    named = {invoice.lease_id for invoice in chosen} | {each.lease_id for each in ending}
    names = addressees(named, as_of)
    shown = [(invoice, names[invoice.lease_id]) for invoice in chosen]
    coming = min((each.next_due for each in found if each.next_due), default=None)
    ends = [(each, names[each.lease_id]) for each in ending]
    return RunPreview(as_of, invoices, left_out, shown, page, coming, ends)


def left_out_leases(
    as_of: date, page: int = 1, show: Show | None = None
) -> tuple[list[tuple[Plan, Addressee]], int]:
    """One page of the leases that a run would leave out, each with the reason; and the pages."""
    found = [each for each in _plans_to_show(as_of, show) if each.skipped is not None]
    pages = max(1, -(-len(found) // PREVIEW_ROWS))
    page = min(max(page, 1), pages)
    chosen = found[(page - 1) * PREVIEW_ROWS : page * PREVIEW_ROWS]
    names = addressees([each.lease_id for each in chosen], as_of)
    return [(each, names[each.lease_id]) for each in chosen], pages


def in_order(planned: Iterable[PlannedInvoice]) -> list[PlannedInvoice]:
    """Invoices in the order in which they are numbered: by due date, then lease."""
    return sorted(planned, key=lambda invoice: (invoice.due_date, invoice.lease_id))
