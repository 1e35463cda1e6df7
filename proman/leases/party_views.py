"""The pages of who is on a lease: somebody joins, leaves, or stays after all."""

from flask import Blueprint, Response, request

from proman.base.errors import NotThere, Refused
from proman.db import begin_write, db
from proman.identity.session import business_today
from proman.leases import parties
from proman.leases.changes import change_form, save_change
from proman.leases.choosing import choose
from proman.leases.forms import JoiningForm, LeavingForm
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("parties", __name__)


@blueprint.get("/<int:lease_id>/joinings/new")
@needs("manager")
def joining(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    day = max(lease.first_day, business_today())
    form = JoiningForm(formdata=None, data={"tenants": [{}], "joined_on": day})
    return _joining(form, lease)


@blueprint.post("/<int:lease_id>/joinings")
def join(lease_id: int) -> Response:
    form = JoiningForm()
    if request.form.get("step"):
        return _joining(form, the_lease(lease_id), step=request.form["step"])
    return _join(form, lease_id) or _joining(form, the_lease(lease_id), status=422)


def _joining(form: JoiningForm, lease: Lease, *, step: str = "", status: int = 200) -> Response:
    return render(
        "leases/joining.html",
        "leases/_joining.html",
        made=choose(form, step),
        form=form,
        lease=lease,
        status=status,
    )


def _join(form: JoiningForm, lease_id: int) -> Response | None:
    """Let them join and go to the lease, or leave the errors in the form."""
    if not form.validate():
        return None
    begin_write()
    try:
        joined = parties.join(the_lease(lease_id), form.signers, form.values()["joined_on"])
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return None
    db.session.commit()
    names = " and ".join(tenant.name for tenant in joined)
    return see_other(f"/leases/{lease_id}", f"{names} joined the lease; its balance is theirs too.")


@blueprint.get("/<int:lease_id>/leavings/new")
@needs("manager")
def leaving(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    named = request.args.get("tenant", "")
    leaves = [one.tenant for one in lease.parties if str(one.tenant_id) == named]
    if not leaves:
        raise NotThere("This tenant is not on the lease.")
    return change_form("leaving", LeavingForm(formdata=None, tenant_id=leaves[0].id), lease)


@blueprint.post("/<int:lease_id>/leavings")
def leave(lease_id: int) -> Response:
    form = LeavingForm()

    def change(lease: Lease) -> str:
        tenant = parties.let_leave(lease, form.values()["tenant_id"], form.values()["left_on"])
        return f"Recorded: {tenant.name} leaves. The balance stays with the lease."

    return save_change(lease_id, form, "leaving", change)


@blueprint.post("/<int:lease_id>/leavings/<int:party_id>/withdrawal")
def stay(lease_id: int, party_id: int) -> Response:
    begin_write()
    try:
        tenant = parties.take_back_leaving(the_lease(lease_id), party_id)
    except Refused as error:
        db.session.rollback()
        return see_other(f"/leases/{lease_id}", error.message, "bad")
    db.session.commit()
    return see_other(f"/leases/{lease_id}", f"{tenant.name} is on the lease as before.")
