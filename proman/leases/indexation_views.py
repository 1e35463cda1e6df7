"""The pages of indexation: what a lease agrees on, whose rent is to be indexed, and what was."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.base.money import decimal_string
from proman.db import begin_write, db
from proman.identity.remembering import Remembered
from proman.identity.session import business_today, current_actor, current_organization
from proman.leases.index_actions import agree_clause, index_rents, named, remove_clause
from proman.leases.index_forms import ClauseForm, asked_notice, asked_page
from proman.leases.index_models import IndexClause
from proman.leases.index_queries import Candidate, all_series, candidates, the_candidate
from proman.leases.index_wording import why_in_words
from proman.leases.indexation_listing import INDEXATIONS
from proman.leases.indexing import Indexation
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from proman.leases.wording import PER_PERIOD
from proman.web.forms import as_choices
from proman.web.guard import needs
from proman.web.ids import id_of
from proman.web.render import render, see_other
from proman.web.sheets import export_routes

blueprint = Blueprint("indexation", __name__)
_candidates: Remembered[list[Candidate]] = Remembered(
    "users", "payments", "payment_reversals", "expenses", "deliveries", "reminders"
)
HERE = "/leases/indexation"
SHOWN = 50
export_routes(blueprint, INDEXATIONS, "indexations")


@blueprint.get("/<int:lease_id>/index-clause")
@needs("manager")
def clause(lease_id: int) -> Response:
    """What the lease agrees on of its indexation."""
    lease = the_lease(lease_id)
    return _clause_page(lease, _shown(lease.index_clause).noted())


def _shown(found: IndexClause | None) -> ClauseForm:
    form = _offering(ClauseForm(formdata=None, obj=found))
    form.threshold.data = form.threshold.data or None
    return form


def _offering(form: ClauseForm) -> ClauseForm:
    form.series_id.choices = as_choices((row.id, row.name) for row in all_series())
    return form


def _clause_page(lease: Lease, form: ClauseForm, status: int = 200) -> Response:
    return render("leases/index_clause.html", lease=lease, form=form, status=status)


@blueprint.post("/<int:lease_id>/index-clause")
def agree(lease_id: int) -> Response:
    form = _offering(ClauseForm())
    if form.validate():
        begin_write()
        lease = the_lease(lease_id)
        try:
            if lease.index_clause is not None:
                form.merge(_shown(lease.index_clause))
            agree_clause(lease, form.agreed(), today=business_today(), actor=current_actor())
        except Refused as error:
            db.session.rollback()
            form.refuse(error)
        else:
            db.session.commit()
            return see_other(f"/leases/{lease_id}", "The index clause was saved.")
    return _clause_page(the_lease(lease_id), form, 422)


@blueprint.post("/<int:lease_id>/index-clause/removal")
def remove(lease_id: int) -> Response:
    begin_write()
    try:
        remove_clause(the_lease(lease_id))
    except Refused as error:
        db.session.rollback()
        return see_other(f"/leases/{lease_id}", error.message, "bad")
    db.session.commit()
    return see_other(f"/leases/{lease_id}", "The rent goes by no index any more.")


@blueprint.get("/indexation/")
def index() -> Response:
    """Whose rent a notice on a day would change, and why the others' stay; page by page."""
    return _list()


def _list(problem: str = "", status: int = 200) -> Response:
    today = business_today()
    asked = request.values
    notice = asked_notice(today, asked)
    typed = asked.get("q", "").strip()
    found = (
        candidates(notice, typed=typed)
        if typed
        else _candidates.get(notice, lambda: candidates(notice))
    )
    due = [each for each in found if each.is_due]
    waiting = [each for each in found if not each.is_due]
    shows_waiting = asked.get("show") == "waiting"
    rows, page, pages = _page_of(waiting if shows_waiting else due)
    return render(
        "leases/indexation.html",
        "leases/_indexation.html",
        status=status,
        notice=notice,
        today=today,
        typed=typed,
        due=due,
        shown=_digest(due),
        waiting=waiting,
        shows_waiting=shows_waiting,
        rows=rows,
        page=page,
        pages_count=pages,
        problem=problem,
        ticked={each.partition(":")[0] for each in request.form.getlist("lease")},
        why=why_in_words,
        per_period=PER_PERIOD,
        may_write=current_actor().may("manager"),
    )


def _page_of(rows: Sequence[Candidate]) -> tuple[Sequence[Candidate], int, int]:
    pages = max(1, -(-len(rows) // SHOWN))
    page = min(asked_page(), pages)
    return rows[(page - 1) * SHOWN : page * SHOWN], page, pages


@blueprint.post("/indexation/")
def apply() -> Response:
    """Index the rents that were chosen, each to what was shown: all of them, or none."""
    today = business_today()
    notice = asked_notice(today, request.form)
    begin_write()
    try:
        made = index_rents(_wanted(notice), notice, today=today, actor=current_actor())
    except Refused as error:
        db.session.rollback()
        return _list(error.message, 422)
    db.session.commit()
    return see_other(f"{HERE}/made", f"{named(made)} Print the notices here.")


def _wanted(notice: Any) -> dict[int, int]:
    """The new rent that each chosen lease was shown with.

    Raises Refused where none is chosen, and for all where all are not what was shown any more.
    """
    if request.form.get("everything"):
        found = candidates(notice, typed=request.form.get("q", "").strip())
        if _digest(found) != request.form.get("shown", ""):
            raise Refused("What is to be indexed changed since it was shown; look again.")
        wanted = _new_rents(found)
    else:
        pairs = (each.partition(":") for each in request.form.getlist("lease"))
        read = ((id_of(key), id_of(rent)) for key, _, rent in pairs)
        wanted = {key: rent for key, rent in read if key is not None and rent is not None}
    if not wanted:
        raise Refused("Choose at least one lease.")
    return wanted


def _new_rents(found: Iterable[Candidate]) -> dict[int, int]:
    return {
        each.lease.id: each.outcome.new_rent
        for each in found
        if isinstance(each.outcome, Indexation)
    }


def _digest(found: Iterable[Candidate]) -> str:
    """What the page showed of all leases whose rent changes, in a few letters."""
    return hashlib.sha256(repr(sorted(_new_rents(found).items())).encode()).hexdigest()[:16]


@blueprint.get("/indexation/made")
def made() -> Response:
    """Every rent that was indexed, newest first."""
    return render(
        "leases/indexations.html",
        "leases/_indexations.html",
        page=INDEXATIONS.page(request.args),
    )


@blueprint.get("/<int:lease_id>/indexation")
def show(lease_id: int) -> Response:
    """What a notice on a day would make of one lease's rent, with the next invoices beside it."""
    today = business_today()
    notice = asked_notice(today)
    found = the_candidate(lease_id, notice)
    return render(
        "leases/indexation_of.html",
        lease=found.lease,
        found=found.outcome,
        why="" if isinstance(found.outcome, Indexation) else why_in_words(found.outcome),
        plain=partial(decimal_string, currency=current_organization().currency),
        notice=notice,
        today=today,
        per_period=PER_PERIOD,
        may_write=current_actor().may("manager"),
    )
