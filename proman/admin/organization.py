"""The pages of the organization: letterhead and bank, rules of billing, tax rates, logo."""

from flask import Blueprint, Response, make_response, request
from sqlalchemy.exc import IntegrityError

from proman.admin.logo import Logo, judge_logo
from proman.admin.organization_form import LogoForm, OrganizationForm, RulesForm, TaxRateForm
from proman.admin.queries import has_amounts, logo_in_use, tax_rates, the_tax_rate
from proman.base.errors import NotThere, Refused
from proman.db import begin_write, db, utc_now
from proman.identity.models import Organization, OrganizationLogo, TaxRate
from proman.identity.queries import the_organization
from proman.identity.session import current_organization
from proman.web.guard import needs, signed_in
from proman.web.render import render, see_other

blueprint = Blueprint("organization", __name__, url_prefix="/admin/organization")
PLAIN_PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@blueprint.get("")
@needs("administrator")
def show() -> Response:
    """Letterhead, logo, bank details, manner of dates and numbers."""
    return _page(_form(_current(), is_typed=False))


@blueprint.post("")
@needs("administrator")
def change() -> Response:
    """Store them; documents already issued keep those of their day."""
    begin_write()
    organization = _current()
    form = _form(organization, is_typed=True)
    if not form.validate():
        return _page(form, 422)
    form.populate_obj(organization)
    try:
        db.session.commit()
    except IntegrityError:
        form.refuse(Refused("There is an organization of this name already.", "name"))
        return _page(form, 422)
    return see_other("/admin/organization", "Saved. New documents show it.")


def _form(organization: Organization, *, is_typed: bool) -> OrganizationForm:
    form = OrganizationForm(obj=organization) if is_typed else _empty(organization)
    form.offer(organization.country, organization.currency if has_amounts() else "")
    return form


def _empty(organization: Organization) -> OrganizationForm:
    return OrganizationForm(formdata=None, obj=organization)


def _page(
    form: OrganizationForm | None = None, status: int = 200, logo: LogoForm | None = None
) -> Response:
    db.session.rollback()
    organization = _current()
    context = {
        "organization": organization,
        "form": form or _form(organization, is_typed=False),
        "logo_form": logo or LogoForm(formdata=None),
        "logo": logo_in_use(),
    }
    return render("admin/organization/show.html", status=status, **context)


@blueprint.get("/rules")
@needs("administrator")
def rules() -> Response:
    """What a new lease begins with, and how documents are numbered."""
    return render("admin/organization/rules.html", form=RulesForm.showing(_current()))


@blueprint.post("/rules")
@needs("administrator")
def change_rules() -> Response:
    """Store the rules; leases keep those that they were made with."""
    form = RulesForm()
    if form.validate():
        begin_write()
        try:
            form.store_in(_current())
        except Refused as error:
            form.refuse(error)
        else:
            db.session.commit()
            return see_other("/admin/organization/rules", "Saved. New leases begin with it.")
    db.session.rollback()
    return render("admin/organization/rules.html", form=form, status=422)


@blueprint.get("/taxes")
@needs("administrator")
def taxes() -> Response:
    """The rates that a charge may bear."""
    form = TaxRateForm(formdata=None)
    return render("admin/organization/taxes.html", form=form, rates=tax_rates())


@blueprint.post("/taxes")
@needs("administrator")
def add_tax() -> Response:
    """One more rate."""
    form = TaxRateForm()
    if form.validate():
        begin_write()
        db.session.add(TaxRate(name=form.name.data, rate=form.rate.data))
        try:
            db.session.commit()
        except IntegrityError:
            form.refuse(Refused("There is a rate of this name already.", "name"))
        else:
            return see_other("/admin/organization/taxes", "The rate can be chosen from now on.")
    db.session.rollback()
    return render("admin/organization/taxes.html", form=form, rates=tax_rates(), status=422)


@blueprint.post("/taxes/<int:rate_id>/retirement")
@needs("administrator")
def retire_tax(rate_id: int) -> Response:
    """The rate is offered no more; what bears it keeps it."""
    begin_write()
    the_tax_rate(rate_id).retired_at = utc_now()
    db.session.commit()
    return see_other("/admin/organization/taxes", "The rate is offered no more.")


@blueprint.post("/taxes/<int:rate_id>/return")
@needs("administrator")
def return_tax(rate_id: int) -> Response:
    """Offer a retired rate again."""
    begin_write()
    the_tax_rate(rate_id).retired_at = None
    db.session.commit()
    return see_other("/admin/organization/taxes", "The rate is offered again.")


@blueprint.get("/logo")
@signed_in
def logo() -> Response:
    """The logo in use, as a picture that can run nothing."""
    row = logo_in_use(with_content=True)
    if row is None:
        raise NotThere("There is no logo.")
    response = make_response(row.content)
    response.headers["Content-Type"] = row.media_type
    response.headers["Content-Security-Policy"] = PLAIN_PICTURE
    return response


@blueprint.post("/logo")
@needs("administrator")
def change_logo() -> Response:
    """Use another logo; documents already issued keep theirs."""
    form = LogoForm()
    try:
        judged = _uploaded()
    except Refused as error:
        form.validate()
        form.refuse(error)
        return _page(status=422, logo=form)
    begin_write()
    db.session.add(
        OrganizationLogo(
            media_type=judged.media_type, content=judged.content, uploaded_at=utc_now()
        )
    )
    db.session.commit()
    return see_other("/admin/organization", "The logo is in use from now on.")


def _uploaded() -> Logo:
    file = request.files.get("logo")
    if file is None or not file.filename:
        raise Refused("Choose a picture first.", "logo")
    return judge_logo(file.read())


def _current() -> Organization:
    return the_organization(current_organization().id)
