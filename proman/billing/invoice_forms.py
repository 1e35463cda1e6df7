"""What a manager types about an invoice, and of what settles it otherwise than by a payment."""

from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional

from proman.web.forms import AmountField, DayField, Form, strip


class CreditForm(Form):
    """Why an invoice is credited; the reason is printed on the credit note."""

    reason = StringField(
        "Reason",
        [InputRequired("Say why it is credited; the reason is printed."), Length(max=500)],
        filters=[strip],
    )


class ReversalForm(Form):
    """When and why a write-off, a refund or what became of a deposit is taken back."""

    on = DayField("On", [InputRequired("Say when.")])
    reason = StringField("Reason", [InputRequired("Say why."), Length(max=300)], filters=[strip])


class AdjustmentForm(Form):
    """What is written off or refunded: how much, when and why."""

    amount = AmountField("Amount", [InputRequired("Write the amount.")])
    on = DayField("On", [InputRequired("Say when.")])
    reason = StringField("Reason", [InputRequired("Say why."), Length(max=300)], filters=[strip])


class DepositOutcomeForm(Form):
    """What becomes of a deposit; the amounts withheld are typed in fields of their own."""

    on = DayField("On", [InputRequired("Say when.")])
    interest = AmountField("Interest to add first", [Optional()])
    returned = AmountField("Returned to the tenants", [Optional()])
    reason = StringField("Reason", [InputRequired("Say why."), Length(max=300)], filters=[strip])
