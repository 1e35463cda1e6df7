"""What a page asks the database, and the records by which every page can be asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Connection, event, text

from proman.db import db

MOST_QUERIES = 6
# A lease with as much as most have, so that two books are asked for the same.
_LEASE = text(
    "SELECT MIN(id) FROM leases WHERE status = 'active' AND last_day IS NOT NULL"
    " AND id IN (SELECT lease_id FROM payments) AND id IN (SELECT lease_id FROM charges)"
    " AND id IN (SELECT lease_id FROM index_clauses)"
)
_OF_LEASE = {
    "unit_id": "SELECT unit_id FROM leases WHERE id = :lease",
    "property_id": "SELECT property_id FROM units"
    " WHERE id = (SELECT unit_id FROM leases WHERE id = :lease)",
    "tenant_id": "SELECT MIN(tenant_id) FROM lease_parties WHERE lease_id = :lease",
    "invoice_id": "SELECT MIN(id) FROM invoices WHERE lease_id = :lease AND kind = 'invoice'",
    "payment_id": "SELECT MIN(id) FROM payments WHERE lease_id = :lease",
    "document_id": "SELECT MIN(id) FROM documents WHERE lease_id = :lease",
    "expense_id": "SELECT MIN(id) FROM expenses WHERE property_id = (SELECT property_id FROM units"
    " WHERE id = (SELECT unit_id FROM leases WHERE id = :lease))",
    "reminder_id": "SELECT MIN(id) FROM reminders",
    "series_id": "SELECT series_id FROM index_clauses WHERE lease_id = :lease",
    "value_id": "SELECT MAX(id) FROM index_values WHERE series_id ="
    " (SELECT series_id FROM index_clauses WHERE lease_id = :lease)",
    "charge_id": "SELECT MIN(id) FROM charges WHERE lease_id = :lease",
}


@contextmanager
def statements_of(app: Flask) -> Iterator[list[str]]:
    """What is sent to the database inside the block."""
    said: list[str] = []

    def listen(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    yield said
    event.remove(engine, "before_cursor_execute", listen)


def ids_of_a_lease(connection: Connection) -> dict[str, int]:
    """The ids of a lease of the demonstration and of what belongs to it, by name in addresses."""
    lease = connection.execute(_LEASE).scalar_one()
    ids = {"lease_id": lease}
    for name, sql in _OF_LEASE.items():
        ids[name] = connection.execute(text(sql), {"lease": lease}).scalar() or 1
    return ids
