"""Forms of the database page: which backup to restore, and the word that it takes."""

from typing import Any

from flask_wtf.file import FileField
from wtforms import PasswordField, StringField
from wtforms.validators import AnyOf, InputRequired

from proman.web.forms import Form, strip

WORD = "RESTORE"


class PassphraseForm(Form):
    """The passphrase of an encrypted backup, where it is not the installation's own."""

    passphrase = PasswordField("Passphrase", render_kw={"autocomplete": "off"})

    def refuse_passphrase(self, message: str) -> None:
        """Shows beside the passphrase why it did not do."""
        errors: Any = [message]
        self.passphrase.errors = errors


class UploadForm(PassphraseForm):
    """A backup file from outside."""

    file = FileField("Backup file", render_kw={"accept": ".sqlite,.tar,.db,.age"})


class ConfirmationForm(Form):
    """The password of the one who asks, and the typed word."""

    password = PasswordField(
        "Your password",
        [InputRequired("Type your password.")],
        render_kw={"autocomplete": "current-password"},
    )
    word = StringField(
        f"Type {WORD}",
        [
            InputRequired(f"Type the word {WORD}."),
            AnyOf([WORD], message=f"Type the word {WORD} in capital letters."),
        ],
        filters=[strip],
        render_kw={"autocomplete": "off", "autocapitalize": "characters"},
    )

    def refuse_password(self, message: str) -> None:
        """Shows beside the password why it did not do."""
        errors: Any = [message]
        self.password.errors = errors
