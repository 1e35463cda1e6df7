"""The pages of taking over: upload, columns, questions, dry run, import, undo; and the export."""

from flask import Blueprint, Response, make_response, request, stream_with_context

from proman.base.errors import Refused
from proman.database.statistics import refresh_statistics
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor, current_organization
from proman.takeover import drafting
from proman.takeover.actions import File, dry_run, import_file
from proman.takeover.export import zip_chunks
from proman.takeover.forms import ReadingForm, UploadForm, answers_of, columns_of, questions_form
from proman.takeover.headings import LABELS
from proman.takeover.mapfile import write_map
from proman.takeover.previewing import previews
from proman.takeover.queries import drafts, imports, setting_of_today, the_import
from proman.takeover.questions import open_questions
from proman.takeover.template import template
from proman.takeover.undo import undo_import, what_rests_on
from proman.web.dispatch import may_be_behind
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("takeover", __name__, url_prefix="/takeover")


def _index(form: UploadForm, status: int = 200) -> Response:
    context = {"form": form, "drafts": drafts(), "imports": imports()}
    return render("takeover/index.html", status=status, **context)


@blueprint.get("/")
@needs("manager")
def index() -> Response:
    return _index(UploadForm(formdata=None))


@blueprint.post("/drafts")
@needs("manager")
def upload() -> Response:
    form = UploadForm()
    if not form.validate():
        return _index(form, 422)
    try:
        sent = File(form.file.data.filename or "rent roll", form.file.data.read())
        draft_id = drafting.start(sent, actor=current_actor())
    except Refused as refusal:
        form.refuse(Refused(refusal.message, "file"))
        return _index(form, 422)
    db.session.commit()
    return see_other(f"/takeover/drafts/{draft_id}")


@blueprint.get("/drafts/<int:draft_id>")
@needs("manager")
def columns(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    form = ReadingForm(formdata=None, data=job.reading()).for_kind(job.sheet.kind)
    return _columns(job, form)


def _columns(job: drafting.Job, form: ReadingForm, status: int = 200) -> Response:
    shown = previews(job.sheet, job.mapping, setting_of_today())
    context = {"job": job, "form": form, "columns": shown, "targets": LABELS}
    return render("takeover/columns.html", status=status, **context)


@blueprint.post("/drafts/<int:draft_id>")
@needs("manager")
def confirm_columns(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    job = job.with_columns(columns_of(request.form, job.sheet))
    drafting.save(job)
    db.session.commit()
    stays = request.form.get("then") == "look"
    return see_other(f"/takeover/drafts/{draft_id}{'' if stays else '/questions'}")


@blueprint.post("/drafts/<int:draft_id>/reading")
@needs("manager")
def read_differently(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    form = ReadingForm().for_kind(job.sheet.kind)
    if not form.validate():
        return _columns(job, form, 422)
    try:
        drafting.save(drafting.reread_differently(job, form.told()))
    except Refused as refusal:
        form.refuse(refusal)
        return _columns(job, form, 422)
    db.session.commit()
    return see_other(f"/takeover/drafts/{draft_id}", "The file was read anew.")


@blueprint.get("/drafts/<int:draft_id>/questions")
@needs("manager")
def questions(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    asked = open_questions(job.sheet, job.mapping, setting_of_today())
    if not asked:
        return see_other(f"/takeover/drafts/{draft_id}/preview")
    form = questions_form(asked)
    return render("takeover/questions.html", job=job, form=form)


@blueprint.post("/drafts/<int:draft_id>/questions")
@needs("manager")
def answer(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    asked = open_questions(job.sheet, job.mapping, setting_of_today())
    form = questions_form(asked)
    try:
        if not form.validate():
            return render("takeover/questions.html", job=job, form=form, status=422)
        drafting.save(job.answered(answers_of(form, asked, job.mapping)))
    except Refused:
        return render("takeover/questions.html", job=job, form=form, status=422)
    db.session.commit()
    return see_other(f"/takeover/drafts/{draft_id}/questions")


@blueprint.get("/drafts/<int:draft_id>/preview")
@needs("manager")
def preview(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    return render("takeover/preview.html", job=job, outcome=dry_run(job.sheet, job.mapping))


@blueprint.post("/drafts/<int:draft_id>/answers/removal")
@needs("manager")
def answer_anew(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    drafting.save(drafting.without_answers(job))
    db.session.commit()
    return see_other(f"/takeover/drafts/{draft_id}/questions")


@blueprint.post("/drafts/<int:draft_id>/import")
@needs("manager")
def run(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    if request.args.get("state") != job.state:
        outdated = "That page was out of date, and nothing was imported. This is what is there now."
        return see_other(f"/takeover/drafts/{draft_id}/preview", outdated, "bad")
    try:
        made = import_file(
            job.file, job.sheet, job.mapping, actor=current_actor(), draft_id=draft_id
        )
    except Refused:
        db.session.rollback()
        return see_other(f"/takeover/drafts/{draft_id}/preview", "Nothing was imported.", "bad")
    address = f"/takeover/imports/{made.id}"
    db.session.commit()
    refresh_statistics(db.engine)
    return see_other(address, f"{job.file.name} was imported.")


@blueprint.post("/drafts/<int:draft_id>/removal")
@needs("manager")
def give_up(draft_id: int) -> Response:
    name = drafting.give_up(draft_id)
    db.session.commit()
    return see_other("/takeover/", f"{name} was not imported; the upload is gone.")


@blueprint.get("/drafts/<int:draft_id>/map.toml")
@needs("manager")
def map_file(draft_id: int) -> Response:
    job = drafting.opened(draft_id)
    asked = open_questions(job.sheet, job.mapping, setting_of_today())
    return _download(write_map(job.mapping, asked), f"{job.file.name}.map.toml", "text/plain")


@blueprint.get("/imports/<int:import_id>")
@needs("manager")
def show(import_id: int) -> Response:
    made = the_import(import_id)
    resting = [] if made.undone_at else what_rests_on(import_id)
    return render("takeover/show.html", made=made, resting=resting)


@blueprint.post("/imports/<int:import_id>/undo")
@needs("manager")
def undo(import_id: int) -> Response:
    begin_write()
    made = the_import(import_id)
    name = made.file_name
    undo_import(made, actor=current_actor())
    db.session.commit()
    return see_other("/takeover/", f"The import of {name} was undone; all it had made is gone.")


@blueprint.get("/template.csv")
@needs("manager")
def template_file() -> Response:
    return _download(template(), "proman-template.csv", "text/csv")


@blueprint.get("/export.zip")
@needs("manager")
@may_be_behind
def export() -> Response:
    body = stream_with_context(zip_chunks(current_organization().id))
    response = Response(body, content_type="application/zip")
    name = f"proman-{business_today().isoformat()}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _download(text: str, name: str, kind: str) -> Response:
    response = make_response(text)
    response.headers["Content-Type"] = f"{kind}; charset=utf-8"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
