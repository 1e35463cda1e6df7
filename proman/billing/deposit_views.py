"""A lease's deposit: how it stands, asking the tenants for it, and what becomes of it."""

from flask import Blueprint, Response, request
from flask_login import current_user
from wtforms.validators import InputRequired

from proman.base.errors import Refused
from proman.billing.credit import open_documents
from proman.billing.deposit_settling import (
    EVENT_WORDS,
    Outcome,
    settle_deposit,
    take_back,
    the_event,
)
from proman.billing.deposits import Deposit, deposit_history, deposit_of, request_deposit
from proman.billing.invoice_forms import DepositOutcomeForm, ReversalForm
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor, current_organization
from proman.web.filters import day, money
from proman.web.forms import AmountField, DayField, Form
from proman.web.guard import needs
from proman.web.render import render, see_other
from proman.web.typed_amounts import TypedAmounts

blueprint = Blueprint("deposits", __name__, url_prefix="/billing/leases")


class DepositRequestForm(Form):
    """How much is asked for, and by when."""

    amount = AmountField("Amount", [InputRequired("Write the amount.")])
    due_on = DayField("Due on", [InputRequired("Say when it is due.")])


@blueprint.get("/<int:lease_id>/deposit")
def show(lease_id: int) -> Response:
    """How the deposit stands and what happened to it; a region of the lease's page."""
    history = deposit_history(lease_id)
    return render(
        "billing/deposit.html",
        "billing/_deposit.html",
        deposit=deposit_of(lease_id),
        history=history,
        taken_back={row.reverses_id for row in history},
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


@blueprint.get("/<int:lease_id>/deposit/outcome")
@needs("manager")
def outcome(lease_id: int) -> Response:
    """What is held, the open invoices, and the form that says what becomes of the deposit."""
    form = DepositOutcomeForm(formdata=None, on=business_today())
    return _outcome(lease_id, form, TypedAmounts("withheld"))


@blueprint.post("/<int:lease_id>/deposit/outcome")
def settle(lease_id: int) -> Response:
    """Add interest, withhold and return, all or nothing; or show what is wrong."""
    form = DepositOutcomeForm()
    typed = TypedAmounts.read(request.form, "withheld", current_organization().currency)
    if not form.validate() or typed.errors:
        return _outcome(lease_id, form, typed, 422)
    today = business_today()
    wanted = Outcome(
        form.on.data or today,
        form.reason.data or "",
        form.interest.data or 0,
        typed.values,
        form.returned.data or 0,
    )
    begin_write()
    try:
        settle_deposit(lease_id, wanted, today=today, actor=current_actor())
    except Refused as refusal:
        db.session.rollback()
        if not typed.refuse(refusal):
            form.refuse(refusal)
        return _outcome(lease_id, form, typed, 422)
    db.session.commit()
    return see_other(f"/leases/{lease_id}", "The deposit was settled as said.")


@blueprint.get("/<int:lease_id>/deposit/events/<int:event_id>/reversal")
@needs("manager")
def new_reversal(lease_id: int, event_id: int) -> Response:
    """What taking an outcome back does, and the form that asks why."""
    form = ReversalForm(formdata=None, on=business_today())
    return _reversal(lease_id, event_id, form)


@blueprint.post("/<int:lease_id>/deposit/events/<int:event_id>/reversal")
def reverse(lease_id: int, event_id: int) -> Response:
    """Take back interest, or what was withheld or returned."""
    form = ReversalForm()
    the_event(lease_id, event_id)
    if not form.validate():
        return _reversal(lease_id, event_id, form, 422)
    begin_write()
    try:
        on, reason = form.on.data or business_today(), form.reason.data or ""
        take_back(event_id, on, reason, today=business_today(), actor=current_actor())
    except Refused as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return _reversal(lease_id, event_id, form, 422)
    db.session.commit()
    return see_other(f"/leases/{lease_id}", "It was taken back.")


def _outcome(
    lease_id: int, form: DepositOutcomeForm, typed: TypedAmounts, status: int = 200
) -> Response:
    documents = [one for one in open_documents(lease_id) if one.kind in ("invoice", "opening")]
    return render(
        "billing/deposit_outcome.html",
        status=status,
        deposit=deposit_of(lease_id),
        documents=documents,
        form=form,
        typed=typed,
    )


def _reversal(lease_id: int, event_id: int, form: ReversalForm, status: int = 200) -> Response:
    event, lease = the_event(lease_id, event_id), deposit_of(lease_id)
    return render(
        "billing/adjustment.html",
        status=status,
        form=form,
        title=f"Take back: {EVENT_WORDS[event.event].lower()}",
        subject=f"Deposit of lease {lease.reference}",
        back=(f"/leases/{lease_id}", f"Lease {lease.reference}"),
        action=f"/billing/leases/{lease_id}/deposit/events/{event_id}/reversal",
        facts=[
            ("Amount", money(event.amount)),
            ("Of", day(event.happened_on)),
            ("Why", event.note),
        ],
        hint="Interest is taken off the deposit again; what was withheld is open and held again, "
        "and what was returned is held again.",
        verb="Take back",
        icon_name="arrow-back-up",
    )


def _form(deposit: Deposit, form: DepositRequestForm, status: int = 200) -> Response:
    return render("billing/deposit_form.html", deposit=deposit, form=form, status=status)
