"""The pages of payments: the list, one payment, recording one and taking one back."""

from flask import Blueprint, Response, request
from flask_login import current_user

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor, current_organization
from proman.payments import batch_views, queries
from proman.payments.actions import (
    PossibleDuplicate,
    allocate_rest,
    record_payment,
    release_allocation,
    reverse_payment,
)
from proman.payments.composing import Composition, compose
from proman.payments.forms import OLDEST, PaymentForm, ReversalForm
from proman.payments.listing import METHOD_WORDS, PAYMENTS, STATES
from proman.payments.models import Payment
from proman.payments.picking import leases_by_id, leases_like
from proman.payments.showing import payment_page
from proman.web.filters import money
from proman.web.guard import needs
from proman.web.ids import id_of
from proman.web.render import render, see_other
from proman.web.sheets import export_routes
from proman.web.typed_amounts import TypedAmounts

blueprint = Blueprint("payments", __name__, url_prefix="/payments")
blueprint.register_blueprint(batch_views.blueprint)
export_routes(blueprint, PAYMENTS, "payments")


@blueprint.get("/")
def index() -> Response:
    """The list, filtered and sorted by the address."""
    return render(
        "payments/index.html",
        "payments/_list.html",
        page=PAYMENTS.page(request.args),
        states=STATES,
        methods=METHOD_WORDS,
    )


@blueprint.get("/new")
@needs("manager")
def new() -> Response:
    """An empty form, for a lease where the address names one (`lease`, an id)."""
    form = PaymentForm(formdata=None, received_on=business_today())
    wanted = id_of(request.args.get("lease"))
    lease = leases_by_id([wanted]).get(wanted) if wanted else None
    form.lease.data = lease.label if lease else ""
    return _composed(form, 200)


@blueprint.post("/preview")
def preview() -> Response:
    """What the form would do as it stands; nothing is changed."""
    form = PaymentForm()
    made = compose(form, request.form, business_today())
    return render("payments/form.html", "payments/_preview.html", made=made, form=form)


@blueprint.post("/")
def create() -> Response:
    """Record the payment, or show what is wrong beside its field."""
    form = PaymentForm()
    form.validate()
    made = compose(form, request.form, business_today())
    if made.is_valid and made.lease is not None:
        begin_write()
        try:
            payments = _record(made, confirmed=bool(form.confirmed.data))
        except Refused as refusal:
            db.session.rollback()
            return _refused(form, refusal)
        db.session.commit()
        return see_other(f"/payments/{payments[0].id}", f"{money(form.amount.data)} was recorded.")
    return render("payments/form.html", made=made, form=form, status=422)


@blueprint.get("/leases")
def lease_options() -> Response:
    """What a lease field offers while it is typed in: options of a datalist."""
    text = next((value for key, value in request.args.items() if "lease" in key), "")
    return render("payments/_lease_options.html", leases=leases_like(text))


@blueprint.get("/<int:payment_id>")
def show(payment_id: int) -> Response:
    """One payment: what it paid, what is left, what happened."""
    return _shown(payment_id, ReversalForm(formdata=None, on=business_today()))


@blueprint.post("/<int:payment_id>/reversal")
def reverse(payment_id: int) -> Response:
    """Take the payment back: its allocations first, then itself."""
    form = ReversalForm()
    if not form.validate():
        return _shown(payment_id, form, 422)
    begin_write()
    payment = queries.payment(payment_id)
    try:
        day, reason = form.on.data or business_today(), form.reason.data or ""
        reverse_payment(payment, day, reason, today=business_today(), actor=current_actor())
    except Refused as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return _shown(payment_id, form, 422)
    db.session.commit()
    return see_other(f"/payments/{payment_id}", "The payment was reversed.")


@blueprint.post("/<int:payment_id>/allocations")
def allocate(payment_id: int) -> Response:
    """Put what is left of the payment against open documents, oldest first or as typed."""
    typed = TypedAmounts.read(request.form, "allocation", current_organization().currency)
    wanted = None if request.form.get("how") == OLDEST else typed.values
    if typed.errors:
        return _shown(payment_id, typed=typed, status=422)
    begin_write()
    payment = queries.payment(payment_id)
    try:
        used = allocate_rest(payment, wanted, actor=current_actor())
    except Refused as refusal:
        db.session.rollback()
        return _shown(payment_id, typed=typed, status=422, refusal=refusal)
    db.session.commit()
    return see_other(f"/payments/{payment_id}", f"{money(used)} of it was used.")


@blueprint.post("/<int:payment_id>/releases")
def release(payment_id: int) -> Response:
    """Turn one of the payment's allocations back into credit (`allocation`, its id)."""
    allocation_id = id_of(request.form.get("allocation")) or 0
    begin_write()
    payment = queries.payment(payment_id)
    freed = release_allocation(
        payment, allocation_id, today=business_today(), actor=current_actor()
    )
    db.session.commit()
    return see_other(f"/payments/{payment_id}", f"{money(freed)} is credit again.")


def _composed(form: PaymentForm, status: int) -> Response:
    made = compose(form, {}, business_today())
    return render("payments/form.html", made=made, form=form, status=status)


def _record(made: Composition, *, confirmed: bool) -> list[Payment]:
    return record_payment(
        made.new_payment(), today=business_today(), actor=current_actor(), confirmed=confirmed
    )


def _refused(form: PaymentForm, refusal: Refused) -> Response:
    made = compose(form, request.form, business_today())
    made.refuse(refusal)
    if isinstance(refusal, PossibleDuplicate):
        made.duplicate_id, made.is_double = refusal.payment_id, True
    return render("payments/form.html", made=made, form=form, status=422)


def _shown(
    payment_id: int,
    form: ReversalForm | None = None,
    status: int = 200,
    typed: TypedAmounts | None = None,
    refusal: Refused | None = None,
) -> Response:
    page = payment_page(payment_id)
    if typed is not None and refusal is not None and typed.refuse(refusal):
        refusal = None
    return render(
        "payments/show.html",
        page=page,
        form=form or ReversalForm(formdata=None, on=business_today()),
        typed=typed or TypedAmounts("allocation"),
        refusal=refusal,
        methods=METHOD_WORDS,
        may_change=current_user.actor.may("manager"),
        status=status,
    )
