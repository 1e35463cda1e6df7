"""The pages on which a lease is written: new, a draft anew, the standing terms of a live one."""

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.leases import actions
from proman.leases.composing import compose, draft_form, new_form
from proman.leases.forms import LeaseForm, StandingTermsForm, due_fields
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from proman.leases.rules import LeaseStatus
from proman.web.guard import needs
from proman.web.render import render, see_other, tell

blueprint = Blueprint("writing", __name__)


@blueprint.get("/new")
@needs("manager")
def new() -> Response:
    form = new_form(request.args.get("unit", ""), request.args.get("tenant", ""))
    return _page(form, None)


@blueprint.post("/")
def create() -> Response:
    form = LeaseForm()
    if request.form.get("step"):
        return _page(form, None, step=request.form["step"])
    return _save(form, None) or _page(form, None, status=422)


@blueprint.get("/<int:lease_id>/edit")
@needs("manager")
def edit(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    if lease.status == LeaseStatus.DRAFT:
        return _page(draft_form(lease), lease)
    return render("leases/terms.html", form=_standing(lease).noted(), lease=lease)


@blueprint.post("/<int:lease_id>")
def update(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    if lease.status != LeaseStatus.DRAFT:
        form = StandingTermsForm()
        done = _save_standing(form, lease_id)
        return done or render("leases/terms.html", form=form, lease=the_lease(lease_id), status=422)
    form = LeaseForm()
    if request.form.get("step"):
        return _page(form, lease, step=request.form["step"])
    return _save(form, lease_id) or _page(form, the_lease(lease_id), status=422)


def _page(form: LeaseForm, lease: Lease | None, *, step: str = "", status: int = 200) -> Response:
    answer = render(
        "leases/form.html",
        "leases/_form.html",
        made=compose(form, step),
        form=form,
        lease=lease,
        status=status,
    )
    return tell(answer, lease_form_changed=True) if step else answer


def _is_valid(form: LeaseForm) -> bool:
    made = compose(form)
    is_valid: bool = form.validate()
    if made.unit is None:
        form.form_errors.append("Choose the unit that is let.")
        return False
    return is_valid


def _save(form: LeaseForm, lease_id: int | None) -> Response | None:
    """Write the lease and go to its page, or leave the errors in the form."""
    if not _is_valid(form):
        return None
    active = "activate" in request.form
    agreement = form.agreement()
    begin_write()
    try:
        if lease_id is None:
            lease = actions.write_lease(agreement, active=active, actor=current_actor())
        else:
            lease = the_lease(lease_id)
            actions.rewrite_draft(lease, agreement, active=active, actor=current_actor())
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return None
    db.session.commit()
    word = "is active" if active else "was saved as a draft"
    return see_other(f"/leases/{lease.id}", f"Lease {lease.reference} {word}.")


def _standing(lease: Lease) -> StandingTermsForm:
    """The form with the terms as they are."""
    return StandingTermsForm(formdata=None, obj=lease, data=due_fields(lease.due_rule))


def _save_standing(form: StandingTermsForm, lease_id: int) -> Response | None:
    if not form.validate():
        return None
    begin_write()
    lease = the_lease(lease_id)
    try:
        form.merge(_standing(lease))
        actions.change_standing_terms(
            lease,
            today=business_today(),
            last_day=form.last_day.data,
            reference=form.reference.data,
            due_rule=form.due_rule,
            lead_days=form.lead_days.data or 0,
            holding_over=form.holding_over.data,
            deposit=form.deposit.data or 0,
            notes=form.notes.data,
        )
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return None
    db.session.commit()
    return see_other(f"/leases/{lease_id}", "The terms were saved; nothing issued was changed.")
