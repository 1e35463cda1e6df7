"""What a manager types of a tenant."""

from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Email, Length, Optional

from proman.web.editing import EditForm
from proman.web.forms import ChoiceField, lower, none_if_empty, strip

KINDS = (("person", "Person"), ("company", "Company"))


class TenantForm(EditForm):
    """A person or a company: how to name, reach and address them."""

    kind = ChoiceField("Kind", choices=KINDS, default="person")
    name = StringField(
        "Name", [DataRequired("Whom do you mean? Give a name."), Length(max=200)], filters=[strip]
    )
    email = StringField(
        "E-mail",
        [Optional(), Email("This is not an e-mail address."), Length(max=254)],
        filters=[lower, none_if_empty],
    )
    phone = StringField("Phone", [Length(max=50)], filters=[strip])
    street = StringField("Street and number", [Length(max=200)], filters=[strip])
    postal_code = StringField("Postal code", [Length(max=20)], filters=[strip])
    city = StringField("City", [Length(max=100)], filters=[strip])
    country = StringField(
        "Country", [Optional(), Length(2, 2, "Two letters, such as DE.")], filters=[strip]
    )
    tax_number = StringField("Tax number", [Length(max=50)], filters=[strip])
    notes = TextAreaField("Notes", [Length(max=5000)], filters=[strip])
