"""The pages of units: the list over all properties, one of them, adding and correcting."""

from typing import Any

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.history import life_of
from proman.identity.session import business_today
from proman.properties import actions
from proman.properties.forms import UnitForm
from proman.properties.models import Unit
from proman.properties.queries import (
    is_let,
    property_choices,
    the_property,
    the_unit,
    units_listing,
)
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("units", __name__)


@blueprint.get("/units")
def index() -> Response:
    page = units_listing().page(request.args, {"today": business_today()})
    return render(
        "properties/units.html",
        "properties/_units.html",
        page=page,
        properties=property_choices(),
    )


@blueprint.get("/<int:property_id>/units/new")
@needs("manager")
def new(property_id: int) -> Response:
    building = the_property(property_id)
    return render(
        "properties/unit_form.html", form=UnitForm(formdata=None), building=building, unit=None
    )


@blueprint.post("/<int:property_id>/units")
def create(property_id: int) -> Response:
    form = UnitForm()
    if form.validate():
        begin_write()
        try:
            unit = actions.add_unit(the_property(property_id), form.values())
            db.session.commit()
        except Refused as error:
            form.refuse(error)
        else:
            base = f"/properties/{property_id}"
            target = f"{base}/units/new" if "another" in request.form else base
            return see_other(target, f"Unit {unit.label} was added.")
    building = the_property(property_id)
    return render("properties/unit_form.html", form=form, building=building, unit=None, status=422)


@blueprint.get("/units/<int:unit_id>")
def show(unit_id: int) -> Response:
    unit = the_unit(unit_id)
    if unit.property.is_single_unit:
        return see_other(f"/properties/{unit.property_id}")
    return render(
        "properties/unit.html",
        unit=unit,
        is_let=is_let(unit_id, business_today()),
        events=life_of("units", unit.id, unit.created_at),
    )


@blueprint.get("/units/<int:unit_id>/edit")
@needs("manager")
def edit(unit_id: int) -> Response:
    unit = the_unit(unit_id)
    return _form(UnitForm(formdata=None, obj=unit).noted(), unit)


@blueprint.post("/units/<int:unit_id>")
def update(unit_id: int) -> Response:
    form = UnitForm()
    if form.validate():
        begin_write()
        try:
            unit = the_unit(unit_id)
            form.merge(UnitForm(formdata=None, obj=unit))
            actions.correct_unit(unit, form.values())
            db.session.commit()
        except Refused as error:
            form.refuse(error)
        else:
            return see_other(f"/properties/units/{unit_id}", f"Unit {form.label.data} was saved.")
    return _form(form, the_unit(unit_id), 422)


@blueprint.post("/units/<int:unit_id>/archiving")
def archive(unit_id: int) -> Response:
    begin_write()
    unit = the_unit(unit_id)
    try:
        actions.archive_unit(unit, business_today())
    except Refused as error:
        db.session.rollback()
        return see_other(f"/properties/units/{unit_id}", error.message, "bad")
    db.session.commit()
    return see_other(f"/properties/units/{unit_id}", f"Unit {unit.label} is in the archive now.")


@blueprint.post("/units/<int:unit_id>/return")
def bring_back(unit_id: int) -> Response:
    begin_write()
    unit = the_unit(unit_id)
    actions.bring_back(unit)
    db.session.commit()
    return see_other(f"/properties/units/{unit_id}", f"Unit {unit.label} is back.")


def _form(form: Any, unit: Unit, status: int = 200) -> Response:
    return render(
        "properties/unit_form.html", form=form, building=unit.property, unit=unit, status=status
    )
