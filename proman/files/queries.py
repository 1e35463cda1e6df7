"""Reads the documents of a record, and the records that may have some."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, func, select

from proman.base.errors import NotThere
from proman.db import db
from proman.expenses.models import Expense
from proman.files.models import Document
from proman.identity.models import User
from proman.leases.models import Lease
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

_documents: Table = Document.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class Subject:
    """A kind of record that documents hang on: its word, its page, and how one of them is named."""

    word: str
    page: str
    name: Select[str]

    @property
    def column(self) -> str:
        """Which column of a document says that it hangs on one of these."""
        return f"{self.word}_id"

    def page_of(self, subject_id: int) -> str:
        """The address of the record's own page."""
        return self.page.format(subject_id)


@dataclass(frozen=True)
class Owner:
    """One record that documents hang on."""

    subject: Subject
    id: int
    name: str

    @property
    def page(self) -> str:
        """The address of its own page."""
        return self.subject.page_of(self.id)

    @property
    def address(self) -> str:
        """The address of its documents."""
        return f"/files/of-{self.subject.word}/{self.id}"


def _named(word: str, page: str, model: Any, name: Any) -> Subject:
    return Subject(word, page, select(name).where(model.id == bindparam("id")))


SUBJECTS = {
    one.word: one
    for one in (
        _named("property", "/properties/{}", Property, Property.name),
        _named("unit", "/properties/units/{}", Unit, Unit.label),
        _named("tenant", "/tenants/{}", Tenant, Tenant.name),
        _named("lease", "/leases/{}", Lease, Lease.reference),
        _named("expense", "/expenses/{}", Expense, Expense.supplier),
    )
}
_OF = {
    word: select(
        _documents.c.id,
        _documents.c.name,
        _documents.c.media_type,
        _documents.c.size_bytes,
        _documents.c.is_shown,
        _documents.c.uploaded_at,
        _users.c.name.label("uploaded_by"),
    )
    .outerjoin(_users, _users.c.id == _documents.c.uploaded_by)
    .where(
        _documents.c.organization_id == bindparam("organization_id"),
        _documents.c[subject.column] == bindparam("subject_id"),
    )
    .order_by(_documents.c.id.desc())
    for word, subject in SUBJECTS.items()
}
IN_USE = select(_documents.c.sha256, _documents.c.size_bytes, func.min(_documents.c.name)).group_by(
    _documents.c.sha256, _documents.c.size_bytes
)
"""Every content that any document of the installation needs: its SHA-256, size and a name."""

DOCTORED = select(
    _documents.c.id, _documents.c.name, _documents.c.sha256, _documents.c.size_bytes
).order_by(_documents.c.id)
"""The same of every document, for the one who proves that all are there."""


def the_owner(subject: Subject, subject_id: int) -> Owner:
    """The record, of which documents are asked. Raises NotThere."""
    name: str | None = db.session.scalar(subject.name, {"id": subject_id})
    if name is None:
        raise NotThere(f"This {subject.word} does not exist.")
    return Owner(subject, subject_id, name)


def documents_of(owner: Owner) -> Sequence[Row[Any]]:
    """The documents of a record, the newest first."""
    rows: Sequence[Any] = db.session.execute(
        _OF[owner.subject.word], {"subject_id": owner.id}
    ).all()
    return rows


def the_document(document_id: int) -> Document:
    """The document. Raises NotThere."""
    found = db.session.scalars(select(Document).where(Document.id == document_id)).one_or_none()
    if found is None:
        raise NotThere("This document does not exist.")
    return found


def owner_of(document: Document) -> Owner:
    """The record that a document hangs on."""
    for subject in SUBJECTS.values():
        subject_id = getattr(document, subject.column)
        if subject_id is not None:
            return the_owner(subject, subject_id)
    raise NotThere("This document hangs on nothing.")


def count_of(owner: Owner) -> int:
    """How many documents a record has."""
    column = getattr(Document, owner.subject.column)
    statement = select(func.count(Document.id)).where(column == owner.id)
    return int(db.session.execute(statement).scalar_one())
