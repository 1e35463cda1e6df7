"""Regions of a lease's pages that billing fills: the first invoices of a new one, its account."""

from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, Response

from proman.base.errors import Refused
from proman.billing.account import account_of
from proman.billing.previewing import (
    charge_terms,
    preview_agreement,
    preview_change,
)
from proman.billing.rules import PlannedInvoice
from proman.identity.session import business_today
from proman.leases.agreed import terms_of
from proman.leases.composing import all_tax_rates, tax_rates
from proman.leases.dated_rents import rent_free, with_change, with_rents
from proman.leases.forms import (
    ChargeForm,
    LeaseForm,
    RenewalForm,
    RentForm,
    RentFreeForm,
    charge_of,
)
from proman.leases.queries import the_lease
from proman.leases.renewing import Renewal, changes_from, renewed
from proman.leases.rules import RentChange, RentStep
from proman.web.forms import Form
from proman.web.render import render

blueprint = Blueprint("lease_accounts", __name__, url_prefix="/billing")
Invoices = tuple[PlannedInvoice, ...]
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
    invoices: Invoices = ()
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
    """The next invoices with the rent as it is typed, or indexed; nothing is kept."""
    form = RentForm()
    # An indexed rent keeps its tax, also by a rate that no new rent can have.
    current, retired = all_tax_rates()
    form.tax_rate.choices = [(0, "No tax"), *current, *retired]

    def changed() -> Invoices:
        values = form.values()
        step = RentStep(
            values["effective_from"],
            values["amount"],
            RentChange(values["change"]),
            values["tax_rate"],
            values["gross"],
        )
        today = business_today()
        return preview_change(
            lease_id,
            today,
            step.first_day,
            lambda terms: with_rents(terms, *with_change(terms, step)),
        )

    missing = "Fill in the new rent and its first day to see the next invoices."
    return _next(form, changed, "with the new rent", missing)


@blueprint.post("/leases/<int:lease_id>/rent-free-preview")
def preview_rent_free(lease_id: int) -> Response:
    """The next invoices with the days without rent as they are typed; nothing is kept."""
    form = RentFreeForm()

    def changed() -> Invoices:
        days = form.values()
        first, last = days["first_day"], days["last_day"]
        return preview_change(
            lease_id,
            business_today(),
            first,
            lambda terms: with_rents(terms, *rent_free(terms, first, max(first, last))),
        )

    missing = "Fill in the first and the last day to see the next invoices."
    return _next(form, changed, "with these days free of rent", missing)


@blueprint.post("/leases/<int:lease_id>/renewal-preview")
def preview_renewal(lease_id: int) -> Response:
    """The next invoices with the renewal as it is typed; nothing is kept."""
    form = RenewalForm()

    def changed() -> Invoices:
        renewal = Renewal(**form.values())
        first = changes_from(terms_of(the_lease(lease_id)), renewal)
        return preview_change(
            lease_id, business_today(), first, lambda terms: renewed(terms, renewal)
        )

    return _next(form, changed, "as the lease would go on", "Fill in the new last day.")


@blueprint.post("/leases/<int:lease_id>/charge-preview")
def preview_charge(lease_id: int) -> Response:
    """The next invoices with the charge as it is typed; nothing is kept."""
    form = ChargeForm()
    form.tax_rate.choices = [(0, "No tax"), *tax_rates()]

    def changed() -> Invoices:
        charge = charge_terms(NEW_CHARGE, charge_of(form, form.first_day.data))
        return preview_change(
            lease_id,
            business_today(),
            charge.first_day,
            lambda terms: replace(terms, charges=(*terms.charges, charge)),
        )

    missing = "Fill in what is charged, the amount and the first day to see the next invoices."
    return _next(form, changed, "with the new charge", missing)


def _next(form: Form, changed: Callable[[], Invoices], note: str, missing: str) -> Response:
    """The page of the next invoices, or of what has to be filled in first."""
    if form.validate():
        return _page("Next invoices", note, changed(), "")
    return _page("Next invoices", note, (), missing)


def _page(title: str, note: str, invoices: Invoices, problem: str) -> Response:
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
