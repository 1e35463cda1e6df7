"""Puts a staged database in the place of a server's, in a single transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection
from sqlalchemy.exc import SQLAlchemyError

from proman.base.errors import Refused
from proman.database import loading, server_maintenance
from proman.database.carrying import as_one, carry, count_rows
from proman.database.engines import direct_engine, set_up
from proman.database.outcomes import reason_of
from proman.database.shape import tables_of
from proman.database.sqlite_copy import Progress, reading

LOCK_SECONDS = 30


class Unsettled(Refused):
    """The server was lost while it committed; only it can say whether it did."""


def replace_all(
    url: URL,
    staged: Path,
    stamp: int,
    ledger_balance: Callable[[Connection], int],
    report: Progress,
) -> None:
    """Replaces every row of the server's tables by those of the staged file, or none.

    Both are at the same revision. Tables that are not ours stay as they are. Raises Refused with
    the reason; then nothing was changed. Raises Unsettled when the server was lost at the COMMIT.
    """
    tables = tables_of(staged)
    engine = direct_engine(url)
    set_up(engine, may_always_write=True)
    try:
        with engine.connect() as connection, reading(staged) as source:
            loading.lock_whole(connection, tables, LOCK_SECONDS)
            # First of all, so that whoever asks for it after a kill waits for the server's answer.
            server_maintenance.note_restored(connection, stamp)
            with loading.many_rows(connection, tables):
                report("emptying the database", 0, 0)
                loading.empty(connection, tables)
                copying = as_one("replacing the database", report)
                expected = carry(source, connection, tables, copying)
                report("verifying", 0, 0)
            if count_rows(connection, tables) != expected:
                raise Refused("The restored database does not hold the rows that were staged.")
            if ledger_balance(connection) != ledger_balance(source):
                raise Refused("The ledger of the restored database is not the one staged.")
            _commit(connection)
            # It is replaced by now; without fresh statistics the server is slower and nothing else.
            with contextlib.suppress(SQLAlchemyError):
                loading.look_anew(connection, tables)
    except (SQLAlchemyError, ValueError, TypeError) as error:
        why = reason_of(error).rstrip(".")
        raise Refused(f"The database could not be replaced: {why}. Nothing was changed.") from error
    finally:
        engine.dispose()


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except SQLAlchemyError as error:
        raise Unsettled(
            "The database was lost at the last step. Whether it was replaced is known once it "
            "answers again: then look at the page of the database, or run flask doctor."
        ) from error
