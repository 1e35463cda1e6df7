"""The page of late fees: what would be charged or taken back and why, and the run that does it."""

from flask import Blueprint, Response

from proman.billing.amounts import writer
from proman.billing.forms import asked_day, asked_page
from proman.billing.late_charging import charge_late_invoices
from proman.billing.late_queries import Late, late_invoices
from proman.billing.parties import addressees
from proman.billing.queries import PREVIEW_ROWS
from proman.db import begin_write, db
from proman.identity.remembering import Remembered
from proman.identity.session import business_today, current_actor, current_organization
from proman.web.render import render, see_other

blueprint = Blueprint("late", __name__, url_prefix="/billing/late-fees")
HERE = "/billing/late-fees"
_late: Remembered[list[Late]] = Remembered("users", "tenants", "expenses", "deliveries")


@blueprint.get("")
def index() -> Response:
    """Every invoice whose fees differ on a day from what was charged; one page with names."""
    today = business_today()
    day = asked_day(today)
    here = current_organization()
    show = writer(here.locale, here.currency)
    found = _late.get(day, lambda: late_invoices(day, show))
    pages = max(1, -(-len(found) // PREVIEW_ROWS))
    page = min(asked_page(), pages)
    chosen = found[(page - 1) * PREVIEW_ROWS : page * PREVIEW_ROWS]
    names = addressees({late.lease_id for late in chosen}, day)
    return render(
        "billing/late_fees.html",
        "billing/_late_fees.html",
        day=day,
        today=today,
        found=found,
        shown=[(late, names[late.lease_id]) for late in chosen],
        page=page,
        pages_count=pages,
        may_write=current_actor().may("manager"),
    )


@blueprint.post("/runs")
def run() -> Response:
    """Charge and take back what the facts of today say; a second click does nothing more."""
    begin_write()
    done = charge_late_invoices(today=business_today(), actor=current_actor())
    db.session.commit()
    fees, notes = len(done.fees), len(done.credit_notes)
    if not fees and not notes:
        return see_other(HERE, "Nothing was to be charged or taken back.", "info")
    words = f"{fees} {'fee was' if fees == 1 else 'fees were'} charged"
    if notes:
        words += f", {notes} {'credit note' if notes == 1 else 'credit notes'} issued"
    return see_other(HERE, f"{words}.")
