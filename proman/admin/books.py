"""The page on which the books are locked up to a day, and opened again with a reason."""

from flask import Blueprint, Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.session import current_actor, current_organization
from proman.ledger import locking
from proman.web.forms import DayField, Form, strip
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("books", __name__, url_prefix="/admin/organization/books")
HERE = "/admin/organization/books"


class LockForm(Form):
    """Up to which day nothing can be dated any more."""

    through = DayField("Locked up to", [InputRequired("Say up to which day.")])
    reason = StringField("Reason", [Length(max=500)], [strip])


class OpenForm(Form):
    """Why all books are opened again."""

    reason = StringField(
        "Reason", [InputRequired("Say why the books are opened again."), Length(max=500)], [strip]
    )


@blueprint.get("")
@needs("administrator")
def show() -> Response:
    """Up to which day the books are locked, and every decision so far."""
    return _page()


@blueprint.post("")
@needs("administrator")
def lock() -> Response:
    """Lock them up to a day, or open the days after an earlier one."""
    form = LockForm()
    through = form.through.data
    if form.validate() and through is not None:
        begin_write()
        today = current_organization().today()
        try:
            locking.lock_books(through, form.reason.data or "", today=today, actor=current_actor())
        except Refused as error:
            form.refuse(error)
        else:
            db.session.commit()
            return see_other(HERE, "The books are locked up to that day.")
    db.session.rollback()
    return _page(lock_form=form, status=422)


@blueprint.post("/opening")
@needs("administrator")
def reopen() -> Response:
    """Open all of them."""
    form = OpenForm(prefix="opening")
    if form.validate():
        begin_write()
        try:
            locking.open_books(form.reason.data or "", actor=current_actor())
        except Refused as error:
            form.refuse(error)
        else:
            db.session.commit()
            return see_other(HERE, "All books are open again.")
    db.session.rollback()
    return _page(open_form=form, status=422)


def _page(
    lock_form: LockForm | None = None, open_form: OpenForm | None = None, status: int = 200
) -> Response:
    return render(
        "admin/organization/books.html",
        status=status,
        through=locking.locked_through(),
        decisions=locking.decisions(),
        lock_form=lock_form or LockForm(formdata=None),
        open_form=open_form or OpenForm(formdata=None, prefix="opening"),
    )
