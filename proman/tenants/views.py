"""The pages of tenants."""

from typing import Any

from flask import Blueprint, Response, request

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.history import life_of
from proman.identity.session import business_today
from proman.tenants import actions
from proman.tenants.forms import KINDS, TenantForm
from proman.tenants.models import Tenant
from proman.tenants.queries import home_of, tenants_listing, the_tenant
from proman.web.render import render, see_other
from proman.web.sheets import export_routes

blueprint = Blueprint("tenants", __name__, url_prefix="/tenants")


def _day() -> dict[str, Any]:
    return {"today": business_today()}


export_routes(blueprint, tenants_listing, "tenants", _day)


@blueprint.get("/")
def index() -> Response:
    page = tenants_listing().page(request.args, _day())
    return render("tenants/index.html", "tenants/_list.html", page=page, kinds=KINDS)


@blueprint.get("/new")
def new() -> Response:
    return render("tenants/form.html", form=TenantForm(formdata=None), tenant=None)


@blueprint.post("/")
def create() -> Response:
    form = TenantForm()
    return _save(form, None) or render("tenants/form.html", form=form, tenant=None, status=422)


@blueprint.get("/<int:tenant_id>")
def show(tenant_id: int) -> Response:
    tenant = the_tenant(tenant_id)
    home = home_of(tenant_id, business_today())
    events = life_of("tenants", tenant.id, tenant.created_at)
    return render("tenants/show.html", tenant=tenant, home=home, events=events, kinds=dict(KINDS))


@blueprint.get("/<int:tenant_id>/edit")
def edit(tenant_id: int) -> Response:
    tenant = the_tenant(tenant_id)
    form = TenantForm(formdata=None, obj=tenant).noted()
    return render("tenants/form.html", form=form, tenant=tenant)


@blueprint.post("/<int:tenant_id>")
def update(tenant_id: int) -> Response:
    form = TenantForm()
    done = _save(form, tenant_id)
    return done or render("tenants/form.html", form=form, tenant=the_tenant(tenant_id), status=422)


@blueprint.post("/<int:tenant_id>/archiving")
def archive(tenant_id: int) -> Response:
    begin_write()
    tenant = the_tenant(tenant_id)
    try:
        actions.archive(tenant, business_today())
    except Refused as error:
        return see_other(f"/tenants/{tenant_id}", error.message, "bad")
    db.session.commit()
    return see_other(f"/tenants/{tenant_id}", f"{tenant.name} is in the archive now.")


@blueprint.post("/<int:tenant_id>/return")
def bring_back(tenant_id: int) -> Response:
    begin_write()
    tenant = the_tenant(tenant_id)
    actions.bring_back(tenant)
    db.session.commit()
    return see_other(f"/tenants/{tenant_id}", f"{tenant.name} is back from the archive.")


def _save(form: TenantForm, tenant_id: int | None) -> Response | None:
    """Save what was typed and go on, or leave the errors in the form."""
    if not form.validate():
        return None
    begin_write()
    tenant = Tenant() if tenant_id is None else the_tenant(tenant_id)
    try:
        if tenant_id is not None:
            form.merge(TenantForm(formdata=None, obj=tenant))
        actions.save_tenant(tenant, form.values())
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return None
    db.session.commit()
    word = "added" if tenant_id is None else "saved"
    return see_other(f"/tenants/{tenant.id}", f"{tenant.name} was {word}.")
