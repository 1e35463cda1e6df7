"""The pages on which an invoice is prepared, and the list of those that wait."""

from typing import Any

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.billing.draft_forms import DraftForm
from proman.billing.draft_models import InvoiceDraft
from proman.billing.drafting import (
    discard_draft,
    drafts,
    issue_draft,
    preview_draft,
    refuse_twice,
    the_draft,
    write_draft,
)
from proman.db import begin_write, db, utc_now
from proman.identity.session import business_today, current_actor
from proman.leases.composing import tax_rates
from proman.leases.queries import the_lease
from proman.web.guard import needs
from proman.web.ids import id_of
from proman.web.render import render, see_other, tell

blueprint = Blueprint("drafts", __name__, url_prefix="/invoices/drafts")


@blueprint.get("/")
@needs("manager")
def index() -> Response:
    return render("invoices/drafts.html", drafts=drafts())


@blueprint.get("/new")
@needs("manager")
def new() -> Response:
    lease = the_lease(id_of(request.args.get("lease")) or 0)
    data = {"lease_id": str(lease.id), "due_on": business_today(), "lines": [{}]}
    return _page(DraftForm(formdata=None, data=data), None)


@blueprint.post("/")
def create() -> Response:
    return _take(DraftForm(), None)


@blueprint.get("/<int:draft_id>")
@needs("manager")
def edit(draft_id: int) -> Response:
    return _page(_shown(the_draft(draft_id)).noted(), draft_id)


def _shown(draft: InvoiceDraft) -> DraftForm:
    names = "description kind amount tax_rate gross".split()
    data = {
        "lease_id": str(draft.lease_id),
        "due_on": draft.due_on,
        "lines": [{name: getattr(line, name) for name in names} for line in draft.lines],
    }
    return DraftForm(formdata=None, data=data)


@blueprint.post("/<int:draft_id>")
def update(draft_id: int) -> Response:
    return _take(DraftForm(), draft_id)


@blueprint.post("/<int:draft_id>/discarding")
def discard(draft_id: int) -> Response:
    begin_write()
    draft = the_draft(draft_id)
    lease_id = draft.lease_id
    discard_draft(draft)
    db.session.commit()
    return see_other(f"/leases/{lease_id}", "The draft was discarded.")


@blueprint.post("/preview")
def preview() -> Response:
    """The invoice that would come of what is typed; nothing is kept."""
    form = DraftForm()
    form.offer_rates(tax_rates())
    found, problem = None, "Fill in what is charged and how much to see the invoice."
    if form.validate():
        lease, today = the_lease(_lease_id(form)), business_today()
        found, problem = preview_draft(lease, form.charges(), today), ""
    return render(
        "billing/lease_preview.html",
        "billing/_lease_preview.html",
        title="The invoice",
        note="as it is typed now",
        invoices=[found] if found else [],
        problem=problem,
    )


def _take(form: DraftForm, draft_id: int | None) -> Response:
    """A step of the form, or the draft kept, or issued."""
    _offer_rates(form, draft_id)
    step = request.form.get("step", "")
    if step:
        _take_step(form, step)
        return tell(_page(form, draft_id), draft_form_changed=True)
    if not form.validate():
        return _page(form, draft_id, 422)
    begin_write()
    today, actor = business_today(), current_actor()
    try:
        draft = _draft_of(form, draft_id)
        due_on = form.values()["due_on"]
        write_draft(draft, _lease_id(form), due_on, form.charges(), actor=actor)
        lease_id = draft.lease_id
        issued = issue_draft(draft, today=today, actor=actor) if "issue" in request.form else []
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return _page(form, draft_id, 422)
    db.session.commit()
    if issued:
        numbers = ", ".join(one.number for one in issued)
        return see_other(f"/invoices/{issued[-1].id}", f"Issued: {numbers}.")
    return see_other(f"/leases/{lease_id}", "The draft is kept; nothing is issued yet.")


def _offer_rates(form: DraftForm, draft_id: int | None) -> None:
    """The rates in use, and one that is in use no more where the draft has it."""
    kept = {line.tax_rate for line in the_draft(draft_id).lines} if draft_id else set()
    form.offer_rates(tax_rates(), kept)


def _draft_of(form: DraftForm, draft_id: int | None) -> InvoiceDraft:
    """The draft that the form is about, what others changed of it taken over into the form."""
    if draft_id is None:
        refuse_twice(_lease_id(form), form.values()["due_on"], form.charges(), utc_now())
        return InvoiceDraft(lines=[])
    draft = the_draft(draft_id)
    form.merge(_shown(draft))
    return draft


def _take_step(form: DraftForm, step: str) -> None:
    """Another row, or one less. What is no step changes nothing."""
    name, _, place = step.partition(":")
    at, count = id_of(place), len(form.lines.entries)
    if name == "add-line" and count < (form.lines.max_entries or 0):
        form.lines.append_entry({})
    elif name == "drop-line" and at is not None and at < count > 1:
        del form.lines.entries[at]


def _lease_id(form: DraftForm) -> int:
    return id_of(form.lease_id.data) or 0


def _page(form: DraftForm, draft_id: int | None, status: int = 200) -> Response:
    _offer_rates(form, draft_id)
    shown: dict[str, Any] = {"form": form, "draft_id": draft_id}
    return render(
        "invoices/draft.html",
        "invoices/_draft.html",
        lease=the_lease(_lease_id(form)),
        status=status,
        **shown,
    )
