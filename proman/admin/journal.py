"""The page of the journal: what was done with backups, by whom, from where; whether it is whole."""

from flask import Blueprint, Response, request

from proman.admin.database_views import operator
from proman.base.errors import NotThere
from proman.database import journal_checks, journal_events
from proman.database.installation import installation
from proman.database.journal import Line
from proman.web.pagination import PAGE_ROWS
from proman.web.render import render

blueprint = Blueprint("journal", __name__, url_prefix="/admin/database")
HERE = "/admin/database/journal"


@blueprint.get("/journal")
@operator
def index() -> Response:
    """The newest lines first; `before` is the number of the line that a page ends before."""
    site = installation()
    found = journal_checks.standing(site)
    newest = found.lines[::-1]
    begin = _begin(newest)
    rows = newest[begin : begin + PAGE_ROWS]
    following = newest[begin + PAGE_ROWS :]
    return render(
        "admin/database/journal.html",
        "admin/database/journal_lines.html",
        standing=found,
        unwritten=journal_events.unwritten(site),
        rows=rows,
        count=len(newest),
        first=HERE if begin else None,
        previous=_address(newest, begin - PAGE_ROWS) if begin else None,
        next=f"{HERE}?before={rows[-1].line}" if following else None,
    )


def _begin(newest: tuple[Line, ...]) -> int:
    before = request.args.get("before", "")
    if not before:
        return 0
    if not before.isascii() or not before.isdecimal() or len(before) > 18:
        raise NotThere("This page of the journal does not exist.")
    return sum(1 for one in newest if one.line >= int(before))


def _address(newest: tuple[Line, ...], begin: int) -> str:
    return HERE if begin <= 0 else f"{HERE}?before={newest[begin - 1].line}"
