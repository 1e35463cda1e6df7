"""The address of the notices of indexed rents, as one PDF to print."""

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.billing.index_letter import notices_pdf
from proman.leases.index_actions import MOST_AT_ONCE
from proman.web.ids import ids_of

blueprint = Blueprint("rent_notices", __name__, url_prefix="/billing")


@blueprint.get("/rent-notices.pdf")
def notices() -> Response:
    """The notices of the indexations that the address names."""
    ids = set(ids_of(request.args.getlist("indexation")))
    if not ids:
        raise Refused("Choose at least one notice to print.")
    if len(ids) > MOST_AT_ONCE:
        raise Refused(f"{len(ids)} notices at once; choose at most {MOST_AT_ONCE}.")
    response = Response(notices_pdf(ids), mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="rent-notices.pdf"'
    return response
