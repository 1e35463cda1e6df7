"""The address of the notices of indexed rents, as one PDF to print."""

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.billing.index_letter import notices_pdf
from proman.leases.index_actions import MOST_AT_ONCE
from proman.web.ids import GREATEST_ID

blueprint = Blueprint("rent_notices", __name__, url_prefix="/billing")


@blueprint.get("/rent-notices.pdf")
def notices() -> Response:
    """The notices of the indexations that the address names."""
    texts = request.args.getlist("indexation")
    ids = {int(each) for each in texts if each.isdecimal() and int(each) <= GREATEST_ID}
    if not ids:
        raise Refused("Choose at least one notice to print.")
    if len(ids) > MOST_AT_ONCE:
        raise Refused(f"{len(ids)} notices at once; choose at most {MOST_AT_ONCE}.")
    response = Response(notices_pdf(ids), mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="rent-notices.pdf"'
    return response
