"""What people type on the pages of billing: the day of a run, the ending of a lease, a move."""

from datetime import date

from flask import request
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from proman.base.errors import Refused
from proman.billing.queries import refuse_far_day
from proman.web.forms import NOT_NEGATIVE, AmountField, DayField, Form, strip


class RunForm(Form):
    """The day as of which is billed."""

    as_of = DayField("As of", [InputRequired("Choose a day.")])


class EndingForm(Form):
    """The last day of a lease, and why it ended."""

    ended_on = DayField("Last day", [InputRequired("Choose the last day.")])
    reason = StringField("Reason", [Length(max=500)], filters=[strip])


class TransferForm(Form):
    """When tenants move to which unit, and what is agreed there."""

    moves_on = DayField("First day in the new unit", [InputRequired("From which day?")])
    unit_id = IntegerField(widget=HiddenInput(), validators=[InputRequired("Choose the unit.")])
    rent = AmountField("Rent there", [InputRequired("How much for one period?"), NOT_NEGATIVE])
    deposit = AmountField("Deposit agreed there", [Optional(), NOT_NEGATIVE])
    with_charges = BooleanField("Charges beside the rent go along", default=True)
    reason = StringField("Reason", [Length(max=500)], filters=[strip])


def asked_day(today: date) -> date:
    """The day of the address as of which is billed, or today where it names none.

    Raises Refused for what is no day, and for one too far ahead to look at.
    """
    if not request.args.get("as_of", "").strip():
        return today
    form = RunForm(formdata=request.args, meta={"csrf": False})
    if not form.validate() or form.as_of.data is None:
        raise Refused(" ".join(form.as_of.errors), "as_of")
    refuse_far_day(form.as_of.data, today)
    return form.as_of.data


def asked_page() -> int:
    """The page of the address, from 1."""
    text = request.args.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 7 else 1
