"""The page on which an administrator decides when tenants are reminded, and with which words."""

from flask import Blueprint, Response
from wtforms import BooleanField, FormField, IntegerField, StringField, TextAreaField
from wtforms import Form as Part
from wtforms.validators import Length, Optional

from proman.base.errors import Refused
from proman.billing.reminder_making import set_levels
from proman.billing.reminder_queries import levels
from proman.billing.reminding import PLACES, USUAL, Level
from proman.db import begin_write, db
from proman.web.forms import AmountField, Form, strip
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("reminder_levels", __name__, url_prefix="/admin/organization/reminders")
HERE = "/admin/organization/reminders"
LONGEST_TEXT = 4000


class LevelForm(Part):
    """One step of the reminders."""

    used = BooleanField("Make this reminder")
    days = IntegerField("Days overdue", [Optional()])
    pay_within = IntegerField("Days to pay", [Optional()])
    minimum = AmountField("Smallest sum overdue")
    title = StringField("Heading", [Length(max=100)], filters=[strip])
    text = TextAreaField("Text", [Length(max=LONGEST_TEXT)], filters=[strip])


class RemindersForm(Form):
    """The three steps; a step that is not used keeps nothing."""

    level_1 = FormField(LevelForm, "First reminder")
    level_2 = FormField(LevelForm, "Second reminder")
    level_3 = FormField(LevelForm, "Third reminder")

    def show(self, now: list[Level]) -> None:
        """Fill in what holds; the usual words where a step is not used."""
        used = {level.level: level for level in now}
        for usual in USUAL:
            part = self._fields[f"level_{usual.level}"].form
            level = used.get(usual.level, usual)
            part.used.data = usual.level in used
            for key in ("days", "pay_within", "title", "text"):
                part[key].data = getattr(level, key)
            part.minimum.data = level.minimum or None

    def levels(self) -> list[Level]:
        """The steps that are used, as typed. Raises Refused beside the field of its step."""
        found = []
        for usual in USUAL:
            name = f"level_{usual.level}"
            part = self._fields[name].form
            if not part.used.data:
                continue
            for key in ("days", "pay_within"):
                if part[key].data is None:
                    raise Refused("Enter a number of days.", f"{name}-{key}")
            try:
                found.append(
                    Level(
                        usual.level,
                        part.days.data,
                        part.pay_within.data,
                        part.title.data,
                        part.text.data.replace("\r\n", "\n"),
                        part.minimum.data or 0,
                    )
                )
            except Refused as error:
                raise Refused(error.message, f"{name}-{error.field}") from None
        return found

    def refuse(self, error: Refused) -> None:
        """Show a refusal beside the field of its step."""
        name, _, key = (error.field or "").partition("-")
        if not key:
            super().refuse(error)
            return
        field = self._fields[name].form[key]
        field.errors = [*field.errors, error.message]


@blueprint.get("")
@needs("administrator")
def show() -> Response:
    """What holds now."""
    form = RemindersForm(formdata=None)
    form.show(levels())
    return _page(form)


@blueprint.post("")
@needs("administrator")
def change() -> Response:
    """Remind by these steps from now on."""
    form = RemindersForm()
    if form.validate():
        begin_write()
        try:
            set_levels(form.levels())
        except Refused as error:
            form.refuse(error)
        else:
            db.session.commit()
            return see_other(HERE, "Reminders are made by these steps from now on.")
    db.session.rollback()
    return _page(form, 422)


def _page(form: RemindersForm, status: int = 200) -> Response:
    return render("admin/organization/reminders.html", status=status, form=form, places=PLACES)
