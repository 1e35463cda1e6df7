"""The pages of a restore: what was found, the word that it takes, its progress, its undo."""

import hmac
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_login import current_user

from proman.admin import background
from proman.admin.database_forms import ConfirmationForm, UploadForm
from proman.admin.database_views import HOME, operator, show_details, show_index
from proman.base.errors import Refused
from proman.database import lock as locks
from proman.database import restore, restores, sources
from proman.database.findings import counted_anew
from proman.database.installation import Installation, installation
from proman.database.restores import Restore
from proman.database.rules import age_in_words
from proman.database.sealing import Locked
from proman.db import begin_write, db, utc_now
from proman.identity import audit
from proman.identity.session import current_actor
from proman.identity.signing_in import TooManyTries, check_password, forget_failures
from proman.web.guard import public
from proman.web.render import is_partial, render, see_other

blueprint = Blueprint("restores", __name__, url_prefix="/admin/database/restores")
FOLLOW = "proman_restore"


@blueprint.post("")
@operator
def ask() -> Response:
    """Look into an upload (`file`) or a listed backup (`name`); goes on to what was found."""
    site = installation()
    passphrase = request.form.get("passphrase") or None
    try:
        one = _asked(site)
        _require_opened(site, one, passphrase)
    except Locked as locked:
        name = request.form.get("name")
        return show_details(name, locked.message) if name else _refused_upload("", locked.message)
    except Refused as refusal:
        return _refused_upload(refusal.message)
    background.start(partial(restore.judge_and_stage, site, one.id, passphrase=passphrase))
    return see_other(url_for("restores.show", restore_id=one.id))


def _require_opened(site: Installation, one: Restore, passphrase: str | None) -> None:
    """Raises Locked, and leaves nothing behind, when the passphrase is not the file's."""
    try:
        sources.require_opened(site, one, passphrase)
    except Refused:
        restores.forget(site.data_dir, one.id)
        raise


def _asked(site: Installation) -> Restore:
    actor, name, upload = current_actor(), request.form.get("name"), request.files.get("file")
    if name:
        return sources.from_list(site, name, actor.name, actor.id)
    if upload is None or not upload.filename:
        raise Refused("Choose a file first.")
    return sources.from_upload(site, upload.stream, upload.filename, actor.name, actor.id)


def _refused_upload(message: str, about_passphrase: str = "") -> Response:
    form = UploadForm(formdata=None)
    form.form_errors.append(message or about_passphrase)
    if about_passphrase:
        form.refuse_passphrase(f"{about_passphrase} Choose the file again.")
    else:
        form.file.errors = [message]
    return show_index(form, 422)


@blueprint.get("/<restore_id>")
@operator
def show(restore_id: str) -> Response:
    """What was found in the file and what would happen; 422 when it cannot be restored."""
    return _page(restore.load_settled(installation(), restore_id))


def _page(one: Restore, form: ConfirmationForm | None = None, code: int = 200) -> Response:
    if one.stage == "refused":
        code = 422
    findings = one.findings
    if one.stage == "ready" and findings is not None:
        findings = counted_anew(installation(), findings)
    return render(
        "admin/database/restore.html",
        "admin/database/_restore.html" if form is None else None,
        status=code,
        restore=one,
        findings=findings,
        form=form or ConfirmationForm(formdata=None),
        age=age_in_words,
        now=utc_now(),
    )


@blueprint.post("/<restore_id>/confirmation")
@operator
def confirm(restore_id: str) -> Response:
    """With the password and the typed word: replace the database."""
    site, form = installation(), ConfirmationForm()
    one = restores.load(site.data_dir, restore_id)
    if not form.validate() or not _is_password(form):
        return _page(one, form, 422)
    locks.require_free(site.settings)
    actor = current_actor()
    restores.confirm(site.data_dir, one.id, actor.name, actor.id)
    _record("confirmed a restore")
    _begin(partial(restore.carry_out, site, one.id, db.engine.dispose))
    return _follow(one)


def _is_password(form: ConfirmationForm) -> bool:
    email, address = current_user.email, request.remote_addr or ""
    try:
        check_password(email, form.password.data or "", address, utc_now())
    except TooManyTries as refusal:
        form.refuse_password(refusal.message)
        return False
    except Refused:
        form.refuse_password("This is not your password.")
        return False
    begin_write()
    forget_failures(email, address, utc_now())
    db.session.commit()
    return True


def _record(action: str, source: str = "") -> None:
    begin_write()
    audit.record(action, "database", None, source)
    db.session.commit()


@blueprint.post("/<restore_id>/dismissal")
@operator
def dismiss(restore_id: str) -> Response:
    """Forget a restore that was not carried out."""
    restores.dismiss(installation().data_dir, restore_id)
    return see_other(HOME, "Nothing was changed.")


@blueprint.post("/<restore_id>/undo")
@operator
def undo(restore_id: str) -> Response:
    """Put back what was there before this restore: the safety backup that it made."""
    site, actor = installation(), current_actor()
    last = restore.undoable(site)
    if last is None or last.id != restore_id or last.safety is None:
        raise Refused(restore.NOT_UNDOABLE)
    locks.require_free(site.settings)
    one = sources.from_list(site, last.safety, actor.name, actor.id, True, last.id)
    try:
        _require_opened(site, one, None)
    except Locked as locked:
        return show_details(last.safety, locked.message)
    _record("undid a restore", last.source)
    _begin(partial(_undo, site, one.id))
    return _follow(one)


def _undo(site: Installation, restore_id: str) -> None:
    if restore.judge_and_stage(site, restore_id).stage == "ready":
        restores.confirm(site.data_dir, restore_id)
        restore.carry_out(site, restore_id, db.engine.dispose)


def _begin(work: Callable[[], object]) -> None:
    # This request is work that maintenance waits for, so it must not wait for the thread.
    db.session.remove()
    background.start(work, wait=0.0)


def _follow(one: Restore) -> Response:
    address = url_for("restores.progress", restore_id=one.id)
    response = see_other(address)
    response.set_cookie(
        FOLLOW, one.key, path=address, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response


@blueprint.get("/<restore_id>/progress")
@public
def progress(restore_id: str) -> Response:
    """How far it is, for the browser that asked: its login may not count any more by then.

    Reads nothing of the database.
    """
    one = restore.load_settled(installation(), restore_id)
    if not hmac.compare_digest(request.cookies.get(FOLLOW, "").encode(), one.key.encode()):
        return make_response(redirect("/login", 303))
    page = "_progress.html" if is_partial() else "progress.html"
    response = make_response(render_template(f"admin/database/{page}", restore=one))
    response.vary.add("HX-Request")
    return response
