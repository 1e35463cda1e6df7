"""Exports everything in open form: one CSV for each kind of record, and the documents; streamed."""

import csv
import io
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, select

from proman.base.errors import Refused
from proman.base.money import decimal_string
from proman.database import contents
from proman.database.contents import Content
from proman.database.durable import CHUNK
from proman.database.installation import installation
from proman.db import db
from proman.files.models import Document
from proman.identity.queries import the_organization
from proman.leases.models import LeaseParty
from proman.takeover.export_kinds import (
    AMOUNT,
    HUNDREDTHS,
    KINDS,
    RATE,
    TENTHS,
    THOUSANDTHS,
    Kind,
)

_party: Table = LeaseParty.__table__  # type: ignore[assignment]
_PARTIES = (
    select(_party.c.lease_id, _party.c.tenant_id)
    .where(_party.c.organization_id == bindparam("organization_id"))
    .order_by(_party.c.lease_id, _party.c.position)
)
_document: Table = Document.__table__  # type: ignore[assignment]
_DOCUMENTS = (
    select(_document.c.id, _document.c.name, _document.c.sha256, _document.c.size_bytes)
    .where(_document.c.organization_id == bindparam("organization_id"))
    .order_by(_document.c.id)
)
DOCUMENTS = "documents"
MISSING = f"{DOCUMENTS}/missing.txt"
_BATCH = 2_000
_PLACES = {RATE: 3, TENTHS: 1, HUNDREDTHS: 2, THOUSANDTHS: 3}


def scaled_text(value: int, places: int) -> str:
    """A whole number of 10^-places as the shortest decimal: 19000 thousandths are "19"."""
    whole, part = divmod(abs(value), 10**places)
    digits = f"{part:0{places}d}".rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' + digits if digits else ''}"


def value_text(value: Any, form: str, currency: str) -> str:
    """The value as exported: ISO dates, UTC instants, decimals, true or false, "" for none."""
    if value is None:
        return ""
    if form == AMOUNT:
        return decimal_string(value, currency)
    if form:
        return scaled_text(value, _PLACES[form])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def header_of(kind: Kind) -> list[str]:
    """The column names: the kind's own, then the currency where there are amounts, then whose."""
    names = [name for name, _ in kind.columns]
    if kind.name == "organization":
        return names
    more = ["currency"] if _needs_currency(kind) else []
    return [*names, *more, "organization_id"]


def _needs_currency(kind: Kind) -> bool:
    names = [name for name, _ in kind.columns]
    return "currency" not in names and any(form == AMOUNT for _, form in kind.columns)


def _tenants_of_leases() -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for lease_id, tenant_id in db.session.execute(_PARTIES):
        found.setdefault(lease_id, []).append(str(tenant_id))
    return {lease_id: " ".join(ids) for lease_id, ids in found.items()}


def _rows(kind: Kind) -> Iterator[list[str]]:
    """The rows of the organization at work, read in batches."""
    organization_id = int(db.session.info["organization_id"])
    currency = the_organization(organization_id).currency
    tail = [] if kind.name == "organization" else [str(organization_id)]
    tail = [currency, *tail] if _needs_currency(kind) else tail
    forms = [form for _, form in kind.columns]
    parties = _tenants_of_leases() if kind.name == "leases" else {}
    own = {"own_id": organization_id} if kind.name == "organization" else {}
    with db.session.execute(kind.rows, own, execution_options={"yield_per": _BATCH}) as rows:
        for row in rows:
            values = [value_text(v, form, currency) for v, form in zip(row, forms, strict=True)]
            if kind.name == "leases":
                values[2] = parties.get(row.id, "")
            yield values + tail


@contextmanager
def _reading_for(organization_id: int) -> Iterator[None]:
    """Let the session read another organization in the same transaction: all of one moment."""
    info = db.session.info
    before = info.get("organization_id")
    info["organization_id"] = organization_id
    try:
        yield
    finally:
        info["organization_id"] = before


def csv_chunks(kind: Kind, organization_ids: Iterable[int]) -> Iterator[bytes]:
    """The file of one kind in UTF-8, piece by piece, over these organizations."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header_of(kind))
    for organization_id in organization_ids:
        with _reading_for(organization_id):
            for number, row in enumerate(_rows(kind), 1):
                writer.writerow(row)
                if number % _BATCH == 0:
                    yield _drained(buffer)
    yield _drained(buffer)


def _drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


class Exported(NamedTuple):
    """A document: its name in the export, and where its content lies, if it does."""

    name: str
    path: Path | None


def documents_of(organization_ids: Iterable[int]) -> Iterator[Exported]:
    """Every document of these organizations; its name begins with its id, so that no two meet."""
    store = installation().files_dir
    for organization_id in organization_ids:
        with _reading_for(organization_id):
            rows = db.session.execute(_DOCUMENTS, {}).all()
        for id, name, sha256, size in rows:
            is_there = contents.is_there(store, Content(sha256, size))
            path = contents.path_of(store, sha256) if is_there else None
            yield Exported(f"{DOCUMENTS}/{id} {name}", path)


def export_to(folder: Path, organization_ids: list[int]) -> tuple[dict[str, int], list[str]]:
    """Write every file into the folder; returns the rows of each kind, and documents without
    content.

    Each file takes its name only when it is whole. Raises Refused when the folder cannot be
    written.
    """
    counts: dict[str, int] = {}
    missing = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            counts[kind.name] = _write(folder / f"{kind.name}.csv", kind, organization_ids)
        for document in documents_of(organization_ids):
            if document.path is None:
                missing.append(document.name)
                continue
            target = folder / document.name
            target.parent.mkdir(exist_ok=True)
            with partial_of(target) as partial:
                shutil.copyfile(document.path, partial)
    except OSError as error:
        raise Refused(f"{folder} cannot be written: {error.strerror}.") from error
    return counts, missing


def _write(path: Path, kind: Kind, organization_ids: list[int]) -> int:
    rows = -1
    with partial_of(path) as partial:
        with partial.open("wb") as file:
            for chunk in csv_chunks(kind, organization_ids):
                file.write(chunk)
        with partial.open(encoding="utf-8", newline="") as file:
            rows += sum(1 for _ in csv.reader(file))
    return rows


@contextmanager
def partial_of(path: Path) -> Iterator[Path]:
    """A hidden file beside it, that takes its place once the block has written all of it."""
    partial = path.with_name(f".{os.getpid()}.partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


class _Sink(io.RawIOBase):
    """What an archive was written since it was last asked."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


def zip_chunks(organization_id: int) -> Iterator[bytes]:
    """All files of one organization as a ZIP archive, piece by piece, in constant memory."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind in KINDS:
            with archive.open(f"{kind.name}.csv", "w", force_zip64=True) as entry:
                for chunk in csv_chunks(kind, [organization_id]):
                    entry.write(chunk)
                    yield sink.drain()
        missing = []
        for document in documents_of([organization_id]):
            if document.path is None:
                missing.append(document.name)
                continue
            with (
                document.path.open("rb") as content,
                archive.open(document.name, "w", force_zip64=True) as entry,
            ):
                while chunk := content.read(CHUNK):
                    entry.write(chunk)
                    yield sink.drain()
        if missing:
            archive.writestr(MISSING, "\n".join(missing))
    yield sink.drain()
