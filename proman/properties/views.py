"""The pages of properties."""

from typing import Any

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.history import life_of
from proman.identity.session import business_today, current_organization
from proman.properties import actions, unit_pages
from proman.properties.forms import TYPES, PropertyForm
from proman.properties.models import Property
from proman.properties.queries import (
    counts_of,
    only_unit,
    properties_listing,
    the_property,
    units_listing,
)
from proman.web.guard import needs
from proman.web.render import render, see_other
from proman.web.sheets import export_routes

blueprint = Blueprint("properties", __name__, url_prefix="/properties")
blueprint.register_blueprint(unit_pages.blueprint)


def _day() -> dict[str, Any]:
    return {"today": business_today()}


export_routes(blueprint, properties_listing, "properties", _day)
export_routes(blueprint, units_listing, "units", _day)


@blueprint.get("/")
def index() -> Response:
    page = properties_listing().page(request.args, _day())
    return render("properties/index.html", "properties/_list.html", page=page, types=TYPES)


@blueprint.get("/new")
@needs("manager")
def new() -> Response:
    form = PropertyForm(formdata=None, country=current_organization().country)
    return render("properties/form.html", form=form, building=None)


@blueprint.post("/")
def create() -> Response:
    form = PropertyForm()
    if form.validate():
        begin_write()
        try:
            building = actions.add_property(*form.parts())
            db.session.commit()
        except Refused as error:
            form.refuse(error)
        else:
            return see_other(f"/properties/{building.id}", f"{building.name} was added.")
    return render("properties/form.html", form=form, building=None, status=422)


@blueprint.get("/<int:property_id>")
def show(property_id: int) -> Response:
    building = the_property(property_id)
    unit = only_unit(building)
    return render(
        "properties/show.html",
        building=building,
        unit=unit,
        counts=counts_of(property_id, business_today()),
        page=None if unit else units_listing().page({"property": str(property_id)}, _day()),
        types=dict(TYPES),
        events=life_of("properties", building.id, building.created_at),
    )


@blueprint.get("/<int:property_id>/edit")
@needs("manager")
def edit(property_id: int) -> Response:
    building = the_property(property_id)
    return render("properties/form.html", form=_filled(building).noted(), building=building)


def _filled(building: Property) -> PropertyForm:
    """The form with a property as it is, and with its only unit."""
    unit = only_unit(building)
    values = {} if unit is None else {key: getattr(unit, key) for key in actions.UNIT_VALUES}
    return PropertyForm(formdata=None, obj=building, data=values)


@blueprint.post("/<int:property_id>")
def update(property_id: int) -> Response:
    form = PropertyForm()
    if form.validate():
        begin_write()
        try:
            building = the_property(property_id)
            form.merge(_filled(building))
            actions.correct_property(building, *form.parts())
            db.session.commit()
        except Refused as error:
            form.refuse(error)
        else:
            return see_other(f"/properties/{property_id}", f"{form.name.data} was saved.")
    building = the_property(property_id)
    return render("properties/form.html", form=form, building=building, status=422)


@blueprint.post("/<int:property_id>/archiving")
def archive(property_id: int) -> Response:
    begin_write()
    building = the_property(property_id)
    try:
        actions.archive_property(building, business_today())
    except Refused as error:
        db.session.rollback()
        return see_other(f"/properties/{property_id}", error.message, "bad")
    db.session.commit()
    return see_other(f"/properties/{property_id}", f"{building.name} is in the archive now.")


@blueprint.post("/<int:property_id>/return")
def bring_back(property_id: int) -> Response:
    begin_write()
    building = the_property(property_id)
    actions.bring_back(building)
    db.session.commit()
    return see_other(f"/properties/{property_id}", f"{building.name} is back from the archive.")
