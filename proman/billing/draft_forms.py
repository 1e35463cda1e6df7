"""What a manager types of an invoice that is being prepared."""

from collections.abc import Collection
from typing import Any

from wtforms import BooleanField, FieldList, FormField, HiddenField, StringField
from wtforms import Form as PartForm
from wtforms.validators import DataRequired, InputRequired, Length

from proman.base.errors import Refused
from proman.leases import wording
from proman.leases.actions import NewCharge
from proman.leases.forms import MAX_ROWS, RateField
from proman.leases.rules import Recurrence
from proman.web.editing import EditForm
from proman.web.forms import NOT_NEGATIVE, AmountField, ChoiceField, DayField, strip


class DraftLinePart(PartForm):
    """One line: what for, how much, and its tax."""

    description = StringField(
        "What for", [DataRequired("Say what it is for."), Length(max=200)], filters=[strip]
    )
    kind = ChoiceField("Kind", choices=wording.CHARGE_KINDS, default="other")
    amount = AmountField("Amount", [InputRequired("How much?"), NOT_NEGATIVE])
    tax_rate = RateField()
    gross = BooleanField("The amount holds the tax")


class LineList(FieldList):
    """The lines of a draft."""

    def _value(self) -> str:
        """The lines in words: what they are now where two have changed them."""
        return ", ".join(
            f"{part.form.description.data} {part.form.amount._value()}" for part in self
        )


class DraftForm(EditForm):
    """An invoice of rows that grow as needed, for one lease."""

    lease_id = HiddenField()
    due_on = DayField("Due on", [InputRequired("When is it due?")])
    lines = LineList(FormField(DraftLinePart), "Line", max_entries=MAX_ROWS)

    def offer_rates(self, rates: list[tuple[int, str]], kept: Collection[int] = ()) -> None:
        """Let the tax fields choose from these rates, and those that the draft has already."""
        known = dict(rates)
        retired = [(one, f"{one / 1000:g} %") for one in sorted(kept) if one and one not in known]
        for part in self.lines:
            part.form.tax_rate.choices = [(0, "No tax"), *rates, *retired]

    def take_over(self, key: str, value: Any) -> None:
        """Lines are taken over together: they are one invoice."""
        if key != "lines":
            super().take_over(key, value)
            return
        while self.lines.entries:
            self.lines.pop_entry()
        for line in value:
            self.lines.append_entry(line)

    def charges(self) -> list[NewCharge]:
        """The rows as charges that are invoiced at once, once they are valid."""
        due_on = self.values()["due_on"]
        return [
            NewCharge(
                part.form.kind.data,
                part.form.description.data,
                part.form.amount.data,
                due_on,
                tax_rate=part.form.tax_rate.data,
                gross=part.form.gross.data,
                recurrence=Recurrence.AT_ONCE,
            )
            for part in self.lines
        ]

    def refuse(self, error: Refused) -> None:
        """Show a refusal beside its field, also in a row (`lines-0-amount`)."""
        row, _, rest = (error.field or "").partition("-")
        place, _, name = rest.partition("-")
        if row == "lines" and name and place.isdecimal():
            field = self.lines[int(place)].form[name]
            field.errors = [*field.errors, error.message]
            self.lines.errors = [*self.lines.errors, {name: [error.message]}]
            return
        super().refuse(error)
