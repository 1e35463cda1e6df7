"""A fingerprint of what tables hold that is the same on every engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table

from proman.database.carrying import Rows, batches


class Digest:
    """What one table holds: its rows and their fingerprint, whatever order they come in.

    Engines order text in different ways, so the SHA-256 of the rows are added up (modulo 2**256). A
    row is hashed as a JSON array of its columns in the order of the table: numbers, truth values,
    texts, null, dates and instants as ISO 8601, bytes as hexadecimal.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, rows: Rows) -> None:
        """Takes in so many rows more."""
        for row in rows:
            text = _ENCODER.encode(tuple(row))
            self._sum += int.from_bytes(hashlib.sha256(text.encode()).digest())
        self.rows += len(rows)

    def __str__(self) -> str:
        return f"{self._sum % 2**256:064x}"


def digest_of(connection: Connection, table: Table) -> Digest:
    """What the table holds now, read from its first row to its last."""
    digest = Digest()
    for rows in batches(connection, table):
        digest.add(rows)
    return digest


def digests_of(connection: Connection, tables: Iterable[Table]) -> dict[str, Digest]:
    """The same of several tables, by name."""
    return {table.name: digest_of(connection, table) for table in tables}


def content_hash(digests: Mapping[str, Digest]) -> str:
    """One fingerprint (hex) of all tables: their names, numbers of rows and own fingerprints."""
    lines = (f"{name} {digests[name].rows} {digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a database of ProMan")


_ENCODER: json.JSONEncoder = json.JSONEncoder(separators=(",", ":"), default=_plain)
