"""Plain functions that make money for tests: an issued invoice with its entry, and its proof."""

from datetime import date
from itertools import count

from sqlalchemy import select

from proman.billing.models import Invoice, InvoiceLine
from proman.db import begin_write, db
from proman.identity.actor import Actor, system_actor
from proman.leases.models import Lease
from proman.ledger.actions import Concerning, post
from proman.properties.models import Unit

_sequences = count(1)


def actor() -> Actor:
    """ProMan itself, for the organization at work."""
    return system_actor(db.session.info["organization_id"])


def property_of(lease_id: int) -> int:
    statement = select(Unit.property_id).join(Lease, Lease.unit_id == Unit.id)
    found: int = db.session.execute(statement.where(Lease.id == lease_id)).scalar_one()
    return found


def make_invoice(
    lease_id: int,
    total: int = 100_000,
    *,
    due: date = date(2027, 3, 1),
    issued: date | None = None,
    kind: str = "rent",
    tax: int = 0,
) -> int:
    """An issued invoice of one line, posted to the ledger and committed; returns its id."""
    begin_write()
    number, day = next(_sequences), issued or due
    invoice = Invoice(
        kind="invoice",
        series="invoice",
        year=day.year,
        sequence=number,
        number=f"T-{number:05d}",
        lease_id=lease_id,
        property_id=property_of(lease_id),
        issue_date=day,
        due_date=due,
        net=total - tax,
        tax=tax,
        total=total,
        open=total,
        currency="EUR",
        issuer={},
        recipient={},
    )
    line = InvoiceLine(
        position=1, kind=kind, description=kind, net=total - tax, tax_rate=0, tax=tax
    )
    invoice.lines = [line]
    db.session.add(invoice)
    db.session.flush()
    about = Concerning(lease_id, invoice.property_id, invoice.id)
    post("invoice", day, about, actor=actor(), net=total - tax, tax=tax)
    db.session.commit()
    return invoice.id


def open_of(*invoice_ids: int) -> list[int]:
    """What is open of each invoice."""
    found = dict(db.session.execute(select(Invoice.id, Invoice.open)).all())
    return [found[invoice_id] for invoice_id in invoice_ids]
