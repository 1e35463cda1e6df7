"""Reads what settled documents without being paid: written off, or withheld from the deposit."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, literal, select, union_all

from proman.billing.models import Adjustment, DepositEvent, Invoice
from proman.db import db
from proman.identity.models import User

_a: Table = Adjustment.__table__  # type: ignore[assignment]
_d: Table = DepositEvent.__table__  # type: ignore[assignment]
_i: Table = Invoice.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
WRITE_OFF, WITHHELD = "write_off", "withheld"

WRITTEN_OFF: ColumnElement[int] = (
    select(func.coalesce(func.sum(_a.c.amount), 0))
    .where(_a.c.invoice_id == _i.c.id)
    .correlate(_i)
    .scalar_subquery()
)
"""What of a document was given up, minor units."""


class Otherwise(NamedTuple):
    """A write-off or what was withheld, or with an amount below nil the reversal of one."""

    invoice_id: int
    kind: str
    id: int
    happened_on: date
    amount: int
    note: str
    reverses_id: int | None
    recorded_by: str | None

    @property
    def words(self) -> str:
        """What it is called in a list of what settled a document."""
        if self.kind == WRITE_OFF:
            return "Written off" if self.amount > 0 else "Write-off taken back"
        return "Withheld from the deposit" if self.amount > 0 else "Given back to the deposit"


def _rows(table: Table, kind: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            table.c.invoice_id,
            literal(kind).label("kind"),
            table.c.id.label("record_id"),
            table.c.happened_on,
            table.c.amount,
            table.c.note,
            table.c.reverses_id,
            _users.c.name,
        )
        .outerjoin(_users, _users.c.id == table.c.recorded_by)
        .where(
            table.c.organization_id + 0 == bindparam("organization_id"),
            table.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)),
            *conditions,
        )
    )


_BOTH = union_all(_rows(_a, WRITE_OFF), _rows(_d, WITHHELD, _d.c.event == WITHHELD)).order_by(
    "happened_on", "kind", "record_id"
)


def settled_otherwise(invoice_ids: Collection[int]) -> dict[int, list[Otherwise]]:
    """What settled each of these documents without being paid, in order of days."""
    found: dict[int, list[Otherwise]] = defaultdict(list)
    for row in db.session.execute(_BOTH, {"invoice_ids": sorted(invoice_ids)}):
        found[row.invoice_id].append(Otherwise._make(row))
    return found
