"""The grid in which many payments are entered by keyboard and recorded at once."""

from flask import Blueprint, Response, request

from proman.base.errors import NotThere
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor, current_organization
from proman.ledger.queries import lease_balance
from proman.payments.actions import RowRefused, record_payments
from proman.payments.batch import (
    MOST_ROWS,
    USUAL_ROWS,
    Batch,
    empty_batch,
    read_batch,
    read_row,
    typed_row,
)
from proman.payments.forms import METHOD_CHOICES
from proman.web.filters import money
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("batches", __name__, url_prefix="/batches")


@blueprint.get("/new")
@needs("manager")
def new() -> Response:
    """An empty grid."""
    return _grid(empty_batch(USUAL_ROWS, business_today()))


@blueprint.post("/")
def create() -> Response:
    """Record all rows or none; with `more`, only add empty rows."""
    batch = read_batch(request.form, business_today(), current_organization().currency)
    if "more" in request.form:
        return _more(batch)
    if not batch.is_valid:
        return _grid(batch, 422)
    begin_write()
    try:
        _record(batch)
    except RowRefused as refused:
        db.session.rollback()
        batch.filled[refused.place].errors["lease"] = refused.message
        return _grid(batch, 422)
    db.session.commit()
    text = f"{len(batch.filled)} payments of {money(batch.total)} together were recorded."
    return see_other("/payments/", text)


@blueprint.post("/row")
def check_row() -> Response:
    """What one row means so far: whose lease, what is owed, what is wrong. Changes nothing."""
    row = typed_row(request.form)
    if row is None:
        raise NotThere("There is no such row.")
    today = business_today()
    read_row(row, row.day or today.isoformat(), "other", today, current_organization().currency)
    owed = lease_balance(row.meant.id).balance if row.meant else 0
    if not row.lease:
        row.errors.pop("lease", None)
    if not row.amount:
        row.errors.pop("amount", None)
    return render("payments/_batch_note.html", row=row, owed=owed, live=True)


def _record(batch: Batch) -> None:
    news = [row.new for row in batch.filled if row.new]
    confirmed = frozenset(n for n, row in enumerate(batch.filled) if row.is_confirmed)
    record_payments(news, today=business_today(), actor=current_actor(), confirmed=confirmed)


def _more(batch: Batch) -> Response:
    rows = empty_batch(min(MOST_ROWS, len(batch.rows) + USUAL_ROWS), business_today()).rows
    for row in batch.rows:
        row.errors, row.asks = {}, False
    batch.rows += rows[len(batch.rows) :]
    batch.error = ""
    return _grid(batch)


def _grid(batch: Batch, status: int = 200) -> Response:
    return render(
        "payments/batch.html", batch=batch, methods=METHOD_CHOICES, most=MOST_ROWS, status=status
    )
