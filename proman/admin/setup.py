"""The pages of a first visit: the first administrator and organization."""

from flask import Blueprint, Response, current_app, request
from flask_login import login_user

from proman.admin.setup_form import SetupForm
from proman.base.errors import NotThere, Refused
from proman.database.engines import BUSY_SECONDS
from proman.database.lock import ops_lock
from proman.database.statistics import refresh_statistics
from proman.db import begin_write, db, utc_now
from proman.demo.actions import Wanted, demonstration_today, load_demonstration
from proman.identity import places
from proman.identity.installation import (
    FirstPerson,
    add_first_administrator,
    forget_setup_code,
    is_setup_code,
    is_this_machine,
    refuse_second_setup,
    set_up,
)
from proman.identity.models import User
from proman.identity.passwords import hash_password
from proman.identity.queries import is_set_up
from proman.identity.session import cookie_identity, load_user
from proman.identity.signing_in import count_code_try
from proman.settings import Settings
from proman.web.guard import public
from proman.web.render import render, see_other

DEMONSTRATION_LEASES = 60
DEMONSTRATION_MONTHS = 12
blueprint = Blueprint("setup", __name__, url_prefix="/setup")


@blueprint.get("")
@public
def first_visit() -> Response:
    """The form of a first visit; afterwards it leads to the login."""
    if is_set_up():
        return see_other("/login")
    country = _likely_country()
    form = SetupForm(formdata=None, country=country)
    _offer(form, country)
    return render("admin/setup.html", form=form, needs_code=_needs_code())


@blueprint.get("/places")
@public
def places_of_country() -> Response:
    """Region, currency and time zone for the country just chosen."""
    form = SetupForm(formdata=None)
    _offer(form, request.args.get("country", ""))
    return render("admin/_places.html", form=form)


@blueprint.post("")
@public
def begin() -> Response:
    """Make the first administrator and organization, and sign in."""
    if is_set_up():
        return see_other("/login")
    form = SetupForm()
    form.offer(str(form.country.data))
    if not form.is_good_for(form.email.data or "", form.name.data or ""):
        return _again(form)
    try:
        _check_code(form.code.data or "")
        _set_up(form, hash_password(form.password.data or ""))
    except Refused as error:
        form.refuse(error)
        return _again(form)
    return see_other("/", "Welcome. Begin with a property, or bring a rent roll with you.")


def _again(form: SetupForm) -> Response:
    db.session.rollback()
    return render("admin/setup.html", form=form, needs_code=_needs_code(), status=422)


def _set_up(form: SetupForm, password_hash: str) -> None:
    """One at a time: there is no organization yet whose lock a second visitor would wait for."""
    who = FirstPerson(str(form.name.data), str(form.email.data), password_hash)
    with ops_lock(_settings(), "setup", who.name, wait=BUSY_SECONDS):
        begin_write()
        if form.with_demonstration.data:
            user = _join_demonstration(who)
        else:
            user = set_up(form.new_organization, who, now=utc_now())
        identity = cookie_identity(user.id, user.session_epoch)
        db.session.commit()
    refresh_statistics(db.engine)
    forget_setup_code(_settings().data_dir)
    login_user(load_user(identity))


def _join_demonstration(who: FirstPerson) -> User:
    """The administrator of the demonstration; its other logins get the same password."""
    refuse_second_setup()
    wanted = Wanted(DEMONSTRATION_LEASES, DEMONSTRATION_MONTHS, 1, demonstration_today())
    organization_id = load_demonstration(wanted, who.password_hash, lambda done, total: None)
    return add_first_administrator(organization_id, who, now=utc_now())


def _check_code(typed: str) -> None:
    """Raises Refused for a wrong code; each try from an address is counted first."""
    if not _needs_code():
        return
    count_code_try(request.remote_addr or "", utc_now())
    if not is_setup_code(_settings().data_dir, typed):
        raise Refused("This is not the code that the start of ProMan printed.", "code")


def _needs_code() -> bool:
    return not is_this_machine(request.remote_addr, request.host, request.headers)


def _offer(form: SetupForm, country: str) -> None:
    if country not in dict(places.countries()):
        raise NotThere("There is no such country.")
    form.offer(country)
    form.currency.data = places.usual_currency(country)
    form.time_zone.data = places.usual_time_zone(country)


def _likely_country() -> str:
    """The country that the browser's languages speak of, such as `de-AT`; else Britain."""
    for language, _ in request.accept_languages:
        country = language.replace("_", "-").rpartition("-")[2].upper()
        if country in dict(places.countries()) and "-" in language:
            return country
    return "GB"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["proman_settings"]
    return settings
