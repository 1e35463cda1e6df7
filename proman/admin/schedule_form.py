"""The form of the backups' schedule and retention: what may be typed, and the plan of it."""

from collections.abc import Sequence
from typing import Any, Self

from wtforms import StringField
from wtforms.validators import ValidationError

from proman.database.plan import DAY, INTERVALS, MOST, WEEK, Plan
from proman.database.rules import FLOOR, Retention
from proman.web.editing import EditForm
from proman.web.forms import ChoiceField

MAKERS = [("on", "ProMan, by itself"), ("off", "Cron or another tool")]
HOURS = [(str(hour), f"{hour:02d}:00 UTC") for hour in range(DAY)]
WORDS = {1: "Every hour", DAY: "Once a day", WEEK: "Once a week (not by ProMan)"}
RHYTHMS = [(str(each), WORDS.get(each, f"Every {each} hours")) for each in reversed(INTERVALS)]


class CountField(StringField):
    """How many backups to keep, from `least` to a thousand, both inclusive."""

    def __init__(self, label: str, least: int = 0, **kw: Any) -> None:
        super().__init__(label, [_is_count(least)], **kw)

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data: Any = (
            int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None
        )

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else str(self.data)


def _is_count(least: int) -> Any:
    def check(form: Any, field: CountField) -> None:
        if field.data is None:
            raise ValidationError("Write a whole number, such as 7.")
        if field.data < least:
            raise ValidationError(
                f"Write {least} or more: the last {least} verified backups always stay."
            )
        if field.data > MOST:
            raise ValidationError(f"Write {MOST:,} or less.")

    check.field_flags = {"required": True}  # type: ignore[attr-defined]
    return check


class ScheduleForm(EditForm):
    """When backups are made, and which stay."""

    maker = ChoiceField("Backups are made by", choices=MAKERS)
    every = ChoiceField("How often", choices=RHYTHMS)
    hour = ChoiceField("One of them at", choices=HOURS)
    last = CountField("The last", least=FLOOR)
    daily = CountField("Daily")
    weekly = CountField("Weekly")
    monthly = CountField("Monthly")

    def validate_every(self, field: ChoiceField) -> None:
        if self.maker.data == "on" and field.data == str(WEEK):
            raise ValidationError(
                "ProMan makes at least one a day. Choose that, or leave them to another tool."
            )

    @classmethod
    def showing(cls, plan: Plan) -> Self:
        """The form with the plan in it, as it stands."""
        kept = plan.retention
        form = cls(
            formdata=None,
            maker="on" if plan.on else "off",
            every=str(plan.every),
            hour=str(plan.hour),
            last=max(kept.last, FLOOR),
            daily=kept.daily,
            weekly=kept.weekly,
            monthly=kept.monthly,
        )
        return form.noted()

    def plan(self) -> Plan:
        """What was typed, once it is valid."""
        typed = self.values()
        kept = Retention(typed["last"], typed["daily"], typed["weekly"], typed["monthly"])
        return Plan(typed["maker"] == "on", int(typed["hour"]), int(typed["every"]), kept)
