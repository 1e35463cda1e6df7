"""Reads a grid of many payments as typed, and says beside each field what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from proman.base.errors import Refused
from proman.base.money import parse_amount
from proman.payments.actions import NewPayment, Share
from proman.payments.forms import METHOD_CHOICES
from proman.payments.picking import LeaseLine, lease_meant
from proman.payments.queries import duplicate_of
from proman.payments.rules import check_receipt_day, is_possible_duplicate

USUAL_ROWS = 12
MOST_ROWS = 240
FIELDS = ("day", "lease", "amount", "reference")


@dataclass
class BatchRow:
    """One line of the grid; `errors` are by the name of its field."""

    place: int
    day: str = ""
    lease: str = ""
    amount: str = ""
    reference: str = ""
    is_confirmed: bool = False
    asks: bool = False
    duplicate_id: int | None = None
    meant: LeaseLine | None = None
    errors: dict[str, str] = field(default_factory=dict)
    new: NewPayment | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it but perhaps a day."""
        return not (self.lease or self.amount or self.reference)


@dataclass
class Batch:
    """The grid as typed: its method, which holds for all rows, and its rows."""

    method: str
    rows: list[BatchRow]
    error: str = ""

    @property
    def filled(self) -> list[BatchRow]:
        return [row for row in self.rows if not row.is_empty]

    @property
    def is_valid(self) -> bool:
        return not (self.error or any(row.errors or row.asks for row in self.rows))

    @property
    def total(self) -> int:
        """What the rows that can be read come to, minor units."""
        return sum(row.new.amount for row in self.rows if row.new)


def empty_batch(rows: int, today: date) -> Batch:
    """A grid to begin with: today in its first row, which the others take over."""
    batch = Batch("transfer", [BatchRow(place) for place in range(1, rows + 1)])
    batch.rows[0].day = today.isoformat()
    return batch


def read_batch(data: Mapping[str, str], today: date, currency: str) -> Batch:
    """Read every row; a day left empty is that of the row above. Asks about possible doubles."""
    count = min(MOST_ROWS, max(1, _whole(data.get("rows", ""), USUAL_ROWS)))
    batch = Batch(data.get("method", ""), [_typed(data, place) for place in range(1, count + 1)])
    if batch.method not in dict(METHOD_CHOICES):
        batch.error = "Choose how the money came."
    day = today.isoformat()
    for row in batch.rows:
        day = row.day or day
        if not row.is_empty:
            read_row(row, day, batch.method, today, currency)
    _ask_about_doubles(batch)
    if not batch.filled and not batch.error:
        batch.error = "Write at least one payment."
    return batch


def read_row(row: BatchRow, day: str, method: str, today: date, currency: str) -> None:
    """Read one row; what is wrong stands in its errors, else `new` is what it records."""
    amount, received_on = 0, today
    try:
        row.meant = lease_meant(row.lease)
        row.lease = row.meant.label
    except Refused as refusal:
        row.errors["lease"] = refusal.message
    try:
        amount = parse_amount(row.amount, currency).minor if row.amount else 0
        if amount <= 0:
            row.errors["amount"] = "Write an amount above nil."
    except Refused as refusal:
        row.errors["amount"] = refusal.message
    try:
        received_on = date.fromisoformat(day)
        check_receipt_day(received_on, today)
    except ValueError:
        row.errors["day"] = "Write a date as year-month-day."
    except Refused as refusal:
        row.errors["day"] = refusal.message
    if len(row.reference) > 140:
        row.errors["reference"] = "At most 140 characters."
    if not row.errors and row.meant:
        row.new = NewPayment(received_on, method, row.reference, (Share(row.meant.id, amount),))


def _ask_about_doubles(batch: Batch) -> None:
    before: list[NewPayment] = []
    for row in batch.rows:
        if row.new is None:
            continue
        row.duplicate_id = duplicate_of(row.new.receipt)
        twice = any(is_possible_duplicate(row.new.receipt, other.receipt) for other in before)
        row.asks = (twice or row.duplicate_id is not None) and not row.is_confirmed
        before.append(row.new)


def _typed(data: Mapping[str, str], place: int) -> BatchRow:
    day, lease, amount, reference = (data.get(f"{name}-{place}", "").strip() for name in FIELDS)
    is_confirmed = bool(data.get(f"confirmed-{place}"))
    return BatchRow(place, day, lease, amount, reference, is_confirmed)


def typed_row(data: Mapping[str, str]) -> BatchRow | None:
    """The row that `row` names, or None."""
    place = _whole(data.get("row", ""), 0)
    return _typed(data, place) if place else None


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else otherwise
