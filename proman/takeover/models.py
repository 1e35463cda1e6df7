"""Owns what is remembered of imports: uploads under way, confirmed mappings, what each one made."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from proman.db import Base, JsonText, LongText, Scoped, foreign_key, id_column, moment


class ImportDraft(Scoped, Base):
    """A file that was uploaded and is being mapped; gone once it is imported or given up."""

    __tablename__ = "import_drafts"
    __audited__: ClassVar[bool] = False
    __table_args__ = (Index("ix_import_drafts_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = id_column()
    file_name: Mapped[str] = mapped_column(String(200), nullable=False)
    content: Mapped[bytes] = mapped_column(LargeBinary(16_777_215), nullable=False)
    mapping: Mapped[str] = mapped_column(LongText, nullable=False, default="")
    """What was answered so far, as the TOML of `FILE.map.toml`."""
    uploaded_at: Mapped[datetime] = moment(nullable=False)
    uploaded_by: Mapped[int | None] = foreign_key("users.id")


class ImportMapping(Scoped, Base):
    """The mapping confirmed for files with these headers, proposed again the next time."""

    __tablename__ = "import_mappings"
    __audited__: ClassVar[bool] = False
    __table_args__ = (UniqueConstraint("organization_id", "header_hash"),)

    id: Mapped[int] = id_column()
    header_hash: Mapped[str] = mapped_column(String(64), nullable=False)
    mapping: Mapped[str] = mapped_column(LongText, nullable=False)
    """The same TOML that `FILE.map.toml` holds."""
    updated_at: Mapped[datetime] = moment(nullable=False)


class Import(Scoped, Base):
    """One take-over: its file, its cut-over date, what it made, and whether it was undone."""

    __tablename__ = "imports"
    __table_args__ = (Index("ix_imports_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = id_column()
    file_name: Mapped[str] = mapped_column(String(200), nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    cut_over: Mapped[date] = mapped_column(nullable=False)
    created: Mapped[Any] = mapped_column(JsonText, nullable=False)
    """How many of each kind were made."""
    imported_at: Mapped[datetime] = moment(nullable=False)
    imported_by: Mapped[int | None] = foreign_key("users.id")
    undone_at: Mapped[datetime | None] = moment()
    undone_by: Mapped[int | None] = foreign_key("users.id")


class ImportRecord(Scoped, Base):
    """One row that an import made; undoing deletes exactly these while nothing rests on them."""

    __tablename__ = "import_records"
    __audited__: ClassVar[bool] = False
    __table_args__ = (UniqueConstraint("import_id", "kind", "record_id"),)

    id: Mapped[int] = id_column()
    import_id: Mapped[int] = foreign_key("imports.id", nullable=False)
    kind: Mapped[str] = mapped_column(String(30), nullable=False)
    record_id: Mapped[int] = mapped_column(nullable=False)
