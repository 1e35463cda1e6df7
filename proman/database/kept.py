"""Keeps what was reckoned from a SQLite database for as long as nothing in it changes.

The count and the sums of a list look at every row that its filters leave: at 120,000 invoices that
takes longer than all else on the page, and most pages are asked of an unchanged database. SQLite
tells whether it changed: `PRAGMA data_version` does when anybody else committed since, in whatever
process, and a connection counts its own changes. Both are asked inside the transaction that reads,
so what is kept is exactly what would be read again. Servers have no such number, and reckon anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select

from proman.db import db

MOST = 256
"""Answers kept by a connection."""


def rows_while_unchanged(
    statement: Select[*tuple[Any, ...]], values: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """All rows of a statement of the session's organization; kept until the database changes.

    `values` are hashable. For few rows that took long; whoever changes the database at the moment
    reads anew.
    """
    session = db.session()
    connection = session.connection()
    standing = _standing(connection)
    if standing is None:
        return session.execute(statement, values).all()
    kept = connection.info.setdefault("kept", {})
    if kept.get("standing") != standing or len(kept) > MOST:
        kept.clear()
        kept["standing"] = standing
    key = (statement, session.info.get("organization_id"), frozenset(values.items()))
    if key not in kept:
        kept[key] = session.execute(statement, values).all()
    rows: Sequence[Row[Any]] = kept[key]
    return rows


def _standing(connection: Connection) -> tuple[int, int] | None:
    """A number for the state of the database that this transaction sees; None where there is none.

    In a transaction that writes there is none: it may be taken back, and the number with it is not.
    """
    if connection.dialect.name != "sqlite" or connection.get_execution_options().get("write"):
        return None
    driver: Any = connection.connection.dbapi_connection
    (version,) = driver.execute("PRAGMA data_version").fetchone()
    return version, driver.total_changes
