"""One organization's run of late fees as the command line tells it: what changed, and why."""

from datetime import date
from typing import Any

from proman.base.money import decimal_string
from proman.billing.late_charging import charge_late_invoices
from proman.billing.late_queries import Late, late_invoices
from proman.database.retrying import until_it_stands
from proman.db import begin_write, db
from proman.identity.session import acting_for


def late_changes(
    organization_id: int, currency: str, today: date, *, preview: bool
) -> list[dict[str, Any]]:
    """Charge an organization's late invoices, or only tell what that would do.

    One row for each late invoice whose fees change; an amount below nil is taken back.
    """
    with acting_for(organization_id) as actor:
        if preview:
            return [_row(late, currency) for late in late_invoices(today)]

        def charge() -> list[dict[str, Any]]:
            begin_write()
            rows = [_row(late, currency) for late in late_invoices(today)]
            charge_late_invoices(today=today, actor=actor)
            db.session.commit()
            return rows

        return until_it_stands(charge)


def _row(late: Late, currency: str) -> dict[str, Any]:
    return {
        "invoice_id": late.invoice_id,
        "number": late.number,
        "lease_id": late.lease_id,
        "due_date": late.due_date.isoformat(),
        "amount": decimal_string(late.change.amount, currency),
        "currency": currency,
        "why": late.change.fee.formula or "no late fee",
    }
