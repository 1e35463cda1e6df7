"""Tells the time lines of what an import made that it was taken over: by whom, from which file."""

from datetime import date

from sqlalchemy import Select, Table, bindparam, select

from proman.identity.history import Happening, Origin, Told
from proman.takeover.models import Import, ImportRecord
from proman.web.filters import day

_imports: Table = Import.__table__  # type: ignore[assignment]
_records: Table = ImportRecord.__table__  # type: ignore[assignment]


def _import_of(table: str, row_id: int) -> Select[int]:
    """The import that made this record of the organization at work."""
    # From the few imports: what an import made is found by its index.
    return (
        select(_imports.c.id)
        .join(_records, _records.c.import_id == _imports.c.id)
        .where(
            _imports.c.organization_id == bindparam("organization_id"),
            _records.c.organization_id == bindparam("organization_id"),
            _records.c.kind == table,
            _records.c.record_id == row_id,
        )
    )


def _taken_over(one: Happening) -> Told:
    cut_over = day(date.fromisoformat(one.after["cut_over"]))
    return Told(
        f"Taken over from {one.after['file_name']}, cut-over {cut_over}", icon="table-import"
    )


IMPORTED = Origin("imports", _import_of, _taken_over)
