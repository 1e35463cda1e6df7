"""Owns what is typed about colleagues."""

from wtforms import BooleanField, EmailField, StringField
from wtforms.validators import DataRequired, Length

from proman.identity.forms import an_email
from proman.web.forms import ChoiceField, Form, lower, strip

ROLES = [
    ("viewer", "Viewer: reads everything, changes nothing"),
    ("manager", "Manager: does the daily work"),
    ("administrator", "Administrator: users and the organization's settings as well"),
]
OPERATOR = "Operator: backups, restore and the state of the whole installation"


class RoleForm(Form):
    """What a colleague may do."""

    role = ChoiceField("Role", choices=ROLES)
    is_operator = BooleanField(OPERATOR)


class InvitationForm(RoleForm):
    """A colleague to be."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)], [strip])
    email = EmailField("E-mail", an_email, [lower])


class NameForm(Form):
    """How a colleague is called."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)], [strip])
