"""Regions of a lease's pages that billing fills: the first invoices of a new one, its account."""

from flask import Blueprint, Response

from proman.base.errors import Refused
from proman.billing.account import account_of
from proman.billing.previewing import charge_terms, preview_agreement, preview_change
from proman.billing.rules import PlannedInvoice
from proman.identity.session import business_today
from proman.leases.composing import all_tax_rates, tax_rates
from proman.leases.forms import ChargeForm, LeaseForm, RentForm, charge_of
from proman.leases.rules import RentChange, RentStep
from proman.web.render import render

blueprint = Blueprint("lease_accounts", __name__, url_prefix="/billing")
NEW_CHARGE = 2**62
"""Stands for a charge that has no id yet."""
NEEDED = frozenset("first_day last_day rent due_number lead_days charges".split())


@blueprint.post("/lease-preview")
def preview() -> Response:
    """The first invoices of the lease as it is typed; nothing is kept."""
    form = LeaseForm()
    form.offer_rates(*all_tax_rates())
    form.validate()
    problem = ""
    invoices: tuple[PlannedInvoice, ...] = ()
    if NEEDED & form.errors.keys():
        problem = "Fill in the first day, the rent and the due day to see the first invoices."
    else:
        try:
            invoices = preview_agreement(form.agreement())
        except Refused as error:
            problem = error.message
    return _page("First invoices", "as the lease is typed now", invoices, problem)


@blueprint.post("/leases/<int:lease_id>/rent-preview")
def preview_rent(lease_id: int) -> Response:
    """The next invoices with the rent as it is typed; nothing is kept."""
    form = RentForm()
    form.tax_rate.choices = [(0, "No tax"), *tax_rates()]
    invoices: tuple[PlannedInvoice, ...] = ()
    problem = ""
    if form.validate():
        values = form.values()
        change = RentChange(values["change"])
        step = RentStep(
            values["effective_from"], values["amount"], change, values["tax_rate"], values["gross"]
        )
        invoices = preview_change(lease_id, business_today(), rent=step)
    else:
        problem = "Fill in the new rent and its first day to see the next invoices."
    return _page("Next invoices", "with the new rent", invoices, problem)


@blueprint.post("/leases/<int:lease_id>/charge-preview")
def preview_charge(lease_id: int) -> Response:
    """The next invoices with the charge as it is typed; nothing is kept."""
    form = ChargeForm()
    form.tax_rate.choices = [(0, "No tax"), *tax_rates()]
    invoices: tuple[PlannedInvoice, ...] = ()
    problem = ""
    if form.validate():
        charge = charge_terms(NEW_CHARGE, charge_of(form, form.first_day.data))
        invoices = preview_change(lease_id, business_today(), charge=charge)
    else:
        problem = "Fill in what is charged, the amount and the first day to see the next invoices."
    return _page("Next invoices", "with the new charge", invoices, problem)


def _page(title: str, note: str, invoices: tuple[PlannedInvoice, ...], problem: str) -> Response:
    return render(
        "billing/lease_preview.html",
        "billing/_lease_preview.html",
        title=title,
        note=note,
        invoices=invoices,
        problem=problem,
    )


@blueprint.get("/leases/<int:lease_id>/account")
def account(lease_id: int) -> Response:
    """Balance, next due, deposit, the newest invoices and payments of a lease."""
    found = account_of(lease_id, business_today())
    return render("billing/account.html", "billing/_account.html", account=found)
