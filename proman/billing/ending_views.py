"""The page that ends a lease: what it does to money first, then the deed."""

from datetime import date

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.billing.ending import EndingPreview, end_lease, preview_ending, the_billable
from proman.billing.forms import EndingForm
from proman.billing.parties import addressee
from proman.billing.terms import BillableLease
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("endings", __name__, url_prefix="/billing/leases")


@blueprint.get("/<int:lease_id>/ending")
@needs("manager")
def preview(lease_id: int) -> Response:
    """What ending the lease on the day of the address would do."""
    lease = the_billable(lease_id)
    terms = lease.terms
    today = business_today()
    usual = terms.last_day if terms.last_day and terms.last_day >= today else today
    form = EndingForm(formdata=None, ended_on=max(usual, terms.first_day))
    is_day = True
    if request.args.get("ended_on", "").strip():
        form.ended_on.process(request.args)
        is_day = form.ended_on.validate(form)
    day = form.ended_on.data if is_day else None
    return _page(lease, form, day, status=200 if is_day else 422)


@blueprint.post("/<int:lease_id>/ending")
def end(lease_id: int) -> Response:
    form = EndingForm()
    day = form.ended_on.data
    if form.validate() and day is not None:
        begin_write()
        try:
            reason = form.reason.data or ""
            notes = end_lease(lease_id, day, reason, today=business_today(), actor=current_actor())
            db.session.commit()
        except Refused as error:
            db.session.rollback()
            form.refuse(error)
        else:
            return see_other(f"/leases/{lease_id}", _said(len(notes)))
    return _page(the_billable(lease_id), form, day, status=422)


def _said(notes: int) -> str:
    if not notes:
        return "The lease is ended."
    words = "a credit note was" if notes == 1 else f"{notes} credit notes were"
    return f"The lease is ended; {words} issued."


def _page(lease: BillableLease, form: EndingForm, day: date | None, status: int = 200) -> Response:
    lease_id = lease.terms.lease_id
    found: EndingPreview | None = None
    problem = ""
    if day is not None:
        try:
            found = preview_ending(lease, day, today=business_today())
        except Refused as error:
            problem = error.message
    return render(
        "billing/ending.html",
        "billing/_ending.html",
        lease_id=lease_id,
        to=addressee(lease_id, business_today()),
        form=form,
        preview=found,
        problem=problem,
        status=status,
    )
