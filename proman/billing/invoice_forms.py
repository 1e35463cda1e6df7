"""What a manager types about an invoice."""

from wtforms import StringField
from wtforms.validators import InputRequired, Length

from proman.web.forms import Form, strip


class CreditForm(Form):
    """Why an invoice is credited; the reason is printed on the credit note."""

    reason = StringField(
        "Reason",
        [InputRequired("Say why it is credited; the reason is printed."), Length(max=500)],
        filters=[strip],
    )
