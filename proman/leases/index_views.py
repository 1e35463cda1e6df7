"""The pages of indexes: which there are, and the values that were published of each."""

from flask import Blueprint, Response

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.leases.index_actions import remove_value, save_series, save_value
from proman.leases.index_forms import SeriesForm, ValueForm, asked_page
from proman.leases.index_models import IndexSeries, IndexValue
from proman.leases.index_queries import all_series, is_used, the_series, the_value, values_of
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("indexes", __name__, url_prefix="/indexes")
HERE = "/leases/indexes"
SHOWN = 60
"""Values on a page: those of five years."""


@blueprint.get("/")
def index() -> Response:
    """Every index, with its newest value and how many leases go by it."""
    return render("leases/indexes.html", rows=all_series())


@blueprint.get("/new")
@needs("manager")
def new() -> Response:
    return render("leases/index_form.html", form=SeriesForm(formdata=None), series=None)


@blueprint.post("/")
def create() -> Response:
    """A new index, without values yet."""
    return _save(None)


@blueprint.get("/<int:series_id>/edit")
@needs("manager")
def edit(series_id: int) -> Response:
    series = the_series(series_id)
    return render(
        "leases/index_form.html", form=SeriesForm(formdata=None, obj=series), series=series
    )


@blueprint.post("/<int:series_id>")
def rename(series_id: int) -> Response:
    """Another name for an index."""
    return _save(series_id)


def _save(series_id: int | None) -> Response:
    form = SeriesForm()
    if form.validate():
        begin_write()
        series = IndexSeries() if series_id is None else the_series(series_id)
        try:
            made = save_series(series, form.name.data or "").id
        except Refused as error:
            db.session.rollback()
            form.refuse(error)
        else:
            db.session.commit()
            return see_other(f"{HERE}/{made}", f"{form.name.data} was saved.")
    now = None if series_id is None else the_series(series_id)
    return render("leases/index_form.html", form=form, series=now, status=422)


@blueprint.get("/<int:series_id>")
def show(series_id: int) -> Response:
    """The values of an index, and a form to add the next."""
    return _page(series_id, ValueForm(formdata=None, published_on=business_today()))


def _page(series_id: int, form: ValueForm, status: int = 200) -> Response:
    series = the_series(series_id)
    page = asked_page()
    rows, count = values_of(series_id, page, SHOWN)
    return render(
        "leases/index_values.html",
        "leases/_index_values.html",
        status=status,
        series=series,
        rows=rows,
        form=form,
        count=count,
        page=page,
        pages_count=max(1, -(-count // SHOWN)),
        may_write=current_actor().may("manager"),
    )


@blueprint.post("/<int:series_id>/values")
def add(series_id: int) -> Response:
    """Record what was published of a month."""
    form = ValueForm()
    if form.validate():
        begin_write()
        value = IndexValue(series_id=the_series(series_id).id)
        if _is_kept(form, value):
            return see_other(f"{HERE}/{series_id}", f"The value of {value.month:%B %Y} is kept.")
    return _page(series_id, form, 422)


def _is_kept(form: ValueForm, value: IndexValue) -> bool:
    """Commit what was typed, or leave the refusal in the form."""
    month, thousandths, day = form.month.data, form.value.data, form.published_on.data
    assert month is not None
    assert day is not None
    try:
        save_value(value, month, thousandths, day, today=business_today())
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return False
    db.session.commit()
    return True


@blueprint.get("/<int:series_id>/values/<int:value_id>")
@needs("manager")
def value(series_id: int, value_id: int) -> Response:
    """Correct what was typed wrong, while no rent was reckoned from it."""
    found = the_value(series_id, value_id)
    return _value_page(series_id, value_id, ValueForm(formdata=None, obj=found))


@blueprint.post("/<int:series_id>/values/<int:value_id>")
def correct(series_id: int, value_id: int) -> Response:
    form = ValueForm()
    if form.validate():
        begin_write()
        if _is_kept(form, the_value(series_id, value_id)):
            return see_other(f"{HERE}/{series_id}", "The value was corrected.")
    return _value_page(series_id, value_id, form, 422)


@blueprint.post("/<int:series_id>/values/<int:value_id>/removal")
def remove(series_id: int, value_id: int) -> Response:
    begin_write()
    try:
        remove_value(the_value(series_id, value_id))
    except Refused as error:
        db.session.rollback()
        return see_other(f"{HERE}/{series_id}", error.message, "bad")
    db.session.commit()
    return see_other(f"{HERE}/{series_id}", "The value was taken away.")


def _value_page(series_id: int, value_id: int, form: ValueForm, status: int = 200) -> Response:
    return render(
        "leases/index_value.html",
        form=form,
        series=the_series(series_id),
        value=the_value(series_id, value_id),
        is_used=is_used(value_id),
        status=status,
    )
