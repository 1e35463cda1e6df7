"""The confined process that looks into a database file from outside and never runs its SQL."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

from proman.base.errors import Refused
from proman.database.confined import main
from proman.database.contents import is_hash
from proman.database.driver import sqlite3
from proman.database.durable import sha256_from_disk
from proman.database.sqlite_copy import Progress, opened, quoted, read_facts
from proman.database.values import require_values

MAGIC = b"SQLite format 3\x00"
MOST_OBJECTS = 5000
OUR_TABLES = ("alembic_version", "organizations", "users")
_PRAGMAS = {
    "application_id", "cell_size_check", "encoding", "foreign_key_check", "integrity_check",
    "mmap_size", "page_size", "query_only", "table_xinfo", "temp_store", "trusted_schema",
}  # fmt: skip


def judge(request: dict[str, Any], report: Progress) -> dict[str, Any]:
    """Everything that can be known of the file without trusting it; raises Refused with a reason.

    `request`: path, application_id (ours), sha256 (of the manifest, or None), administrators and
    operators (what to ask for their number), documents (what to ask for those it needs) and their
    table, values (the tables whose values are looked at), seconds.
    """
    path = Path(request["path"])
    header = read_header(path)
    report("comparing with the manifest", 0, 0)
    sha256 = sha256_from_disk(path)
    if request["sha256"] and sha256 != request["sha256"]:
        raise Refused("The file is not the one its manifest describes: the SHA-256 differs.")
    try:
        with opened(path) as connection:
            _guard(connection, request["seconds"])
            found = _look_inside(connection, request, report)
    except sqlite3.Error as error:
        raise Refused(f"The file is damaged: {error}.") from error
    return {**found, "sha256": sha256, "is_wal": header[18] == 2, "size": path.stat().st_size}


def read_header(path: Path) -> bytes:
    """The first 100 bytes of a whole SQLite file; raises Refused for anything else."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        header = file.read(100)
    if not stat.S_ISREG(about.st_mode) or about.st_size == 0:
        raise Refused("The file is empty.")
    if header[:2] == b"\x1f\x8b":
        raise Refused("The file is compressed with gzip. Unpack it first.")
    if len(header) < 100 or not header.startswith(MAGIC):
        raise Refused("The file is not a SQLite database.")
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    if page_size < 512 or page_size & (page_size - 1):
        raise Refused("The file's header names no possible page size.")
    pages = int.from_bytes(header[28:32], "big")
    if about.st_size != pages * page_size:
        raise Refused(
            f"The file is incomplete: it has {about.st_size} bytes, "
            f"its header says {pages * page_size}."
        )
    return header


def _guard(connection: sqlite3.Connection, seconds: float) -> None:
    for setting in (
        "trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "temp_store=MEMORY",
        "query_only=ON",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {setting}")
    until = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > until), 100_000)
    connection.set_authorizer(_permit)


def _permit(action: int, first: str | None, *rest: str | None) -> int:
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _look_inside(
    connection: sqlite3.Connection, request: dict[str, Any], report: Progress
) -> dict[str, Any]:
    report("looking at its tables", 0, 0)
    objects = _objects(connection)
    tables = {one["name"] for one in objects if one["type"] == "table"}
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    is_plain = application_id == 0 and tables.issuperset(OUR_TABLES)
    if application_id != request["application_id"] and not is_plain:
        raise Refused("This is a SQLite database, but not one of ProMan.")
    if connection.execute("PRAGMA encoding").fetchone()[0] != "UTF-8":
        raise Refused("The database is not kept in UTF-8, so it was not made by ProMan.")
    _require_sound(connection, report)
    for number, table in enumerate(request["values"]):
        report("looking at its values", number, len(request["values"]))
        if table in tables:
            require_values(connection, table)
    report("counting", 0, 0)
    facts = read_facts(connection)
    return {
        "objects": objects,
        "columns": {name: _columns(connection, name) for name in sorted(tables)},
        "rows": facts.rows,
        "revision": facts.revision,
        "schema_fingerprint": facts.schema_fingerprint,
        "page_size": facts.page_size,
        "administrators": _number(connection, request["administrators"]) or 0,
        "operators": _number(connection, request["operators"]),
        "documents": _documents(connection, request, tables),
    }


def _number(connection: sqlite3.Connection, question: str) -> int | None:
    try:
        return int(connection.execute(question).fetchone()[0])
    except sqlite3.OperationalError:
        return None  # what the table of users lacks is told by name, or it is of a newer version


def _documents(
    connection: sqlite3.Connection, request: dict[str, Any], tables: set[str]
) -> list[list[Any]]:
    if request["documents_table"] not in tables:
        return []
    try:
        rows = connection.execute(request["documents"]).fetchall()
    except sqlite3.OperationalError as error:
        raise Refused(f"Its uploaded documents cannot be listed: {error}.") from error
    for sha256, size, name in rows:
        if not (is_hash(sha256) and isinstance(size, int) and isinstance(name, str)):
            raise Refused("A document in it is named by something that is no SHA-256.")
    return [list(row) for row in rows]


def _objects(connection: sqlite3.Connection) -> list[dict[str, str]]:
    rows = connection.execute(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master "
        f"WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' LIMIT {MOST_OBJECTS + 1}"
    ).fetchall()
    if len(rows) > MOST_OBJECTS:
        raise Refused(f"The file holds more than {MOST_OBJECTS} tables and indexes.")
    for kind, name, _, sql in rows:
        if kind == "view":
            raise Refused(f"The file holds a view ({name}). ProMan makes none.")
        if kind == "table" and sql.split(None, 2)[1:2] != ["TABLE"]:
            raise Refused(f"The file holds a virtual table ({name}). ProMan makes none.")
    return [dict(zip(("type", "name", "table", "sql"), row, strict=True)) for row in rows]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    found = connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
    if any(row[6] for row in found):
        raise Refused(f"The table {table} has computed columns. ProMan makes none.")
    return [row[1] for row in found]


def _require_sound(connection: sqlite3.Connection, report: Progress) -> None:
    report("checking integrity", 0, 0)
    answer = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if answer != ["ok"]:
        raise Refused(f"The integrity check failed: {' '.join(' '.join(answer).split())}.")
    report("checking references", 0, 0)
    breach = connection.execute("PRAGMA foreign_key_check").fetchone()
    if breach is not None:
        raise Refused(f"A row of {breach[0]} refers to a row of {breach[2]} that is gone.")


if __name__ == "__main__":
    main(judge)
