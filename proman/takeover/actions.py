"""Takes over a portfolio: uploads that wait, and the import itself, all or nothing."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, func, insert, select

from proman.base.errors import Refused
from proman.billing.models import DepositEvent, Invoice, InvoiceLine
from proman.billing.parties import addressees, issuer_of_today
from proman.database.ids import insert_numbered
from proman.db import Base, begin_write, db, utc_now
from proman.identity.actor import Actor
from proman.identity.queries import the_organization
from proman.leases.models import Charge, Lease, LeaseEnding, LeaseParty, Rent
from proman.ledger.actions import Concerning, Event, post_many
from proman.ledger.models import Entry, Posting
from proman.properties.models import Property, Unit
from proman.takeover.mapfile import write_map
from proman.takeover.mapping import Mapping
from proman.takeover.models import Import, ImportDraft, ImportMapping, ImportRecord
from proman.takeover.plan import Outcome, Plan
from proman.takeover.queries import (
    draft,
    header_hash,
    ids_of_today,
    kept_mapping,
    setting_of_today,
)
from proman.takeover.rows import PlanRows, Row
from proman.takeover.rules import judge
from proman.takeover.sheets import Sheet
from proman.tenants.models import Tenant

MADE: dict[str, type[Base]] = {
    "properties": Property,
    "units": Unit,
    "tenants": Tenant,
    "leases": Lease,
    "lease_parties": LeaseParty,
    "rents": Rent,
    "charges": Charge,
    "lease_endings": LeaseEnding,
    "invoices": Invoice,
    "invoice_lines": InvoiceLine,
    "deposit_events": DepositEvent,
    "entries": Entry,
    "postings": Posting,
}
"""The tables that an import writes; `import_records` tells which of their rows it made."""
_OPENING = ("invoices", "invoice_lines")
_JOURNAL = ("entries", "postings")

_records: Table = ImportRecord.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class File:
    """A file to be imported: its name and content as they came."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def start_draft(file: File, mapping: Mapping, *, actor: Actor) -> ImportDraft:
    """Keep an upload until it is imported or given up. Must be inside a write."""
    kept = ImportDraft(
        file_name=file.name[-200:],
        content=file.content,
        mapping=write_map(mapping),
        uploaded_by=actor.id,
    )
    db.session.add(kept)
    db.session.flush()
    return kept


def import_file(
    file: File, sheet: Sheet, mapping: Mapping, *, actor: Actor, draft_id: int | None = None
) -> Import:
    """Make everything that the file tells, or nothing; begins the write itself.

    The plan is made before the lock is taken, and once more under it if anything it rests on has
    changed meanwhile. Raises Refused where a question is open or a fault found.
    """
    setting = setting_of_today()
    plan = _plan(judge(sheet, mapping, setting))
    begin_write()
    waiting = draft(draft_id) if draft_id is not None else None
    if setting_of_today() != setting:
        plan = _plan(judge(sheet, mapping, setting_of_today()))
    made = _make(plan, file, actor=actor)
    _keep_mapping(sheet, mapping)
    if waiting is not None:
        db.session.delete(waiting)
    return made


def _plan(outcome: Outcome) -> Plan:
    if outcome.questions:
        raise Refused(f"A question is open: {outcome.questions[0].question}")
    if outcome.faults:
        first = outcome.faults[0]
        raise Refused(
            f"Row {first.row}, {first.column}: {first.message} "
            f"({len(outcome.faults)} in all; nothing was imported.)"
        )
    assert outcome.plan is not None
    return outcome.plan


def _make(plan: Plan, file: File, *, actor: Actor) -> Import:
    now = utc_now()
    rows = _rows(plan, actor, now)
    record = Import(
        file_name=file.name[-200:],
        sha256=file.sha256,
        cut_over=plan.cut_over,
        created=plan.counts() | {"tenants": len(rows.new_tenants)},
        imported_at=now,
        imported_by=actor.id,
    )
    db.session.add(record)
    db.session.flush()
    for name in MADE:
        if name not in (*_OPENING, *_JOURNAL):
            rows.keep(name, _insert(name, getattr(rows, name)()))
    rows.keep("invoices", _insert("invoices", _opening_items(rows, actor, now)))
    rows.keep("invoice_lines", _insert("invoice_lines", rows.opening_lines(file.name)))
    post_many(_events(rows, file), actor=actor)
    _remember(record.id, rows.made | _journal(rows.made["leases"]))
    return record


def _rows(plan: Plan, actor: Actor, now: datetime) -> PlanRows:
    return PlanRows(
        plan,
        ids_of_today(),
        the_organization(actor.organization_id),
        actor_id=actor.id,
        now=now,
        next_reference=_count_of_leases() + 1,
    )


def _count_of_leases() -> int:
    return db.session.scalar(select(func.count(Lease.id))) or 0


def _insert(name: str, rows: list[Row]) -> list[int]:
    table: Table = MADE[name].__table__  # type: ignore[assignment]
    return insert_numbered(db.session(), insert(table), rows)


def _opening_items(rows: PlanRows, actor: Actor, now: datetime) -> list[Row]:
    """What each lease owed at cut-over: an unnumbered document due on that day."""
    owing = rows.owing()
    issuer, currency = issuer_of_today()
    day = rows.plan.cut_over
    to = addressees([lease_id for lease_id, _ in owing], day)
    return [
        {
            "kind": "opening",
            "lease_id": lease_id,
            "property_id": rows.property_id(lease),
            "issue_date": day,
            "due_date": day,
            "net": lease.owed,
            "tax": 0,
            "total": lease.owed,
            "open": lease.owed,
            "currency": currency,
            "reason": "Balance taken over",
            "issuer": issuer,
            "recipient": to[lease_id].recipient,
            "issued_at": now,
            "issued_by": actor.id,
        }
        for lease_id, lease in owing
    ]


def _events(rows: PlanRows, file: File) -> Iterator[Event]:
    day = rows.plan.cut_over
    owing = [lease_id for lease_id, _ in rows.owing()]
    documents = dict(zip(owing, rows.made["invoices"], strict=True))
    for lease_id, lease in rows.lease_ids():
        place = rows.property_id(lease)
        told = f"Taken over: row {lease.row}, {file.name}"[:300]
        if lease.owed:
            about = Concerning(lease_id, place, documents[lease_id])
            yield Event("opening_owed", day, {"amount": lease.owed}, about, told)
        if lease.credit:
            about = Concerning(lease_id, place)
            yield Event("opening_credit", day, {"amount": lease.credit}, about, told)
        if lease.deposit:
            about = Concerning(lease_id, place)
            yield Event("opening_deposit", day, {"amount": lease.deposit}, about, told)


def _journal(leases: list[int]) -> dict[str, list[int]]:
    """The ids of the entries and postings of the new leases, which have no others yet."""
    first, last = (leases[0], leases[-1]) if leases else (0, 0)
    own = select(Posting.id, Posting.entry_id).where(Posting.lease_id.between(first, last))
    found = db.session.execute(own).all()
    return {
        "entries": sorted({entry_id for _, entry_id in found}),
        "postings": [posting_id for posting_id, _ in found],
    }


def _remember(import_id: int, made: dict[str, list[int]]) -> None:
    rows = [
        {"import_id": import_id, "kind": name, "record_id": record_id}
        for name, ids in made.items()
        for record_id in ids
    ]
    if rows:
        db.session.execute(insert(_records), rows)


def _keep_mapping(sheet: Sheet, mapping: Mapping) -> None:
    """Keep the confirmed mapping for the next file of the same make."""
    digest = header_hash(sheet)
    kept = kept_mapping(digest) or ImportMapping(header_hash=digest)
    kept.mapping = write_map(mapping)
    kept.updated_at = utc_now()
    db.session.add(kept)


def dry_run(sheet: Sheet, mapping: Mapping) -> Outcome:
    """What an import of the file would make today; writes nothing."""
    return judge(sheet, mapping, setting_of_today())
