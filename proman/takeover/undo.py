"""Undoes an import while nothing rests on it: the one deletion of what counted that there is."""

from sqlalchemy import Select, Table, bindparam, delete, func, select

from proman.base.errors import Refused
from proman.db import Base, db, utc_now
from proman.identity.actor import Actor
from proman.identity.audit import record
from proman.ledger.locking import require_open
from proman.resting import in_words, references_to
from proman.takeover.actions import MADE
from proman.takeover.models import Import, ImportRecord

_records: Table = ImportRecord.__table__  # type: ignore[assignment]


def _ids_of(kind: str, parameter: str = "organization_id") -> Select[tuple[int]]:
    return select(_records.c.record_id).where(
        _records.c.import_id == bindparam("import_id"),
        _records.c.kind == kind,
        _records.c.organization_id == bindparam(parameter),
    )


def what_rests_on(import_id: int) -> list[str]:
    """What was made since and refers to the import's records, in words such as “3 invoices”."""
    found: dict[str, int] = {}
    for table, column, kind in references_to(MADE):
        statement = (
            select(func.count())
            .select_from(table)
            .where(
                table.c.organization_id == bindparam("organization_id"),
                table.c[column].in_(_ids_of(kind)),
            )
        )
        if table.name in MADE:
            statement = statement.where(table.c.id.not_in(_ids_of(table.name)))
        count = db.session.execute(statement, {"import_id": import_id}).scalar_one()
        if count:
            found[table.name] = max(found.get(table.name, 0), count)
    return in_words(found)


def undo_import(made: Import, *, actor: Actor) -> None:
    """Delete exactly what the import made. Must be inside a write; `made` loaded after it began.

    Raises Refused when it was undone before, when anything made since rests on it, or when the
    books of its cut-over are locked.
    """
    if made.undone_at is not None:
        raise Refused("This import was undone already.")
    resting = what_rests_on(made.id)
    if resting:
        raise Refused(
            f"This import cannot be undone while this rests on it: {', '.join(resting)}. "
            "Nothing was changed."
        )
    if made.cut_over is not None:
        require_open(made.cut_over)
    _delete_all(made.id)
    made.undone_at = utc_now()
    made.undone_by = actor.id
    record("undone", "imports", made.id, made.file_name, before=made.created)


def _delete_all(import_id: int) -> None:
    """What refers to others goes first, and last the memory of what was made."""
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in MADE:
            continue
        db.session.execute(
            delete(table).where(
                table.c.organization_id == bindparam("of_organization"),
                table.c.id.in_(_ids_of(table.name, "of_organization")),
            ),
            {"import_id": import_id},
        )
    db.session.execute(
        delete(_records).where(
            _records.c.organization_id == bindparam("of_organization"),
            _records.c.import_id == bindparam("import_id"),
        ),
        {"import_id": import_id},
    )
