"""The pages that change a lease from a day on: a draft's fate, rent, renewal, charges."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response

from proman.base.errors import Refused
from proman.base.period import add_months
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.leases import actions, renewing, rent_free
from proman.leases.composing import tax_rates
from proman.leases.discarding import discard_draft
from proman.leases.forms import ChargeEndForm, ChargeForm, RenewalForm, RentForm, RentFreeForm
from proman.leases.models import Lease
from proman.leases.queries import next_lease_first_day, the_charge, the_lease
from proman.web.filters import day
from proman.web.forms import Form
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("changes", __name__)


@blueprint.post("/<int:lease_id>/activation")
def activate(lease_id: int) -> Response:
    begin_write()
    lease = the_lease(lease_id)
    try:
        actions.activate(lease)
        actions.flush_or_refuse()
    except Refused as error:
        db.session.rollback()
        return see_other(f"/leases/{lease_id}", error.message, "bad")
    db.session.commit()
    return see_other(f"/leases/{lease_id}", f"Lease {lease.reference} is active.")


@blueprint.post("/<int:lease_id>/discarding")
def discard(lease_id: int) -> Response:
    begin_write()
    lease = the_lease(lease_id)
    reference = lease.reference
    try:
        discard_draft(lease)
    except Refused as error:
        db.session.rollback()
        return see_other(f"/leases/{lease_id}", error.message, "bad")
    db.session.commit()
    return see_other("/leases/", f"The draft {reference} was discarded.")


@blueprint.get("/<int:lease_id>/rents/new")
@needs("manager")
def new_rent(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    now = lease.rents[-1]
    form = RentForm(formdata=None, tax_rate=now.tax_rate, gross=now.gross)
    return change_form("rent", form, lease)


@blueprint.post("/<int:lease_id>/rents")
def change_rent(lease_id: int) -> Response:
    form = RentForm()

    def change(lease: Lease) -> str:
        values = form.values()
        actions.change_rent(lease, values.pop("amount"), actor=current_actor(), **values)
        return "The new rent is set; what is issued stays as it is."

    return save_change(lease_id, form, "rent", change)


@blueprint.get("/<int:lease_id>/rent-free/new")
@needs("manager")
def new_rent_free(lease_id: int) -> Response:
    return change_form("rent_free", RentFreeForm(formdata=None), the_lease(lease_id))


@blueprint.post("/<int:lease_id>/rent-free")
def grant_rent_free(lease_id: int) -> Response:
    form = RentFreeForm()

    def change(lease: Lease) -> str:
        days = form.values()
        rent_free.grant_rent_free(lease, days["first_day"], days["last_day"], actor=current_actor())
        return "No rent is charged on these days; what is issued stays as it is."

    return save_change(lease_id, form, "rent_free", change)


@blueprint.get("/<int:lease_id>/renewals/new")
@needs("manager")
def new_renewal(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    form = RenewalForm(formdata=None)
    agreed, more = lease.last_day, _beside_renewal(lease)
    if agreed is not None:
        form.rent_from.data = agreed + timedelta(days=1)
        latest = more["next_first_day"]
        year_on = max(add_months(agreed, 12), business_today())
        form.last_day.data = min(year_on, latest - timedelta(days=1)) if latest else year_on
    return change_form("renewal", form, lease, **more)


def _beside_renewal(lease: Lease) -> dict[str, Any]:
    """What the page of a renewal shows beside the form."""
    return {
        "ending_with": renewing.ending_with(lease),
        "next_first_day": next_lease_first_day(lease),
    }


@blueprint.post("/<int:lease_id>/renewals")
def renew(lease_id: int) -> Response:
    form = RenewalForm()

    def change(lease: Lease) -> str:
        renewal = renewing.Renewal(**form.values())
        renewing.renew(lease, renewal, today=business_today(), actor=current_actor())
        until = f"to {day(renewal.last_day)}" if renewal.last_day else "with no last day"
        return f"The lease goes on {until}; what is issued stays as it is."

    more = _beside_renewal(the_lease(lease_id))
    return save_change(lease_id, form, "renewal", change, **more)


@blueprint.get("/<int:lease_id>/charges/new")
@needs("manager")
def new_charge(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    form = ChargeForm(formdata=None, first_day=max(lease.first_day, business_today()))
    return change_form("charge", form, lease)


@blueprint.get("/<int:lease_id>/charges/<int:charge_id>/ending")
@needs("manager")
def charge_ending(lease_id: int, charge_id: int) -> Response:
    charge = the_charge(lease_id, charge_id)
    form = ChargeEndForm(formdata=None, last_day=charge.last_day or business_today())
    return change_form("charge_end", form, the_lease(lease_id), charge=charge)


@blueprint.post("/<int:lease_id>/charges/<int:charge_id>/ending")
def end_charge(lease_id: int, charge_id: int) -> Response:
    form = ChargeEndForm()

    def change(lease: Lease) -> str:
        actions.end_charge(the_charge(lease.id, charge_id), form.values()["last_day"])
        return "The charge ends on that day; what is issued stays as it is."

    return save_change(lease_id, form, "charge_end", change, charge=the_charge(lease_id, charge_id))


def change_form(name: str, form: Any, lease: Lease, status: int = 200, **more: Any) -> Response:
    """The page on which a change of the lease is typed."""
    if "tax_rate" in form:
        form.tax_rate.choices = [(0, "No tax"), *tax_rates()]
    return render(f"leases/{name}.html", form=form, lease=lease, status=status, **more)


def save_change(
    lease_id: int, form: Form, name: str, change: Callable[[Lease], str], **more: Any
) -> Response:
    """Make the change and go back to the lease, or show the form with its errors.

    `change` answers with what to tell. Also for what changes a lease and its money in one.
    """
    if "tax_rate" in form:
        form.tax_rate.choices = [(0, "No tax"), *tax_rates()]
    if form.validate():
        begin_write()
        try:
            message = change(the_lease(lease_id))
            db.session.commit()
        except Refused as error:
            db.session.rollback()
            form.refuse(error)
        else:
            return see_other(f"/leases/{lease_id}", message)
    return change_form(name, form, the_lease(lease_id), 422, **more)
