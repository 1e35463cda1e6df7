"""The pages of profit and loss: every property, one of them, and both as downloads."""

from typing import Any

from flask import Blueprint, Response, request

from proman.identity.session import business_today
from proman.reports.forms import Span, span_asked
from proman.reports.profit import PROFIT, Line, profit_of
from proman.web.dispatch import may_be_behind
from proman.web.listing import Column
from proman.web.render import render
from proman.web.sheets import sheet_response

blueprint = Blueprint("profit", __name__, url_prefix="/reports")
SHEETS = "<any(csv, xlsx):kind>"
COLUMNS = (Column("What", "words"), Column("Amount", "amount", "amount"))


@blueprint.get("/profit-and-loss")
@may_be_behind
def index() -> Response:
    """What each property brought in, cost and left over."""
    span = _span()
    page = PROFIT.page(request.args, _bound(span))
    context: dict[str, Any] = {"page": page, "span": span}
    status = 422 if span.error else 200
    return render("reports/profit.html", "reports/_profit.html", status=status, **context)


@blueprint.get(f"/profit-and-loss.{SHEETS}")
@may_be_behind
def sheet(kind: str) -> Response:
    """Every property as a download."""
    rows = PROFIT.every(request.args, _bound(_span()))
    return sheet_response(PROFIT.columns, rows, kind, "profit-and-loss")


@blueprint.get("/profit-and-loss/<int:property_id>")
@may_be_behind
def show(property_id: int) -> Response:
    """One property, by kind of income and category of expense; 0 for what belongs to none."""
    span = _span()
    account = profit_of(property_id, span.first, span.last)
    status = 422 if span.error else 200
    return render("reports/profit_of.html", status=status, account=account, span=span)


@blueprint.get(f"/profit-and-loss/<int:property_id>.{SHEETS}")
@may_be_behind
def sheet_of(property_id: int, kind: str) -> Response:
    """One property as a download; costs are below nil."""
    span = _span()
    account = profit_of(property_id, span.first, span.last)
    rows = [*account.income, *(line._replace(amount=-line.amount) for line in account.costs)]
    rows.append(Line("", "Result", account.earned - account.spent))
    return sheet_response(COLUMNS, rows, kind, f"profit-and-loss-{property_id}")


def _span() -> Span:
    return span_asked(request.args, business_today())


def _bound(span: Span) -> dict[str, Any]:
    return {"first": span.first, "last": span.last}
