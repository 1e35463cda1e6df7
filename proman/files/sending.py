"""Gives a browser a document so that nothing in it can do harm; a download can go on."""

from flask import Response, send_file

from proman.base.errors import Refused
from proman.database import contents
from proman.database.contents import Content
from proman.database.installation import installation
from proman.files.models import Document
from proman.files.rules import POLICY, SHOWN_IN_BROWSER


def sent(document: Document) -> Response:
    """The document's content. Raises Refused when it is not where it was stored."""
    folder = installation().files_dir
    content = Content(document.sha256, document.size_bytes, document.name)
    if not contents.is_there(folder, content):
        raise Refused(
            f"The content of {document.name} is not in the data directory any more. Tell whoever "
            "looks after this installation: the next backup puts it back if one before holds it."
        )
    response = send_file(
        contents.path_of(folder, document.sha256),
        mimetype=document.media_type,
        as_attachment=document.media_type not in SHOWN_IN_BROWSER,
        download_name=document.name,
        etag=document.sha256,
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
