"""What a database holds at a revision, told in no engine's own words: tables to carry rows by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Inspector, MetaData, Table, event

from proman.database.marks import REVISIONS
from proman.database.sqlite_copy import opened, reading, schema_fingerprint


def tables_of(path: Path) -> list[Table]:
    """The tables of a file that our migrations made, what is referred to before what refers to it.

    Columns are of general types, so that any engine reads and writes their values the same. Kept
    JSON is the text that it is. The table of the revision is none of them.
    """
    with opened(path) as connection:
        made_by = schema_fingerprint(connection)
    if made_by not in _known:
        metadata = MetaData()
        event.listen(metadata, "column_reflect", _generalize)
        with reading(path) as connection:
            metadata.reflect(connection, only=lambda name, _: name != REVISIONS)
        _known[made_by] = metadata.sorted_tables
    return _known[made_by]


def _generalize(inspector: Inspector, table: Table, column: Any) -> None:
    column["type"] = column["type"].as_generic()


_known: dict[str, list[Table]] = {}
