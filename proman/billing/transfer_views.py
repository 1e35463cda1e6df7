"""The page that moves tenants to another unit: where to, what it does to money, then the deed."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Row

from proman.base.errors import Refused
from proman.billing.ending import EndingPreview
from proman.billing.forms import TransferForm
from proman.billing.previewing import preview_agreement
from proman.billing.transferring import (
    Transfer,
    agreement_of,
    charges_on,
    preview_transfer,
    transfer_lease,
)
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.leases.agreed import terms_of
from proman.leases.dated_rents import last_charged
from proman.leases.models import Lease
from proman.leases.queries import the_lease, unit_in_words, units_to_let
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("transfers", __name__, url_prefix="/billing/leases")


@blueprint.get("/<int:lease_id>/transfer")
@needs("manager")
def preview(lease_id: int) -> Response:
    """Where the tenants of the lease could move to, and what it would do to money."""
    lease = the_lease(lease_id)
    form = TransferForm(formdata=None)
    form.moves_on.data = _next_month(lease)
    is_day = True
    if request.args.get("moves_on", "").strip():
        form.moves_on.process(request.args)
        is_day = form.moves_on.validate(form)
    form.unit_id.data = request.args.get("unit_id", default=None, type=int)
    form.rent.data = last_charged(terms_of(lease), form.moves_on.data or lease.first_day).amount
    form.deposit.data = lease.deposit
    return _page(lease, form, status=200 if is_day else 422)


def _next_month(lease: Lease) -> date:
    """The first of the next month, or of the month after the lease has begun."""
    day = max(business_today(), lease.first_day)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


@blueprint.post("/<int:lease_id>/transfer")
def transfer(lease_id: int) -> Response:
    form = TransferForm()
    if form.validate():
        begin_write()
        today = business_today()
        try:
            done = transfer_lease(lease_id, _wanted(form), today=today, actor=current_actor())
            db.session.commit()
        except Refused as error:
            db.session.rollback()
            form.refuse(error)
        else:
            notes = len(done.credits)
            also = (
                f"; {notes} credit note{'s were' if notes > 1 else ' was'} issued" if notes else ""
            )
            said = f"The old lease ends and this one begins{also}."
            return see_other(f"/leases/{done.lease.id}", said)
    return _page(the_lease(lease_id), form, status=422)


@blueprint.post("/<int:lease_id>/transfer-preview")
def first_invoices(lease_id: int) -> Response:
    """The first invoices in the new unit, as the move is typed; nothing is kept."""
    form = TransferForm()
    invoices: Any = ()
    problem = "Fill in the rent to see the first invoices."
    if form.validate():
        problem, invoices = "", preview_agreement(agreement_of(the_lease(lease_id), _wanted(form)))
    return render(
        "billing/lease_preview.html",
        "billing/_lease_preview.html",
        title="First invoices",
        note="in the new unit",
        invoices=invoices,
        problem=problem,
    )


def _wanted(form: TransferForm) -> Transfer:
    values = form.values()
    return Transfer(**{**values, "deposit": values["deposit"] or 0})


def _page(lease: Lease, form: TransferForm, *, status: int) -> Response:
    day, query = form.moves_on.data, request.args.get("unit_q", "").strip()
    found: EndingPreview | None = None
    problem = ""
    unit = unit_in_words(form.unit_id.data) if form.unit_id.data else None
    if unit is not None and day is not None and not form.moves_on.errors:
        try:
            found = preview_transfer(lease, day, today=business_today())
        except Refused as error:
            problem = error.message
    units: Sequence[Row[Any]] = () if unit else units_to_let(query, day or business_today())
    return render(
        "billing/transfer.html",
        "billing/_transfer.html",
        lease=lease,
        form=form,
        unit=unit,
        units=[one for one in units if one.id != lease.unit_id],
        unit_q=query,
        preview=found,
        problem=problem,
        charges=charges_on(lease, day) if day else [],
        status=status,
    )
