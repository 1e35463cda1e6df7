"""The page of the database: its state, its backups, their downloads."""

import contextlib
from functools import partial

from flask import Blueprint, Response, request, url_for
from werkzeug.wsgi import wrap_file

from proman.admin import background
from proman.admin.alarm_letters import watch_backups
from proman.admin.database_forms import PassphraseForm, UploadForm
from proman.database import (
    archive,
    backup,
    catalogue,
    documents,
    journal_events,
    outcomes,
    restore,
    restores,
    rules,
    status,
    verifying,
)
from proman.database import lock as locks
from proman.database.catalogue import Backup
from proman.database.installation import Installation, installation
from proman.db import db, utc_now
from proman.identity.session import current_actor
from proman.web.guard import needs
from proman.web.render import is_partial, render, see_other, tell

blueprint = Blueprint("database", __name__, url_prefix="/admin/database")
operator = needs("viewer", operator=True)
HOME = "/admin/database"


@blueprint.get("")
@operator
def index() -> Response:
    """State, backups, schedule and restore."""
    return show_index()


def show_index(form: UploadForm | None = None, code: int = 200) -> Response:
    """The page, perhaps with what was wrong about an upload."""
    site, now = installation(), utc_now()
    return render(
        "admin/database/index.html",
        "admin/database/_state.html" if form is None else None,
        status=code,
        state=status.status(site, now),
        holder=locks.holder(site.settings),
        reasons=rules.REASON_WORDS,
        engines=rules.ENGINE_WORDS,
        undoable=restore.undoable(site),
        restores=restores.every(site.data_dir)[:5],
        form=form or UploadForm(formdata=None),
        now=now,
        age=rules.age_in_words,
        plan=site.plan,
    )


@blueprint.get("/operation")
@operator
def operation() -> Response:
    """What is being done right now; asked again every second until it has ended."""
    site = installation()
    holder = locks.holder(site.settings)
    response = render(
        "admin/database/operation.html", "admin/database/_operation.html", holder=holder
    )
    if holder is None and is_partial():
        outcome = outcomes.latest(site.data_dir)
        fault = outcome.fault if outcome else None
        tell(response, fault or "Done.", tone="bad" if fault else "good", backups={})
    return response


@blueprint.post("/backups")
@operator
def back_up() -> Response:
    """Back up now; 409 with the holder's name when something else is under way."""
    site, actor = installation(), current_actor()
    stack = contextlib.ExitStack()
    held = stack.enter_context(locks.ops_lock(site.settings, "backup", actor.name))
    background.start(partial(_back_up, site, held, stack))
    return _after(HOME, "backup", "Backed up and verified.")


def _back_up(site: Installation, held: locks.Held, stack: contextlib.ExitStack) -> None:
    with stack:
        backup.back_up_holding(site, "manual", held)
    watch_backups()


@blueprint.get("/backups/<name>")
@operator
def download(name: str) -> Response:
    """The file, or with `.tar` all of it; a download that broke off can go on."""
    is_archive = name.endswith(".tar")
    one = catalogue.backup_named(installation().backup_dir, name.removesuffix(".tar"))
    pieces = archive.archive_of(one) if is_archive else archive.Pieces([one.path])
    ending = one.path.name.removeprefix(f"{one.name}.")
    response = _sent(one, pieces, "tar" if is_archive else ending)
    if request.method == "GET" and _begins(response):
        _note("download", one.name)
    return response


def _begins(response: Response) -> bool:
    """Whether it brings the beginning, rather than a part that follows or nothing."""
    is_part = response.status_code == 206
    return response.content_range.start == 0 if is_part else response.status_code == 200


def _sent(one: Backup, pieces: archive.Pieces, ending: str) -> Response:
    body = wrap_file(request.environ, pieces, 1 << 18)  # type: ignore[arg-type]
    response = Response(body, mimetype="application/octet-stream", direct_passthrough=True)
    response.headers["Content-Disposition"] = f"attachment; filename={one.name}.{ending}"
    response.cache_control.no_store = True
    response.content_length = pieces.size
    response.set_etag(f"{ending}-{pieces.etag}")
    return response.make_conditional(  # type: ignore[return-value]
        request.environ, accept_ranges=True, complete_length=pieces.size
    )


@blueprint.get("/backups/<name>/details")
@operator
def details(name: str) -> Response:
    """One backup: what it holds, how it was proven, what can be done with it."""
    return show_details(name)


def show_details(name: str, about_passphrase: str = "") -> Response:
    """The same, perhaps with what was wrong about a passphrase."""
    site, form = installation(), PassphraseForm(formdata=None)
    if about_passphrase:
        form.refuse_passphrase(about_passphrase)
    one = catalogue.backup_named(site.backup_dir, name)
    candidates = [each.as_candidate() for each in catalogue.backups_in(site.backup_dir)]
    return render(
        "admin/database/backup.html",
        status=422 if about_passphrase else 200,
        backup=one,
        form=form,
        lacking=documents.in_words(one.lacking),
        now=utc_now(),
        age=rules.age_in_words,
        reasons=rules.REASON_WORDS,
        engines=rules.ENGINE_WORDS,
        kept=rules.kept(candidates, site.plan.retention, utc_now()).get(one.path.name),
        undeletable=rules.may_delete(one.path.name, candidates),
    )


@blueprint.post("/backups/<name>/pin")
@operator
def pin(name: str) -> Response:
    """Keep a backup from retention, or (`pinned` = 0) give it back."""
    one = catalogue.backup_named(installation().backup_dir, name)
    pinned = request.form.get("pinned", "1") == "1"
    catalogue.pin(one, pinned)
    _note("pin" if pinned else "unpin", one.name)
    return see_other(_details(one), "Pinned." if pinned else "No longer pinned.")


@blueprint.post("/backups/<name>/verification")
@operator
def verify(name: str) -> Response:
    """Look into a backup again; one without a manifest gets one."""
    site, who = installation(), current_actor().name
    one = catalogue.backup_named(site.backup_dir, name)
    locks.require_free(site.settings)
    background.start(partial(verifying.verify_listed, site, one.name, who))
    return _after(_details(one), "verification", "It is a good backup.")


@blueprint.post("/backups/<name>/drill")
@operator
def drill(name: str) -> Response:
    """Prove a backup by restoring it into a scratch database."""
    site, who = installation(), current_actor().name
    one = catalogue.backup_named(site.backup_dir, name)
    locks.require_free(site.settings)
    background.start(partial(verifying.drill, site, one.path, who))
    return _after(_details(one), "drill", "It was restored into a scratch database and compared.")


@blueprint.post("/backups/<name>/deletion")
@operator
def delete(name: str) -> Response:
    """Remove a backup; never the newest verified nor a pinned one."""
    site = installation()
    with locks.ops_lock(site.settings, "deletion of a backup", current_actor().name):
        gone = catalogue.delete_by_hand(site.backup_dir, name)
    _note("deletion", gone.name)
    return see_other(HOME, f"{gone.name} is deleted.")


def _after(address: str, what: str, good: str) -> Response:
    """How it went when it is over already; else to where its progress shows."""
    site = installation()
    if locks.holder(site.settings) is not None:
        return see_other(HOME, "It has begun; this page follows it.", "info")
    outcome = outcomes.last(site.data_dir, what)
    fault = outcome.fault if outcome else None
    return see_other(address, fault or good, "bad" if fault else "good")


def _details(one: Backup) -> str:
    return url_for("database.details", name=one.path.name)


def _note(what: str, name: str) -> None:
    site, actor = installation(), current_actor()
    db.session.rollback()
    journal_events.note(site, what, name, actor.name, actor_id=actor.id)
