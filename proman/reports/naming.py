"""Names what a report's sums belong to: leases by place and tenants, tenants, properties."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, bindparam, select

from proman.db import MOST_IDS, db
from proman.leases.models import Lease
from proman.leases.queries import tenants_of
from proman.leases.standing import place
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_pr: Table = Property.__table__  # type: ignore[assignment]
_t: Table = Tenant.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
_IDS: ColumnElement[int] = bindparam("ids", expanding=True)

_LEASES = (
    select(_l.c.id, place().label("place"), tenants_of.label("tenants"), _l.c.reference)
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_pr, _pr.c.id == _u.c.property_id)
    .where(_l.c.organization_id == _HERE, _l.c.id.in_(_IDS))
)
_TENANTS = select(_t.c.id, _t.c.name).where(_t.c.organization_id == _HERE, _t.c.id.in_(_IDS))
_PROPERTIES = select(_pr.c.id, _pr.c.name).where(_pr.c.organization_id == _HERE, _pr.c.id.in_(_IDS))


@dataclass(frozen=True, slots=True)
class Name:
    """What a row is called, a note to it, and the page that it leads to."""

    words: str
    note: str
    url: str


def names_of_leases(ids: Collection[int]) -> dict[int, Name]:
    """Leases by their tenants, the unit and the reference as the note."""
    return {
        row.id: Name(
            row.tenants or row.reference, f"{row.place} · {row.reference}", f"/leases/{row.id}"
        )
        for row in _rows(_LEASES, ids)
    }


def names_of_tenants(ids: Collection[int]) -> dict[int, Name]:
    """Tenants by name."""
    return {row.id: Name(row.name, "", f"/tenants/{row.id}") for row in _rows(_TENANTS, ids)}


def names_of_properties(ids: Collection[int]) -> dict[int, Name]:
    """Properties by name."""
    return {row.id: Name(row.name, "", f"/properties/{row.id}") for row in _rows(_PROPERTIES, ids)}


NAMES: Mapping[str, Callable[[Collection[int]], dict[int, Name]]] = {
    "lease": names_of_leases,
    "tenant": names_of_tenants,
    "property": names_of_properties,
}


def _rows(statement: Any, ids: Collection[int]) -> Iterable[Row[*tuple[Any, ...]]]:
    chosen = sorted({one for one in ids if one is not None})
    return db.session.execute(statement, {"ids": chosen}).all() if chosen else []


class Named:
    """A row with the name of what it belongs to; its own columns show through."""

    def __init__(self, row: Row[*tuple[Any, ...]], name: Name) -> None:
        self.row = row
        self.name = name
        self.words = name.words
        self.note = name.note

    def __getattr__(self, column: str) -> Any:
        return getattr(self.row, column)


NOBODY = Name("–", "", "")


def named(rows: Iterable[Row[*tuple[Any, ...]]], by: str, key: str = "id") -> Iterator[Named]:
    """The rows with their names, read many at a time; `key` is the column of the id."""
    waiting = iter(list(rows))
    while batch := list(islice(waiting, MOST_IDS)):
        names = NAMES[by]([getattr(row, key) for row in batch])
        for row in batch:
            yield Named(row, names.get(getattr(row, key), NOBODY))
