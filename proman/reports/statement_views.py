"""The pages of one lease's statement: on the screen, printed, and as a download."""

from flask import Blueprint, Response, request

from proman.billing.statement_letter import statement_pdf
from proman.identity.session import business_today
from proman.reports.forms import Span, known_asked, known_at, span_asked
from proman.reports.rules import Statement
from proman.reports.statements import (
    StatementLease,
    lease_statement,
    statement_document,
    statement_lease,
)
from proman.web.dispatch import may_be_behind
from proman.web.listing import Column
from proman.web.render import render
from proman.web.sheets import sheet_response

blueprint = Blueprint("statements", __name__, url_prefix="/reports/statements")
COLUMNS = (
    Column("Date", "day", "day"),
    Column("What", "text"),
    Column("Charged", "debit", "amount"),
    Column("Received", "credit", "amount"),
    Column("Balance", "balance", "amount"),
)


@blueprint.get("/<int:lease_id>")
@may_be_behind
def show(lease_id: int) -> Response:
    """What was charged, what was received, what is owed after each."""
    about, span, account = _account(lease_id)
    known = known_asked(request.args)
    context = {"about": about, "span": span, "account": account, "known": known}
    return render(
        "reports/statement.html",
        "reports/_statement.html",
        status=422 if span.error else 200,
        **context,
    )


@blueprint.get("/<int:lease_id>.pdf")
@may_be_behind
def pdf(lease_id: int) -> Response:
    """The statement as a letter."""
    about, _, account = _account(lease_id)
    document = statement_document(about, account)
    response = Response(statement_pdf(document), mimetype="application/pdf")
    name = f"statement-{about.lease.reference}-{account.last_day.isoformat()}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{_plain(name)}"'
    return response


@blueprint.get("/<int:lease_id>.<any(csv, xlsx):kind>")
@may_be_behind
def sheet(lease_id: int, kind: str) -> Response:
    """The statement's lines as a download."""
    about, _, account = _account(lease_id)
    name = _plain(f"statement-{about.lease.reference}")
    return sheet_response(COLUMNS, account.lines, kind, name)


def _account(lease_id: int) -> tuple[StatementLease, Span, Statement]:
    span = span_asked(request.args, business_today())
    about = statement_lease(lease_id)
    known = known_asked(request.args)
    account = lease_statement(lease_id, span.first, span.last, known_at(known))
    return about, span, account


def _plain(name: str) -> str:
    return "".join(sign if sign.isascii() and sign not in '"\\/;' else "-" for sign in name)
