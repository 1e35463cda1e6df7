"""What a manager types of an expense and of its reversal."""

from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from proman.expenses.rules import CATEGORIES
from proman.web.forms import AmountField, ChoiceField, DayField, Form, strip

SHARED = ("", "Shared by all properties")


class ExpenseForm(Form):
    """Money that was spent; the view says which properties there are."""

    property_id = ChoiceField("Property", choices=(SHARED,))
    category = ChoiceField(
        "What it was for",
        [InputRequired("Choose what it was for.")],
        choices=(("", "Choose…"), *CATEGORIES.items()),
    )
    supplier = StringField(
        "Paid to", [DataRequired("Say who was paid."), Length(max=200)], filters=[strip]
    )
    amount = AmountField("Amount, tax included", [InputRequired("Write the amount.")])
    paid_on = DayField("Paid on", [InputRequired("Say when it was paid.")])
    reference = StringField("Number of the bill", [Length(max=140)], filters=[strip])
    description = StringField("Description", [Length(max=500)], filters=[strip])
    confirmed = BooleanField("This is another expense: record it as well")


class ReversalForm(Form):
    """Why and when an expense is taken back."""

    on = DayField("Reversed on", [InputRequired("Say when.")])
    reason = TextAreaField(
        "Reason", [DataRequired("Say why the expense is reversed."), Length(max=500)]
    )
