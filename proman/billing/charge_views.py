"""Adds a charge to a lease, and invoices it in the same act where it is to be invoiced at once."""

from flask import Blueprint, Response

from proman.billing.actions import run_billing
from proman.identity.session import business_today, current_actor
from proman.leases import actions
from proman.leases.changes import save_change
from proman.leases.forms import ChargeForm, charge_of
from proman.leases.models import Lease

blueprint = Blueprint("charges", __name__, url_prefix="/billing/leases")


@blueprint.post("/<int:lease_id>/charges")
def add(lease_id: int) -> Response:
    form = ChargeForm()

    def change(lease: Lease) -> str:
        charge = charge_of(form, lease.first_day)
        made = actions.add_charge(lease, charge, today=business_today(), actor=current_actor())
        if made.recurrence == "at_once":
            return invoice_at_once(lease, made.description)
        return f"{made.description} is charged from now on."

    return save_change(lease_id, form, "charge", change)


def invoice_at_once(lease: Lease, description: str) -> str:
    """Issue what of a lease does not wait for a run; says what happened."""
    today, actor = business_today(), current_actor()
    result = run_billing(today, today=today, actor=actor, lease_ids=[lease.id], at_once_only=True)
    if not result.issued:
        return f"{description} will be invoiced when the lease is active."
    numbers = ", ".join(invoice.number for invoice in result.issued)
    return f"{description} is invoiced: {numbers}."
