"""Owns what is typed to sign in, to choose a password and to set ProMan up."""

from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, Email, Length

from proman.base.errors import Refused
from proman.identity.rules import LONGEST_PASSWORD, refuse_weak_password
from proman.web.forms import Form, lower, strip

an_email = (
    DataRequired("Enter an e-mail address."),
    Length(max=254),
    Email("This is not an e-mail address."),
)


class LoginForm(Form):
    """E-mail and password."""

    email = EmailField("E-mail", [DataRequired("Enter your e-mail."), Length(max=254)], [lower])
    password = PasswordField(
        "Password", [DataRequired("Enter your password."), Length(max=LONGEST_PASSWORD)]
    )
    next = HiddenField()


class ForgottenForm(Form):
    """The e-mail that a link is asked for."""

    email = EmailField("E-mail", an_email, [lower])


class NewPasswordForm(Form):
    """A password to be, judged by length and by what it is about."""

    password = PasswordField("New password", [DataRequired("Choose a password.")])

    def is_good_for(self, email: str, name: str) -> bool:
        """Whether the form is complete and the password will do for this person."""
        if not self.validate():
            return False
        try:
            refuse_weak_password(self.password.data or "", email=email, name=name)
        except Refused as error:
            self.refuse(error)
            return False
        return True


class ChangePasswordForm(NewPasswordForm):
    """The password as it is and as it shall be."""

    current = PasswordField(
        "Current password",
        [DataRequired("Enter the password you have now."), Length(max=LONGEST_PASSWORD)],
    )


class ProfileForm(Form):
    """How the person is called."""

    name = StringField("Your name", [DataRequired("Enter your name."), Length(max=200)], [strip])
