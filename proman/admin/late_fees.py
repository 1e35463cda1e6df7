"""The page on which it is decided how late invoices are charged, from today on."""

from flask import Blueprint, Response
from wtforms import BooleanField, IntegerField
from wtforms.validators import NumberRange, Optional

from proman.base.errors import Refused
from proman.billing.late import LONGEST_GRACE, LatePolicy
from proman.billing.late_charging import decide
from proman.billing.late_queries import decisions
from proman.billing.models import LateFeePolicy
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor
from proman.web.forms import AmountField, ChoiceField, Form, ScaledField
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("late_fees", __name__, url_prefix="/admin/organization/late-fees")
HERE = "/admin/organization/late-fees"
KINDS = [("off", "Nothing"), ("flat", "A flat amount"), ("percent", "Per cent of what is open")]


class LateFeesForm(Form):
    """What a late invoice bears, and from when."""

    kind = ChoiceField("A late invoice is charged", choices=KINDS)
    grace_days = IntegerField(
        "Days of grace", [Optional(), NumberRange(0, LONGEST_GRACE, f"0 to {LONGEST_GRACE} days.")]
    )
    flat = AmountField("Flat amount")
    rate = ScaledField("Per cent", places=3)
    minimum = AmountField("Smallest open balance that is charged")
    cap = AmountField("At most, for each invoice")
    daily = BooleanField("Again for each day that it stays open")

    @classmethod
    def showing(cls, now: LateFeePolicy | None) -> "LateFeesForm":
        """The form with what holds now; 3 days where nobody has decided anything."""
        if now is None:
            return cls(formdata=None, kind="off", grace_days=3)
        form = cls(formdata=None, obj=now)
        for name in ("flat", "rate", "minimum", "cap"):
            # Nil is none, and an empty field says so.
            form[name].data = form[name].data or None
        return form

    def policy(self) -> LatePolicy | None:
        """What was typed. Raises Refused beside the field."""
        kind = self.kind.data
        if kind == "off":
            return None
        chosen = "flat" if kind == "flat" else "rate"
        if self.grace_days.data is None:
            raise Refused("Enter a number; 0 is none.", "grace_days")
        amounts = {"flat": 0, "rate": 0} | {chosen: self[chosen].data or 0}
        try:
            return LatePolicy(
                self.grace_days.data,
                **amounts,
                minimum=self.minimum.data or 0,
                cap=self.cap.data or 0,
                daily=bool(self.daily.data),
            )
        except Refused as error:
            field = chosen if error.field == "amount" else error.field
            raise Refused(str(error), field) from None


@blueprint.get("")
@needs("administrator")
def show() -> Response:
    """What holds now, and every decision so far."""
    return _page()


@blueprint.post("")
@needs("administrator")
def change() -> Response:
    """Decide anew; what was due before today keeps what held then."""
    form = LateFeesForm()
    if form.validate():
        begin_write()
        try:
            decide(form.policy(), today=business_today(), actor=current_actor())
        except Refused as error:
            form.refuse(error)
        else:
            db.session.commit()
            return see_other(HERE, "It holds for invoices due from today on.")
    db.session.rollback()
    return _page(form, 422)


def _page(form: LateFeesForm | None = None, status: int = 200) -> Response:
    decided = decisions()
    form = form or LateFeesForm.showing(decided[0] if decided else None)
    return render(
        "admin/organization/late_fees.html", status=status, form=form, decisions=decided[:50]
    )
