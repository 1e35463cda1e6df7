"""The pages that write a debt off, pay credit back, and take either back."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing.adjusting import (
    WRITE_OFF,
    document_to_settle,
    refund,
    take_back,
    write_off,
)
from proman.billing.credit import unused_credit
from proman.billing.deposits import deposit_of
from proman.billing.invoice_forms import AdjustmentForm, ReversalForm
from proman.billing.models import Adjustment
from proman.billing.states import KINDS
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.web.filters import day, money
from proman.web.forms import Form
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("adjustments", __name__, url_prefix="/billing")


@blueprint.get("/invoices/<int:invoice_id>/write-off")
@needs("manager")
def new_write_off(invoice_id: int) -> Response:
    """The form, filled with all that is open of the document."""
    document = document_to_settle(invoice_id)
    form = AdjustmentForm(formdata=None, amount=document.open, on=business_today())
    return _write_off_page(invoice_id, form)


@blueprint.post("/invoices/<int:invoice_id>/write-off")
def create_write_off(invoice_id: int) -> Response:
    """Write the amount off, and go back to the document."""
    form = AdjustmentForm()

    def act() -> None:
        given = _given(form)
        write_off(invoice_id, *given, today=business_today(), actor=current_actor())

    refused = _carry_out(form, act)
    if refused:
        return _write_off_page(invoice_id, form, 422)
    return see_other(f"/invoices/{invoice_id}", f"{money(form.amount.data)} was written off.")


@blueprint.get("/leases/<int:lease_id>/refunds/new")
@needs("manager")
def new_refund(lease_id: int) -> Response:
    """The form, filled with all the credit that is not used."""
    amount = unused_credit(lease_id) or None
    return _refund_page(lease_id, AdjustmentForm(formdata=None, amount=amount, on=business_today()))


@blueprint.post("/leases/<int:lease_id>/refunds")
def create_refund(lease_id: int) -> Response:
    """Pay the credit back, and go back to the lease."""
    form = AdjustmentForm()

    def act() -> None:
        refund(lease_id, *_given(form), today=business_today(), actor=current_actor())

    if _carry_out(form, act):
        return _refund_page(lease_id, form, 422)
    return see_other(f"/leases/{lease_id}", f"The refund of {money(form.amount.data)} is recorded.")


@blueprint.get("/adjustments/<int:adjustment_id>/reversal")
@needs("manager")
def new_reversal(adjustment_id: int) -> Response:
    """What taking a write-off or refund back does, and the form that asks why."""
    return _reversal_page(adjustment_id, ReversalForm(formdata=None, on=business_today()))


@blueprint.post("/adjustments/<int:adjustment_id>/reversal")
def reverse(adjustment_id: int) -> Response:
    """Take it back, and go to the document or the lease."""
    form = ReversalForm()
    where = _back(_made(adjustment_id))[0]

    def act() -> None:
        on, reason = form.on.data or business_today(), form.reason.data or ""
        take_back(adjustment_id, on, reason, today=business_today(), actor=current_actor())

    if _carry_out(form, act):
        return _reversal_page(adjustment_id, form, 422)
    return see_other(where, "It was taken back.")


def _given(form: AdjustmentForm) -> tuple[int, Any, str]:
    return form.amount.data or 0, form.on.data or business_today(), form.reason.data or ""


def _carry_out(form: Form, act: Callable[[], None]) -> bool:
    """Do it in one write; whether it was refused, which then stands beside its field."""
    if not form.validate():
        return True
    begin_write()
    try:
        act()
    except Refused as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return True
    db.session.commit()
    return False


def _write_off_page(invoice_id: int, form: AdjustmentForm, status: int = 200) -> Response:
    document = document_to_settle(invoice_id)
    name = f"{KINDS[document.kind]} {document.number or ''}".strip()
    return render(
        "billing/adjustment.html",
        status=status,
        form=form,
        title="Write off",
        subject=name,
        back=(f"/invoices/{invoice_id}", name),
        action=f"/billing/invoices/{invoice_id}/write-off",
        facts=[("Still to pay", money(document.open)), ("Due", day(document.due_date))],
        hint="What is written off is a loss and no longer asked for; the invoice stays as it was "
        "issued, and so does its tax. It can be taken back, should the money come after all.",
        verb="Write off",
        icon_name="ban",
    )


def _refund_page(lease_id: int, form: AdjustmentForm, status: int = 200) -> Response:
    lease = deposit_of(lease_id)
    return render(
        "billing/adjustment.html",
        status=status,
        form=form,
        title="Refund credit",
        subject=f"Lease {lease.reference}",
        back=(f"/leases/{lease_id}", f"Lease {lease.reference}"),
        action=f"/billing/leases/{lease_id}/refunds",
        facts=[("Credit not used", money(unused_credit(lease_id)))],
        hint="Records that credit was paid back to the tenants, the oldest of it first. "
        "Make the transfer at your bank.",
        verb="Record refund",
        icon_name="cash-banknote",
    )


def _reversal_page(adjustment_id: int, form: ReversalForm, status: int = 200) -> Response:
    made = _made(adjustment_id)
    is_write_off = made.kind == WRITE_OFF
    return render(
        "billing/adjustment.html",
        status=status,
        form=form,
        title="Take the write-off back" if is_write_off else "Take the refund back",
        subject=money(made.amount),
        back=_back(made),
        action=f"/billing/adjustments/{adjustment_id}/reversal",
        facts=[("Amount", money(made.amount)), ("Of", day(made.happened_on)), ("Why", made.note)],
        hint="The amount is open again, with its own due date."
        if is_write_off
        else "The amount is credit of the lease again.",
        verb="Take back",
        icon_name="arrow-back-up",
    )


def _made(adjustment_id: int) -> Adjustment:
    found = db.session.scalars(select(Adjustment).where(Adjustment.id == adjustment_id)).first()
    if found is None or found.reverses_id is not None:
        raise NotThere("There is no such write-off or refund.")
    return found


def _back(made: Adjustment) -> tuple[str, str]:
    if made.invoice_id is not None:
        return f"/invoices/{made.invoice_id}", "The invoice"
    return f"/leases/{made.lease_id}", "The lease"
