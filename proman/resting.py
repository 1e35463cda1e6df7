"""Tells, from the tables alone, what refers to a row: nothing is taken away from under it."""

from collections.abc import Collection, Iterator

from sqlalchemy import Table

from proman.db import Base

_WORDS = {
    "lease_parties": "tenants of leases",
    "invoice_lines": "lines of invoices",
    "billed_periods": "billed periods",
    "deposit_events": "events of deposits",
    "index_clauses": "clauses on an index",
    "rent_indexations": "indexations of rents",
    "lease_endings": "endings of leases",
    "portal_accesses": "invitations to the portal",
}
# What an import made is its own memory, and the trail keeps what is gone.
_APART = frozenset({"import_records", "audit_entries"})


def references_to(tables: Collection[str]) -> Iterator[tuple[Table, str, str]]:
    """Every column that refers to one of the tables: its table, its name, the table meant."""
    for table in Base.metadata.sorted_tables:
        if table.name in _APART or "organization_id" not in table.c:
            continue
        for column in table.c:
            for key in column.foreign_keys:
                if key.column.table.name in tables:
                    yield table, column.name, key.column.table.name


def in_words(found: dict[str, int]) -> list[str]:
    """How many rows of which tables, in words such as “3 invoices” or “1 payment”."""
    return [
        f"{count} {_said(_WORDS.get(name, name.replace('_', ' ')), count)}"
        for name, count in found.items()
    ]


def _said(words: str, count: int) -> str:
    if count != 1:
        return words
    first, space, rest = words.partition(" ")
    one = f"{first[:-3]}y" if first.endswith("ies") else first.removesuffix("s")
    return one + space + rest
