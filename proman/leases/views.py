"""The pages of leases: the list, one of them, and the leases of a tenant or unit as regions."""

from typing import Any

from flask import Blueprint, Response, request

from proman.identity.session import business_today
from proman.leases import changes, index_views, indexation_views, party_views, writing
from proman.leases.ahead import ahead_of
from proman.leases.history import lease_history
from proman.leases.index_wording import calculation_in_words, clause_in_words
from proman.leases.listing import LEASES, STATES
from proman.leases.queries import (
    leases_of_tenant,
    leases_of_unit,
    next_lease_first_day,
    the_lease,
)
from proman.leases.standing import days_of
from proman.leases.summary import summary_of
from proman.leases.wording import PER_PERIOD
from proman.properties.queries import property_choices, the_unit
from proman.tenants.queries import the_tenant
from proman.web.render import render
from proman.web.sheets import export_routes

blueprint = Blueprint("leases", __name__, url_prefix="/leases")
blueprint.register_blueprint(writing.blueprint)
blueprint.register_blueprint(changes.blueprint)
blueprint.register_blueprint(party_views.blueprint)
blueprint.register_blueprint(index_views.blueprint)
blueprint.register_blueprint(indexation_views.blueprint)


def _days() -> dict[str, Any]:
    return days_of(business_today())


export_routes(blueprint, LEASES, "leases", _days)


@blueprint.get("/")
def index() -> Response:
    return render(
        "leases/index.html",
        "leases/_list.html",
        page=LEASES.page(request.args, _days()),
        states=STATES,
        per_period=PER_PERIOD,
        properties=property_choices(),
    )


@blueprint.get("/<int:lease_id>")
def show(lease_id: int) -> Response:
    lease = the_lease(lease_id)
    today, next_first_day = business_today(), next_lease_first_day(lease)
    return render(
        "leases/show.html",
        lease=lease,
        summary=summary_of(lease, next_first_day, today),
        ahead=ahead_of(lease, next_first_day, today),
        events=lease_history(lease),
        clause_in_words=clause_in_words,
        calculation_in_words=calculation_in_words,
    )


@blueprint.get("/of-tenant/<int:tenant_id>")
def of_tenant(tenant_id: int) -> Response:
    tenant = the_tenant(tenant_id)
    rows = leases_of_tenant(tenant_id, business_today())
    return _region(rows, f"Leases of {tenant.name}")


@blueprint.get("/of-unit/<int:unit_id>")
def of_unit(unit_id: int) -> Response:
    the_unit(unit_id)
    rows = leases_of_unit(unit_id, business_today())
    return _region(rows, "Leases of this unit")


def _region(rows: Any, title: str) -> Response:
    return render(
        "leases/region.html",
        "leases/_region.html",
        rows=rows,
        title=title,
        per_period=PER_PERIOD,
    )
