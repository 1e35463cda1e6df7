"""Writes the journal: one balanced entry for a money event, many at once, or one taken back.

Every function raises BooksLocked, and writes nothing, for a day whose books are locked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, Table, bindparam, func, insert, literal, select

from proman.database.ids import insert_numbered, newest_id
from proman.db import db, utc_now
from proman.identity.actor import Actor
from proman.ledger.locking import require_open
from proman.ledger.models import Entry, Posting
from proman.ledger.rules import Line, Unbalanced, balanced, entry_lines, mirrored, parts_of, sides

_entries: Table = Entry.__table__  # type: ignore[assignment]
_postings: Table = Posting.__table__  # type: ignore[assignment]

_LINES_OF = select(
    _postings.c.account,
    _postings.c.debit,
    _postings.c.credit,
    _postings.c.lease_id,
    _postings.c.property_id,
    _postings.c.invoice_id,
    _postings.c.payment_id,
).where(
    _postings.c.entry_id == bindparam("entry_id"),
    _postings.c.organization_id == bindparam("organization_id"),
)


@dataclass(frozen=True, slots=True)
class Concerning:
    """What an entry is about: each of its postings carries these ids."""

    lease_id: int | None = None
    property_id: int | None = None
    invoice_id: int | None = None
    payment_id: int | None = None

    def columns(self) -> dict[str, int | None]:
        return {
            "lease_id": self.lease_id,
            "property_id": self.property_id,
            "invoice_id": self.invoice_id,
            "payment_id": self.payment_id,
        }


@dataclass(frozen=True, slots=True)
class Event:
    """A money event to be posted: its name in the event table, its day and its amounts."""

    name: str
    effective_on: date
    amounts: Mapping[str, int]
    about: Concerning
    explanation: str = ""


def post(
    event: str,
    effective_on: date,
    about: Concerning,
    *,
    actor: Actor,
    explanation: str = "",
    **amounts: int,
) -> int:
    """Write one balanced entry for a money event; returns the entry's id.

    Amounts are minor units, named by the event's parts (`net` and `tax`, or `amount`). Must be
    inside a write. Raises Unbalanced when they cannot make an entry.
    """
    return _write(event, effective_on, entry_lines(event, amounts), about, actor, explanation)


def post_many(events: Iterable[Event], *, actor: Actor) -> list[int]:
    """Write an entry for each event at once; returns their ids, in that order.

    Raises Unbalanced, and writes nothing, when one does not balance.
    """
    rows = [(event, entry_lines(event.name, event.amounts)) for event in events]
    if not rows:
        return []
    require_open(min(event.effective_on for event, _ in rows))
    entries = [
        _entry_row(event.name, event.effective_on, actor, event.explanation) for event, _ in rows
    ]
    ids = insert_numbered(db.session(), insert(_entries), entries)
    postings = [
        _posting_row(entry_id, line, event.about)
        for entry_id, (event, lines) in zip(ids, rows, strict=True)
        for line in lines
    ]
    db.session.execute(insert(_postings), postings)
    return ids


def post_selected(event: str, source: Select[Any], *, actor: Actor, explanation: str = "") -> int:
    """Write an entry for each row of a query, without fetching them; returns how many.

    The query gives `lease_id`, `property_id`, `invoice_id`, `effective_on` and a column for each
    part of the event's amount (in minor units), one row for each invoice id, and names its
    organization. Rows whose parts are all nil must not be among them. Raises Unbalanced, and
    writes nothing, when an amount is negative.
    """
    rows = source.params(organization_id=_organization_id()).subquery("source")
    least = [func.min(rows.c[part]) for part in parts_of(event)]
    count, first, *amounts = db.session.execute(
        select(func.count(), func.min(rows.c.effective_on), *least).select_from(rows)
    ).one()
    if not count:
        return 0
    require_open(first)
    if min(amounts) < 0:
        raise Unbalanced(f"“{event}” cannot be posted with a negative amount.")
    newest = newest_id(db.session(), _entries)
    _insert_entries(event, rows, actor, explanation)
    numbered = _numbered(rows, newest)
    for account, (debited, parts) in sides(event).items():
        _insert_postings(numbered, account, debited, parts)
    return int(count)


def reverse(
    entry_id: int, effective_on: date, *, event: str, actor: Actor, explanation: str = ""
) -> int:
    """Take a whole entry back by its mirror image, which names it; returns the new entry's id.

    The database refuses to take an entry back twice. Raises Unbalanced for one that is not there.
    """
    found = db.session.execute(_LINES_OF, {"entry_id": entry_id}).all()
    lines = mirrored(Line(row.account, row.debit, row.credit) for row in found)
    if not balanced(lines):
        raise Unbalanced("There is no such entry to take back.")
    require_open(effective_on)
    row = _entry_row(event, effective_on, actor, explanation) | {"reverses_id": entry_id}
    new_id = _insert_entry(row)
    about = [Concerning(*row[3:]) for row in found]
    rows = [_posting_row(new_id, line, each) for line, each in zip(lines, about, strict=True)]
    db.session.execute(insert(_postings), rows)
    return new_id


def _write(
    event: str,
    effective_on: date,
    lines: tuple[Line, ...],
    about: Concerning,
    actor: Actor,
    explanation: str,
) -> int:
    if not balanced(lines):
        raise Unbalanced("An entry's debits must equal its credits.")
    require_open(effective_on)
    entry_id = _insert_entry(_entry_row(event, effective_on, actor, explanation))
    db.session.execute(insert(_postings), [_posting_row(entry_id, line, about) for line in lines])
    return entry_id


def _insert_entry(row: dict[str, Any]) -> int:
    result = db.session.execute(insert(_entries).values(**row, organization_id=_organization_id()))
    return int(result.inserted_primary_key[0])  # type: ignore[attr-defined]


def _organization_id() -> int:
    return int(db.session.info["organization_id"])


def _entry_row(event: str, effective_on: date, actor: Actor, explanation: str) -> dict[str, Any]:
    return {
        "event": event,
        "effective_on": effective_on,
        "recorded_at": utc_now(),
        "recorded_by": actor.id,
        "explanation": explanation[:300],
    }


def _posting_row(entry_id: int, line: Line, about: Concerning) -> dict[str, Any]:
    return {"entry_id": entry_id, **line._asdict(), **about.columns()}


def _insert_entries(event: str, rows: Any, actor: Actor, explanation: str) -> None:
    chosen = select(
        literal(_organization_id()),
        literal(event),
        rows.c.effective_on,
        literal(utc_now()),
        literal(actor.id, _entries.c.recorded_by.type),
        literal(explanation[:300]),
    ).order_by(rows.c.invoice_id)
    names = "organization_id event effective_on recorded_at recorded_by explanation".split()
    db.session.execute(insert(_entries).from_select(names, chosen))


def _numbered(rows: Any, newest: int) -> Any:
    """The rows, each with the id of its entry: the entries beyond `newest` have their order."""
    entries = select(
        _entries.c.id, func.row_number().over(order_by=_entries.c.id).label("place")
    ).where(_entries.c.id > newest, _entries.c.organization_id == _organization_id())
    placed = select(rows, func.row_number().over(order_by=rows.c.invoice_id).label("place"))
    made, source = entries.subquery("made"), placed.subquery("placed")
    return (
        select(made.c.id.label("entry_id"), source)
        .join(source, source.c.place == made.c.place)
        .subquery("numbered")
    )


def _insert_postings(numbered: Any, account: str, debited: bool, parts: tuple[str, ...]) -> None:
    amount = numbered.c[parts[0]]
    for part in parts[1:]:
        amount = amount + numbered.c[part]
    nil = literal(0)
    chosen = select(
        numbered.c.entry_id,
        literal(_organization_id()),
        literal(str(account)),
        numbered.c.lease_id,
        numbered.c.property_id,
        numbered.c.invoice_id,
        amount if debited else nil,
        nil if debited else amount,
    ).where(amount > 0)
    names = (
        "entry_id organization_id account lease_id property_id invoice_id debit credit"
    ).split()
    db.session.execute(insert(_postings).from_select(names, chosen))
