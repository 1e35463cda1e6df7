"""Issues what is due: one run for an organization, idempotent under any number of them at once."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Table, bindparam, insert, select

from proman.base.errors import Refused
from proman.billing import queries
from proman.billing.allocation import allocate_to_new
from proman.billing.issuing import Draft, DraftLine, Issued, issue
from proman.billing.models import BillingRun, Invoice
from proman.billing.rules import Plan, PlannedInvoice, day_text
from proman.db import db, utc_now
from proman.identity import audit
from proman.identity.actor import Actor
from proman.ledger.actions import post_selected

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
    have already is used up by their new invoices. `at_once_only` issues nothing but the charges
    that are invoiced at once. Must be inside a write; raises Refused for a day in the future,
    which can only be previewed.
    """
    if as_of > today:
        raise Refused(
            f"{day_text(as_of)} is in the future: it can be previewed, not issued.", "as_of"
        )
    plans = queries.plans(as_of, lease_ids, at_once_only=at_once_only)
    planned = queries.in_order([invoice for each in plans for invoice in each.invoices])
    skipped = [each for each in plans if each.skipped is not None]
    if not planned:
        return RunResult(None, as_of, (), skipped)
    run_id, issued = _issue(planned, as_of, actor)
    return RunResult(run_id, as_of, issued, skipped)


def _issue(
    planned: Sequence[PlannedInvoice], as_of: date, actor: Actor
) -> tuple[int, Sequence[Issued]]:
    """Write the invoices with all that belongs to them, and the trace of the run."""
    run_id = _open_run(as_of, planned, actor)
    issued = issue("invoice", [_draft(each) for each in planned], as_of, actor=actor, run_id=run_id)
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


def _draft(planned: PlannedInvoice) -> Draft:
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
