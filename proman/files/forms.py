"""What a manager sends: a file, and who else may see it."""

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField

from proman.web.forms import Form


class UploadForm(Form):
    """A document to be hung on a record."""

    file = FileField("File", [FileRequired("Choose a file.")])
    is_shown = BooleanField("Show it to the tenants in the portal")
