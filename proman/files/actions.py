"""Hangs a document on a record, takes it away, and shows it to the tenants."""

from datetime import datetime

from proman.base.errors import Refused
from proman.database.contents import Content
from proman.db import db
from proman.files.models import Document
from proman.files.queries import Owner, count_of
from proman.files.rules import MOST_OF_ONE
from proman.identity.actor import Actor


def attach(
    owner: Owner,
    content: Content,
    media_type: str,
    *,
    is_shown: bool = False,
    actor: Actor,
    now: datetime,
) -> Document:
    """A document on the record; its content is stored already, and nobody removes it meanwhile.

    Only those of a lease can be shown to its tenants. Raises Refused when the record has as many as
    it takes.
    """
    if count_of(owner) >= MOST_OF_ONE:
        raise Refused(
            f"This {owner.subject.word} has {MOST_OF_ONE} documents, the most that it takes. "
            "Remove what is not needed any more.",
            "file",
        )
    document = Document(
        name=content.name,
        media_type=media_type,
        size_bytes=content.size,
        sha256=content.sha256,
        is_shown=is_shown and owner.subject.word == "lease",
        uploaded_at=now,
        uploaded_by=actor.id,
    )
    setattr(document, owner.subject.column, owner.id)
    db.session.add(document)
    return document


def remove(document: Document) -> None:
    """Take a document off its record. The trail keeps what it was, and backups its content."""
    db.session.delete(document)


def show(document: Document, is_shown: bool) -> None:
    """Let the tenants of the lease see it, or hide it. Raises Refused for any but a lease's."""
    if document.lease_id is None:
        raise Refused("Only documents of a lease can be shown to its tenants.")
    document.is_shown = is_shown
