"""The pages of the general journal and the trial balance, and both as downloads."""

from typing import Any, NamedTuple

from flask import Blueprint, Response, request

from proman.base.errors import NotThere
from proman.billing.invoice_queries import properties_to_pick
from proman.identity.session import business_today, current_organization
from proman.reports import journal
from proman.reports.accounting import beancount_books
from proman.reports.forms import Span, day_asked, known_asked, known_at, span_asked
from proman.reports.naming import NAMES, Name
from proman.web.dispatch import may_be_behind
from proman.web.ids import id_of
from proman.web.listing import Column
from proman.web.render import render
from proman.web.sheets import sheet_response, streamed

blueprint = Blueprint("general_journal", __name__, url_prefix="/reports")
SHEETS = "<any(csv, xlsx):kind>"
COLUMNS = (
    Column("Account", "words"),
    Column("Debit", "debit", "amount"),
    Column("Credit", "credit", "amount"),
)


@blueprint.get("/journal")
@may_be_behind
def index() -> Response:
    """Every entry of some days with its lines, the newest day first."""
    span = _span()
    page = journal.JOURNAL.page(request.args, _bound(span))
    context: dict[str, Any] = {
        "page": page,
        "span": span,
        "lines": journal.lines_of([row.id for row in page.rows]),
        "words": journal.words,
        "accounts": journal.ACCOUNTS,
        "kinds": journal.KINDS,
        "properties": properties_to_pick(),
    }
    status = 422 if span.error else 200
    return render("reports/journal.html", "reports/_journal.html", status=status, **context)


@blueprint.get(f"/journal.{SHEETS}")
@may_be_behind
def sheet(kind: str) -> Response:
    """Every line of the entries as a download, the oldest day first."""
    asked = {key: value for key, value in request.args.items() if key != "sort"}
    rows = journal.POSTINGS.every(asked, _bound(_span()))
    return sheet_response(journal.POSTINGS.columns, rows, kind, "journal")


@blueprint.get("/journal.beancount")
@may_be_behind
def books() -> Response:
    """All entries of the days for beancount, with what was brought forward."""
    span, home = _span(), current_organization()
    body = beancount_books(span.first, span.last, home.currency, home.name)
    name = f"journal-{span.first.isoformat()}-{span.last.isoformat()}.beancount"
    return streamed(body, "text/plain; charset=utf-8", name)


@blueprint.get("/trial-balance")
@may_be_behind
def trial() -> Response:
    """What stands on each account on a day, as known now or on another day."""
    as_of, known, about = (
        day_asked(request.args, business_today()),
        known_asked(request.args),
        _of(),
    )
    rows = journal.trial_balance(as_of, known_at(known), about.of, about.id)
    context: dict[str, Any] = {"rows": rows, "as_of": as_of, "known": known, "about": about}
    context["name"] = _name(about)
    context["properties"] = properties_to_pick()
    return render("reports/trial_balance.html", "reports/_trial_balance.html", **context)


@blueprint.get(f"/trial-balance.{SHEETS}")
@may_be_behind
def trial_sheet(kind: str) -> Response:
    """The trial balance as a download."""
    as_of, known, about = (
        day_asked(request.args, business_today()),
        known_asked(request.args),
        _of(),
    )
    rows = journal.trial_balance(as_of, known_at(known), about.of, about.id)
    return sheet_response(COLUMNS, rows, kind, f"trial-balance-{as_of.isoformat()}")


class _About(NamedTuple):
    """Whose accounts are asked: of a lease, a tenant or a property; of all where it is empty."""

    of: str = ""
    id: int = 0


def _of() -> _About:
    for key in ("lease", "tenant", "property"):
        found = id_of(request.args.get(key))
        if found is not None:
            return _About(key, found)
    return _About()


def _name(about: _About) -> Name | None:
    if not about.of:
        return None
    found = NAMES[about.of]([about.id]).get(about.id)
    if found is None:
        raise NotThere(f"This {about.of} does not exist.")
    return found


def _span() -> Span:
    return span_asked(request.args, business_today(), months=1)


def _bound(span: Span) -> dict[str, Any]:
    return {"first": span.first, "last": span.last}
