"""Owns the insertion of many rows at once whose ids are needed: they come back in order.

The engine draws the ids, each in its own way, and other organizations' rows may lie between. But
nobody else changes this organization during a write (see `begin_write`), so whatever it has beyond
the last id that was there before is what was inserted since, and ids rise with the order of rows.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Insert, Select, Table, bindparam, func, select
from sqlalchemy.orm import Session


def insert_numbered(
    session: Session, statement: Insert, rows: Sequence[dict[str, Any]]
) -> list[int]:
    """Insert rows of the organization at work; returns their new ids, in the order of the rows.

    Must be inside a write; the rows bring no ids of their own.
    """
    if not rows:
        return []
    table = cast(Table, statement.table)
    newest = newest_id(session, table)
    session.execute(statement, rows)
    ids = list(session.scalars(_own_ids(table), {"newest": newest}))
    if len(ids) != len(rows):
        raise RuntimeError(f"{len(rows)} rows were inserted, but {len(ids)} have come back")
    return ids


def newest_id(session: Session, table: Table) -> int:
    """The last id of a table, whosever the row is; 0 for an empty table."""
    return int(session.scalar(_newest(table)) or 0)


@lru_cache(maxsize=64)
def _newest(table: Table) -> Select[tuple[int]]:
    return select(func.max(table.c.id)).execution_options(everywhere=True)


@lru_cache(maxsize=64)
def _own_ids(table: Table) -> Select[int]:
    is_new = table.c.id > bindparam("newest")
    is_own = table.c.organization_id == bindparam("organization_id")
    return select(table.c.id).where(is_new, is_own).order_by(table.c.id)
