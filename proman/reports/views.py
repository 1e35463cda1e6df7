"""The first page, the search and the reports."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, request
from flask_login import current_user

from proman.billing.invoice_queries import properties_to_pick
from proman.identity.session import business_today, current_organization
from proman.leases.listing import STATES
from proman.leases.standing import days_of
from proman.reports import deposits, receivables, rent_roll, statement_list
from proman.reports.dashboard import dashboard, leases_that_end
from proman.reports.forms import day_asked
from proman.reports.naming import named
from proman.reports.picture import picture
from proman.reports.rules import BUCKETS
from proman.reports.search import search
from proman.web.dispatch import may_be_behind
from proman.web.listing import Column
from proman.web.render import render
from proman.web.sheets import sheet_response

blueprint = Blueprint("reports", __name__)
SHEETS = "<any(csv, xlsx):kind>"


@blueprint.get("/")
@may_be_behind
def index() -> Response:
    """The dashboard; an empty installation is told what to do first."""
    today = business_today()
    figures = dashboard(today)
    context: dict[str, Any] = {"figures": figures, "today": today, "ending": leases_that_end(today)}
    context["picture"] = picture(figures, current_organization())
    return render("reports/dashboard.html", **context)


@blueprint.get("/search")
def find() -> Response:
    """What the typed letters may mean: as a page, or alone for the live search."""
    text = request.args.get("q", "")[:200]
    groups = search(text, current_user.actor)
    return render("reports/search.html", "reports/_found.html", groups=groups, text=text.strip())


@blueprint.get("/reports/")
def overview() -> Response:
    """The reports to choose from."""
    return render("reports/index.html")


@blueprint.get("/reports/rent-roll")
@may_be_behind
def roll() -> Response:
    """Every unit with who lives in it on a day, what they pay, hold and owe."""
    as_of = day_asked(request.args, business_today())
    page = rent_roll.RENT_ROLL.page(request.args, {"as_of": as_of})
    rows = rent_roll.with_details(page.rows, as_of)
    context: dict[str, Any] = {
        "page": page,
        "rows": rows,
        "as_of": as_of,
        "properties": properties_to_pick(),
    }
    return render("reports/rent_roll.html", "reports/_rent_roll.html", **context)


@blueprint.get(f"/reports/rent-roll.{SHEETS}")
@may_be_behind
def roll_sheet(kind: str) -> Response:
    """The whole rent roll as a download."""
    as_of = day_asked(request.args, business_today())
    units = rent_roll.RENT_ROLL.every(request.args, {"as_of": as_of})
    rows = rent_roll.whole_roll(units, as_of)
    return sheet_response(rent_roll.COLUMNS, rows, kind, "rent-roll")


@blueprint.get("/reports/aged-receivables")
@may_be_behind
def aged() -> Response:
    """What is open on a day by age, of each lease, tenant or property."""
    as_of, by = day_asked(request.args, business_today()), _by()
    page = receivables.AGED[by].page(request.args, _bound(as_of))
    rows = list(named(page.rows, by))
    context: dict[str, Any] = {
        "page": page,
        "rows": rows,
        "as_of": as_of,
        "by": by,
        "buckets": BUCKETS,
    }
    context["properties"] = properties_to_pick()
    return render("reports/aged.html", "reports/_aged.html", **context)


@blueprint.get(f"/reports/aged-receivables.{SHEETS}")
@may_be_behind
def aged_sheet(kind: str) -> Response:
    """The whole report as a download."""
    as_of, by = day_asked(request.args, business_today()), _by()
    rows = named(receivables.AGED[by].every(request.args, _bound(as_of)), by)
    sums = [Column(bucket.label, bucket.key, "amount") for bucket in BUCKETS]
    columns = (Column(by.capitalize(), "words"), Column("Note", "note"), *sums)
    columns += (Column("Open", "total", "amount"),)
    return sheet_response(columns, rows, kind, "aged-receivables")


@blueprint.get("/reports/open-items")
@may_be_behind
def open_items() -> Response:
    """The documents that were open on a day: what the sums of the ages are made of."""
    as_of = day_asked(request.args, business_today())
    page = receivables.ITEMS.page(request.args, receivables.bounds(as_of))
    rows = list(named(page.rows, "lease", "lease_id"))
    context: dict[str, Any] = {"page": page, "rows": rows, "as_of": as_of, "buckets": BUCKETS}
    return render("reports/open_items.html", "reports/_open_items.html", **context)


@blueprint.get(f"/reports/open-items.{SHEETS}")
@may_be_behind
def open_items_sheet(kind: str) -> Response:
    """The whole list of open documents as a download."""
    as_of = day_asked(request.args, business_today())
    items = receivables.ITEMS.every(request.args, receivables.bounds(as_of))
    rows = named(items, "lease", "lease_id")
    return sheet_response(receivables.ITEM_COLUMNS, rows, kind, "open-items")


@blueprint.get("/reports/deposits")
@may_be_behind
def deposits_held() -> Response:
    """The deposits that are held on a day, and when each has to be returned."""
    as_of = day_asked(request.args, business_today())
    page = deposits.DEPOSITS.page(request.args, deposits.bound(as_of))
    context: dict[str, Any] = {
        "page": page,
        "as_of": as_of,
        "states": deposits.STATES,
        "properties": properties_to_pick(),
    }
    return render("reports/deposits.html", "reports/_deposits.html", **context)


@blueprint.get(f"/reports/deposits.{SHEETS}")
@may_be_behind
def deposits_sheet(kind: str) -> Response:
    """All deposits held as a download."""
    as_of = day_asked(request.args, business_today())
    held = deposits.DEPOSITS.every(request.args, deposits.bound(as_of))
    return sheet_response(deposits.DEPOSITS.columns, held, kind, "deposits")


@blueprint.get("/reports/statements")
@may_be_behind
def statements() -> Response:
    """The leases with what each owes, to choose a statement from."""
    page = statement_list.STATEMENTS.page(request.args, days_of(business_today()))
    rows = list(statement_list.accounts(page.rows))
    context: dict[str, Any] = {"page": page, "rows": rows, "states": STATES}
    return render("reports/statements.html", "reports/_statements.html", **context)


@blueprint.get(f"/reports/statements.{SHEETS}")
@may_be_behind
def statements_sheet(kind: str) -> Response:
    """All the leases with their balances as a download."""
    leases = statement_list.STATEMENTS.every(request.args, days_of(business_today()))
    rows: Iterator[Any] = statement_list.accounts(leases)
    return sheet_response(statement_list.COLUMNS, rows, kind, "balances")


def _by() -> str:
    asked = request.args.get("by", "")
    return asked if asked in receivables.AGED else "lease"


def _bound(as_of: date) -> dict[str, Any]:
    return {**receivables.bounds(as_of), "of_property": 0}
