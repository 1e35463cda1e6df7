"""What a manager types of indexes, their values and index clauses."""

from datetime import date
from typing import Any

from flask import request
from wtforms import BooleanField, StringField
from wtforms import MonthField as BrowsersMonthField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from proman.base.errors import Refused
from proman.leases.forms import WholeField
from proman.leases.index_actions import Agreed
from proman.leases.index_wording import TAKES_EFFECT
from proman.web.editing import EditForm
from proman.web.forms import ChoiceField, DayField, Form, ScaledField, strip

GREATEST_VALUE = 1_000_000_000
"""In thousandths."""


class MonthField(BrowsersMonthField):
    """A month by the browser's own picker (ISO in the request); `data` is its first day."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data: date | None = None
        if not text:
            return
        try:
            self.data = date.fromisoformat(f"{text}-01")
        except ValueError as error:
            raise ValueError("Write a month as year-month, such as 2026-03.") from error
        if not 1900 <= self.data.year <= 2200:
            raise ValueError("Write a year from 1900 to 2200.")


class SeriesForm(Form):
    """The name of an index."""

    name = StringField(
        "Name", [DataRequired("What is the index called?"), Length(max=120)], filters=[strip]
    )


class ValueForm(Form):
    """A value as it was published."""

    month = MonthField("Month", [InputRequired("Of which month?")])
    value = ScaledField(
        "Value",
        [
            InputRequired("Which value?"),
            NumberRange(1, GREATEST_VALUE, "Write a value above nil, up to 1,000,000."),
        ],
        places=3,
        thousands=True,
    )
    published_on = DayField("Published on", [InputRequired("On which day?")])


class ClauseForm(EditForm):
    """What a lease agrees on of its indexation."""

    series_id = ChoiceField("Index", coerce=int)
    base_month = MonthField("Base month", [InputRequired("From which month's index?")])
    takes_effect = ChoiceField("A new rent begins", choices=TAKES_EFFECT)
    notice_months = WholeField(
        "Whole months of notice",
        [InputRequired("How many?"), NumberRange(0, 24, "From 0 to 24 months.")],
        default=1,
    )
    hold_months = WholeField(
        "A rent holds for",
        [InputRequired("How long?"), NumberRange(0, 120, "From 0 to 120 months.")],
        default=12,
    )
    threshold = ScaledField(
        "Smallest change",
        [Optional(), NumberRange(0, 100_000, "From 0 to 100 per cent.")],
        places=3,
    )
    up_only = BooleanField("Upwards only")
    same_month = BooleanField("Only the base's own month of each year")
    unchanged_since = DayField("Rent last changed on", [Optional()])

    def agreed(self) -> Agreed:
        """What was typed, once it is valid."""
        values = self.values()
        return Agreed(**values | {"threshold": values["threshold"] or 0})


class NoticeForm(Form):
    """The day of a notice, as an address names it."""

    notice = DayField("Notice given on", [Optional()])


def asked_page() -> int:
    """The page of the address, from 1."""
    text = request.args.get("page", "")
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def asked_notice(today: date, typed: Any = None) -> date:
    """The day on which the notices are given, or today where none is named. Raises Refused."""
    form = NoticeForm(formdata=request.args if typed is None else typed, meta={"csrf": False})
    if form.notice.process_errors:
        raise Refused(" ".join(form.notice.process_errors), "notice")
    return form.notice.data or today
