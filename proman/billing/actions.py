"""Issues what is due: one run for an organization, idempotent under any number of them at once."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import NamedTuple

from sqlalchemy import Table, bindparam, insert, select

from proman.base.errors import Refused
from proman.billing import queries
from proman.billing.allocation import allocate_to_new
from proman.billing.ending import end_lease, preview_ending, the_billable
from proman.billing.issuing import Draft, DraftLine, Issued, issue
from proman.billing.models import BillingRun, Invoice
from proman.billing.rules import Plan, PlannedInvoice, day_text
from proman.db import db, utc_now
from proman.identity import audit
from proman.identity.actor import Actor
from proman.ledger.actions import post_selected
from proman.ledger.locking import require_open

_i: Table = Invoice.__table__  # type: ignore[assignment]
_runs: Table = BillingRun.__table__  # type: ignore[assignment]
_ISSUED_BY = select(
    _i.c.id.label("invoice_id"),
    _i.c.lease_id,
    _i.c.property_id,
    _i.c.issue_date.label("effective_on"),
    _i.c.net,
    _i.c.tax,
)


class RunResult(NamedTuple):
    """What a run issued, and which leases it left out, with the reason."""

    run_id: int | None
    as_of: date
    issued: Sequence[Issued]
    skipped: Sequence[Plan]
    ended: Sequence[int] = ()
    """The leases that held over and were ended, because their unit's next one has begun."""


def run_billing(
    as_of: date,
    *,
    today: date,
    actor: Actor,
    lease_ids: Sequence[int] | None = None,
    at_once_only: bool = False,
) -> RunResult:
    """Issue what is due as of a day (default: for all leases), every missed period caught up.

    What was issued is never issued again, however many runs there are at once. Credit that leases
    have already is used up by their new invoices. A lease that held over and was billed beyond the
    day on which the unit's next one began is ended and the rest credited. `at_once_only` does
    nothing but issue the charges that are invoiced at once. Must be inside a write; raises Refused
    for a day in the future, which can only be previewed, and BooksLocked for one whose books are
    locked.
    """
    if as_of > today:
        raise Refused(
            f"{day_text(as_of)} is in the future: it can be previewed, not issued.", "as_of"
        )
    require_open(as_of, "as_of")
    plans = queries.plans(as_of, lease_ids, at_once_only=at_once_only)
    planned = queries.in_order([invoice for each in plans for invoice in each.invoices])
    skipped = [each for each in plans if each.skipped is not None]
    ended = [] if at_once_only else _end_succeeded(plans, today, actor)
    if not planned:
        return RunResult(None, as_of, (), skipped, ended)
    run_id, issued = _issue(planned, as_of, actor)
    return RunResult(run_id, as_of, issued, skipped, ended)


def _end_succeeded(plans: Sequence[Plan], today: date, actor: Actor) -> list[int]:
    """End the leases that others have taken the place of; returns their ids.

    One whose credit would be refused is left to a person: it must not hold up the run.
    """
    ended = []
    for each in plans:
        if each.ends_on is None:
            continue
        with suppress(Refused):
            preview_ending(the_billable(each.lease_id), each.ends_on, today=today)
            text = f"The unit's next lease began after {day_text(each.ends_on)}."
            end_lease(each.lease_id, each.ends_on, text, today=today, actor=actor)
            ended.append(each.lease_id)
    return ended


def _issue(
    planned: Sequence[PlannedInvoice], as_of: date, actor: Actor
) -> tuple[int, Sequence[Issued]]:
    """Write the invoices with all that belongs to them, and the trace of the run."""
    run_id = _open_run(as_of, planned, actor)
    issued = issue(
        "invoice", [draft_of(each) for each in planned], as_of, actor=actor, run_id=run_id
    )
    _post(issued, run_id, actor)
    allocate_to_new([(invoice.id, invoice.lease_id) for invoice in issued], actor=actor)
    total = sum(invoice.total for invoice in issued)
    after = {"as_of": as_of.isoformat(), "issued": len(issued), "total": total}
    audit.record("issued", "billing_runs", run_id, f"as of {day_text(as_of)}", after=after)
    return run_id, issued


def _open_run(as_of: date, planned: Sequence[PlannedInvoice], actor: Actor) -> int:
    values = {
        "as_of": as_of,
        "run_at": utc_now(),
        "run_by": actor.id,
        "issued": len(planned),
        "total": sum(invoice.total for invoice in planned),
        "organization_id": actor.organization_id,
    }
    result = db.session.execute(insert(_runs).values(**values))
    return int(result.inserted_primary_key[0])  # type: ignore[attr-defined]


def draft_of(planned: PlannedInvoice) -> Draft:
    """A planned invoice as it is issued."""
    lines = [DraftLine(line.charge_id or None, *line[1:]) for line in planned.lines]
    return Draft(
        planned.lease_id,
        planned.due_date,
        planned.first_day,
        planned.last_day,
        lines,
        planned.billed,
    )


def _post(issued: Sequence[Issued], run_id: int, actor: Actor) -> None:
    """One balanced entry for each invoice of the run."""
    of_run = _ISSUED_BY.where(
        _i.c.organization_id == bindparam("organization_id"), _i.c.run_id == run_id
    )
    posted = post_selected("invoice", of_run, actor=actor)
    if posted != len(issued):
        raise RuntimeError(f"{len(issued)} invoices were issued, but {posted} posted")
