"""A lease's deposit: how it stands, and asking the tenants for it."""

from flask import Blueprint, Response
from flask_login import current_user
from wtforms.validators import InputRequired

from proman.base.errors import Refused
from proman.billing.deposits import Deposit, deposit_history, deposit_of, request_deposit
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.web.forms import AmountField, DayField, Form
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("deposits", __name__, url_prefix="/billing/leases")


class DepositRequestForm(Form):
    """How much is asked for, and by when."""

    amount = AmountField("Amount", [InputRequired("Write the amount.")])
    due_on = DayField("Due on", [InputRequired("Say when it is due.")])


@blueprint.get("/<int:lease_id>/deposit")
def show(lease_id: int) -> Response:
    """How the deposit stands and what happened to it; a region of the lease's page."""
    return render(
        "billing/deposit.html",
        "billing/_deposit.html",
        deposit=deposit_of(lease_id),
        history=deposit_history(lease_id),
        may_change=current_user.actor.may("manager"),
    )


@blueprint.get("/<int:lease_id>/deposit-requests/new")
@needs("manager")
def new(lease_id: int) -> Response:
    """The form, filled with what of the agreed deposit was not requested yet."""
    deposit = deposit_of(lease_id)
    due_on = max(business_today(), deposit.first_day)
    form = DepositRequestForm(formdata=None, amount=deposit.to_request or None, due_on=due_on)
    return _form(deposit, form)


@blueprint.post("/<int:lease_id>/deposit-requests")
def create(lease_id: int) -> Response:
    """Issue the request; its page shows it and has its PDF."""
    form = DepositRequestForm()
    if not form.validate():
        return _form(deposit_of(lease_id), form, 422)
    begin_write()
    try:
        amount, due_on = form.amount.data or 0, form.due_on.data or business_today()
        today, actor = business_today(), current_actor()
        issued = request_deposit(lease_id, amount, due_on, today=today, actor=actor)
    except Refused as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return _form(deposit_of(lease_id), form, 422)
    db.session.commit()
    return see_other(f"/invoices/{issued.id}", f"Deposit request {issued.number} was issued.")


def _form(deposit: Deposit, form: DepositRequestForm, status: int = 200) -> Response:
    return render("billing/deposit_form.html", deposit=deposit, form=form, status=status)
