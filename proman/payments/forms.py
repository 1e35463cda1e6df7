"""What a manager types of a payment, of its reversal, and of what it pays."""

from collections.abc import Mapping
from dataclasses import dataclass

from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from proman.payments.listing import METHOD_WORDS
from proman.web.forms import AmountField, ChoiceField, DayField, Form, as_choices, strip

OLDEST, BY_HAND = "oldest", "hand"
SPLIT_ROWS = 5
METHOD_CHOICES = tuple(METHOD_WORDS.items())


class PaymentForm(Form):
    """A receipt of money. The amounts for its documents are typed in fields of their own."""

    lease = StringField("Lease", [InputRequired("Say which lease."), Length(max=300)])
    received_on = DayField("Received on", [InputRequired("Say when it was received.")])
    amount = AmountField("Amount", [InputRequired("Write the amount.")])
    method = ChoiceField("Method", choices=METHOD_CHOICES, default="transfer")
    reference = StringField("Payer's reference", [Length(max=140)], filters=[strip])
    payer = StringField("Paid by", [Length(max=200)], filters=[strip])
    how = RadioField(
        "What it pays",
        choices=as_choices(((OLDEST, "The oldest due first"), (BY_HAND, "As I say"))),
        default=OLDEST,
    )
    confirmed = BooleanField("This is another payment: record it as well")


class ReversalForm(Form):
    """Why and when a payment is taken back."""

    on = DayField("Reversed on", [InputRequired("Say when.")])
    reason = TextAreaField(
        "Reason", [DataRequired("Say why the payment is reversed."), Length(max=500)]
    )


@dataclass
class SplitRow:
    """A further lease that a payment is split over, as typed."""

    place: int
    lease: str = ""
    amount: str = ""
    error: str = ""

    @classmethod
    def read(cls, data: Mapping[str, str]) -> "list[SplitRow]":
        """All rows of the form, also the empty ones."""
        return [
            cls(
                place,
                data.get(f"share_lease-{place}", "").strip(),
                data.get(f"share_amount-{place}", "").strip(),
            )
            for place in range(1, SPLIT_ROWS + 1)
        ]

    @property
    def is_typed(self) -> bool:
        """Whether anything stands in it."""
        return bool(self.lease or self.amount)
