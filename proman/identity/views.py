"""The pages of signing in and out, and of passwords."""

from urllib.parse import quote

from flask import Blueprint, Response, g, request, session
from flask_login import current_user, login_user, logout_user
from flask_wtf.csrf import generate_csrf

from proman.base.errors import Refused
from proman.db import begin_write, db, utc_now
from proman.identity import audit
from proman.identity.actions import read_link, set_password, use_link
from proman.identity.forms import (
    ChangePasswordForm,
    ForgottenForm,
    LoginForm,
    NewPasswordForm,
    ProfileForm,
)
from proman.identity.letters import answer_forgotten, can_mail_unasked
from proman.identity.passwords import hash_password
from proman.identity.queries import Account, is_set_up, the_user
from proman.identity.rules import is_safe_next
from proman.identity.session import acting_for, cookie_identity, load_user
from proman.identity.signing_in import TooManyTries, check_password, forget_failures
from proman.web.guard import public, signed_in
from proman.web.render import render, see_other

blueprint = Blueprint("identity", __name__)


@blueprint.get("/login")
@public
def login() -> Response:
    """The login page; a fresh installation is set up first."""
    if not is_set_up():
        return see_other("/setup")
    if current_user.is_authenticated:
        return see_other("/")
    form = LoginForm(formdata=None, **request.args.to_dict())
    return render("identity/login.html", form=form)


@blueprint.post("/login")
@public
def sign_in() -> Response:
    """Sign in and go on to where the person wanted to be."""
    form = LoginForm()
    if not form.validate():
        return render("identity/login.html", form=form, status=422)
    email, address = str(form.email.data), request.remote_addr or ""
    try:
        account = check_password(email, form.password.data or "", address, utc_now())
        _enter(account, address)
    except Refused as error:
        form.form_errors.append(error.message)
        return render("identity/login.html", form=form, status=_refusal_status(error))
    target = form.next.data or ""
    return see_other(target if is_safe_next(target) else "/")


def _refusal_status(error: Refused) -> int:
    return 429 if isinstance(error, TooManyTries) else 422


def _enter(account: Account, address: str) -> None:
    """Begin a session that carries over nothing, and record it.

    Raises Refused when the account, or the whole database, was changed since the password was found
    to be right.
    """
    session.clear()
    user = load_user(cookie_identity(account.id, account.session_epoch))
    if user is None:
        raise Refused("Your login was changed at this moment. Sign in again.")
    begin_write()
    forget_failures(account.email, address, utc_now())
    the_user(account.id).last_seen_at = utc_now()
    audit.record("signed in", "users", account.id, account.name)
    db.session.commit()
    login_user(user)
    # The session gets its token at once: no later page has to send another cookie.
    g.pop("csrf_token", None)
    generate_csrf()


@blueprint.post("/logout")
@public
def logout() -> Response:
    """End the session."""
    logout_user()
    session.clear()
    return see_other("/login")


@blueprint.get("/password/forgotten")
@public
def forgotten() -> Response:
    """Ask for a link, where links can be mailed; else say who can make one."""
    form = ForgottenForm(formdata=None)
    return render("identity/forgotten.html", form=form, can_mail=can_mail_unasked())


@blueprint.post("/password/forgotten")
@public
def ask_for_link() -> Response:
    """Mail a link if the e-mail has a login; the answer does not say whether it has."""
    form = ForgottenForm()
    if not can_mail_unasked() or not form.validate():
        page = {"form": form, "can_mail": can_mail_unasked()}
        return render("identity/forgotten.html", status=422, **page)
    answer_forgotten(str(form.email.data))
    return render("identity/forgotten.html", form=form, can_mail=True, is_sent=True)


@blueprint.get("/password/<token>")
@public
def choose(token: str) -> Response:
    """The page of a link: choose a password."""
    holder = read_link(token, utc_now())
    return render("identity/choose.html", form=NewPasswordForm(formdata=None), holder=holder)


@blueprint.post("/password/<token>")
@public
def chosen(token: str) -> Response:
    """Store the password of the link's holder; they sign in with it next."""
    form = NewPasswordForm()
    holder = read_link(token, utc_now())
    if not form.is_good_for(holder.email, holder.name):
        return render("identity/choose.html", form=form, holder=holder, status=422)
    password_hash = hash_password(form.password.data or "")
    with acting_for(holder.organization_id, holder.actor):
        begin_write()
        use_link(token, password_hash, now=utc_now())
        db.session.commit()
    logout_user()
    return see_other(
        f"/login?email={quote(holder.email)}", "Your password is set. Sign in with it."
    )


@blueprint.get("/password/change")
@signed_in
def profile() -> Response:
    """One's own login: name and password."""
    return _profile(ProfileForm(formdata=None, name=current_user.name), _empty_change())


@blueprint.post("/password/change")
@signed_in
def change_password() -> Response:
    """A new password; every other session of the person ends."""
    form = ChangePasswordForm()
    names = ProfileForm(formdata=None, name=current_user.name)
    if not form.is_good_for(current_user.email, current_user.name):
        return _profile(names, form, 422)
    address = request.remote_addr or ""
    try:
        account = check_password(current_user.email, form.current.data or "", address, utc_now())
    except Refused as error:
        form.refuse(Refused(error.message, "current"))
        return _profile(names, form, _refusal_status(error))
    _store_password(account, hash_password(form.password.data or ""), address)
    return see_other("/password/change", "Your password is changed; other sessions have ended.")


@blueprint.post("/password/name")
@signed_in
def rename() -> Response:
    """Another name for oneself."""
    form = ProfileForm()
    if not form.validate():
        return _profile(form, _empty_change(), 422)
    begin_write()
    the_user(current_user.id).name = str(form.name.data)
    db.session.commit()
    return see_other("/password/change", "Your name is changed.")


def _store_password(account: Account, password_hash: str, address: str) -> None:
    begin_write()
    user = the_user(account.id)
    set_password(user, password_hash, now=utc_now())
    forget_failures(account.email, address, utc_now())
    identity = cookie_identity(user.id, user.session_epoch)
    db.session.commit()
    login_user(load_user(identity))


def _empty_change() -> ChangePasswordForm:
    return ChangePasswordForm(formdata=None)


def _profile(names: ProfileForm, passwords: ChangePasswordForm, status: int = 200) -> Response:
    frame = "layouts/portal.html" if current_user.role == "tenant" else "layouts/app.html"
    context = {"names": names, "passwords": passwords, "frame": frame}
    return render("identity/profile.html", status=status, **context)
