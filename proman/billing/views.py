"""The pages of the billing run: what it would issue and leave out, the run, what runs issued."""

from collections.abc import Sequence

from flask import Blueprint, Response

from proman.base.errors import Refused
from proman.billing import actions, queries
from proman.billing.amounts import writer
from proman.billing.forms import RunForm, asked_day, asked_page
from proman.billing.reckoning import Show
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor, current_organization
from proman.ledger.locking import locked_through
from proman.web.render import render, see_other

blueprint = Blueprint("billing", __name__, url_prefix="/billing")


@blueprint.get("/")
def index() -> Response:
    """The day to bill as of, the preview of it, and the last runs."""
    today = business_today()
    return render(
        "billing/index.html",
        as_of=asked_day(today),
        today=today,
        runs=queries.newest_runs(),
        may_write=current_actor().may("manager"),
    )


@blueprint.get("/preview")
def preview() -> Response:
    """Exactly what a run would issue on that day."""
    today = business_today()
    return render(
        "billing/preview.html",
        "billing/_preview.html",
        preview=queries.preview_run(asked_day(today), asked_page(), _show()),
        today=today,
        locked=locked_through(),
        may_write=current_actor().may("manager"),
    )


@blueprint.get("/left-out")
def left_out() -> Response:
    """The leases for which a run would issue nothing, each with the reason."""
    as_of, page = asked_day(business_today()), asked_page()
    rows, pages = queries.left_out_leases(as_of, page, _show())
    return render(
        "billing/left_out.html",
        "billing/_left_out.html",
        rows=rows,
        as_of=as_of,
        page=min(page, pages),
        pages_count=pages,
    )


def _show() -> Show:
    """How the organization of this request writes amounts."""
    here = current_organization()
    return writer(here.locale, here.currency)


@blueprint.post("/runs")
def run() -> Response:
    """Issue what is due; a second click issues nothing more."""
    form = RunForm()
    if not form.validate() or form.as_of.data is None:
        raise Refused("Choose the day as of which is billed.")
    begin_write()
    result = actions.run_billing(form.as_of.data, today=business_today(), actor=current_actor())
    db.session.commit()
    if result.run_id is None and result.ended:
        return see_other("/invoices/?kind=credit_note", "Nothing was due. " + _ended(result.ended))
    if result.run_id is None:
        return see_other("/billing/", "Nothing was due; nothing was issued.", "info")
    words = "1 invoice was" if len(result.issued) == 1 else f"{len(result.issued)} invoices were"
    told = f" {_ended(result.ended)}" if result.ended else ""
    return see_other(f"/invoices/?run={result.run_id}", f"{words} issued.{told}")


def _ended(leases: Sequence[int]) -> str:
    words = "1 lease was" if len(leases) == 1 else f"{len(leases)} leases were"
    return f"{words} ended, for the unit's next one has begun; the rest was credited."
