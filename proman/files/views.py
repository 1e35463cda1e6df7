"""The card of documents on the pages of properties, units, tenants, leases and expenses."""

from typing import Any

from flask import Blueprint, Response, request
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from proman.base.errors import Refused
from proman.database import contents
from proman.database.contents import Content
from proman.database.installation import installation
from proman.db import begin_write, db, utc_now
from proman.files import actions
from proman.files.forms import UploadForm
from proman.files.queries import (
    SUBJECTS,
    Owner,
    Subject,
    documents_of,
    owner_of,
    the_document,
    the_owner,
)
from proman.files.rules import HEAD, LARGEST, clean_name, in_words, media_type_of
from proman.files.sending import sent
from proman.identity.session import current_actor
from proman.web.render import is_partial, render, see_other, tell

blueprint = Blueprint("files", __name__, url_prefix="/files")


def _serve(subject: Subject) -> None:
    """The two addresses of a kind of record: its documents as a region, and hanging up one more."""
    rule = f"/of-{subject.word}/<int:{subject.column}>"

    @blueprint.get(rule, endpoint=f"of_{subject.word}")
    def index(**ids: int) -> Response:
        return _region(the_owner(subject, ids[subject.column]))

    @blueprint.post(rule, endpoint=f"add_to_{subject.word}")
    def create(**ids: int) -> Response:
        return _create(the_owner(subject, ids[subject.column]))


for _subject in SUBJECTS.values():
    _serve(_subject)


def _create(owner: Owner) -> Response:
    form = UploadForm()
    if not form.validate():
        return _region(owner, form, 422)
    folder = installation().files_dir
    try:
        with contents.in_use(folder):
            kept, media_type = _stored(form.file.data)
            begin_write()
            owner = the_owner(owner.subject, owner.id)
            shown = bool(form.is_shown.data)
            actor, now = current_actor(), utc_now()
            actions.attach(owner, kept, media_type, is_shown=shown, actor=actor, now=now)
            db.session.commit()
    except Refused as refusal:
        db.session.rollback()
        form.refuse(Refused(refusal.message, "file"))
        return _region(owner, form, 422)
    return _after(owner, f"{kept.name} was added.")


def _stored(upload: FileStorage) -> tuple[Content, str]:
    """What was uploaded, stored before the write begins, and what it is."""
    head = upload.stream.read(HEAD)
    upload.stream.seek(0)
    name = clean_name(upload.filename or "")
    kept = contents.keep(installation().files_dir, upload.stream, LARGEST, name)
    return kept, media_type_of(head)


@blueprint.get("/<int:document_id>")
def download(document_id: int) -> Response:
    """The document itself; a download that broke off can go on."""
    return sent(the_document(document_id))


@blueprint.post("/<int:document_id>/removal")
def remove(document_id: int) -> Response:
    """Take a document off its record."""
    begin_write()
    document = the_document(document_id)
    owner, name = owner_of(document), document.name
    actions.remove(document)
    db.session.commit()
    return _after(owner, f"{name} was removed.")


@blueprint.post("/<int:document_id>/showing")
def show(document_id: int) -> Response:
    """Let the tenants of the lease see a document (`shown` is 1), or hide it."""
    begin_write()
    document = the_document(document_id)
    is_shown = request.form.get("shown") == "1"
    actions.show(document, is_shown)
    owner, name = owner_of(document), document.name
    db.session.commit()
    return _after(owner, f"The tenants {'see' if is_shown else 'no longer see'} {name}.")


def _after(owner: Owner, message: str) -> Response:
    """The card as it is now; without htmx the record's page."""
    if is_partial():
        return tell(_region(owner), message)
    return see_other(owner.page, message)


def _region(owner: Owner, form: UploadForm | None = None, status: int = 200) -> Response:
    context: dict[str, Any] = {
        "owner": owner,
        "rows": documents_of(owner),
        "form": form or UploadForm(formdata=None),
        "in_words": in_words,
        "largest": LARGEST,
        "may_write": current_user.actor.may("manager"),
    }
    return render("files/documents.html", "files/_documents.html", status=status, **context)
