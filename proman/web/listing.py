"""Owns lists: filtered, sorted and paged in SQL, with the state in the address, and exported whole.

A domain declares a `Listing` once, at import. Each combination of filters, order and direction is
built into one statement and kept, so that a request only binds values to a prepared statement.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import BindParameter, ColumnElement, Row, Select, and_, bindparam, func, or_

from proman.base.errors import Refused
from proman.database.kept import rows_while_unchanged
from proman.db import db
from proman.web.ids import id_of
from proman.web.pagination import PAGE_ROWS, Cursor, decode


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: the SQL it adds, and how the text of the address becomes its bound values.

    `clause` uses `bindparam`s named like the keys that `values` returns. `values` raises
    ValueError (or returns None) for a text that cannot be meant; the filter is then not applied.
    A filter whose SQL differs by choice gives a mapping of choice to clause.
    """

    clause: ColumnElement[bool] | Mapping[str, ColumnElement[bool]]
    values: Callable[[str], Mapping[str, Any] | None] = lambda text: {}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export: heading, key of the row, kind (text, day, amount, number)."""

    heading: str
    key: str
    kind: str = "text"


@dataclass(frozen=True)
class State:
    """What the address says of a list: filters in force, order, and where the page begins."""

    address: str
    filters: Mapping[str, str]
    sort: str
    descending: bool
    cursor: Cursor | None
    default: str
    usual: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> int:
        """How many filters are in force beyond the usual ones."""
        return sum(self.usual.get(key) != value for key, value in self.filters.items())

    @property
    def order(self) -> str:
        return f"-{self.sort}" if self.descending else self.sort

    def url(self, **changes: str) -> str:
        """The address of the list with other filters, order (`sort`) or page."""
        state = {**self.filters, "sort": self.order, **changes}
        if state["sort"] == self.default:
            del state["sort"]
        said = {key: value for key, value in state.items() if self.usual.get(key) != value}
        query = urlencode({key: value for key, value in said.items() if value})
        return f"{self.address}?{query}" if query else self.address

    def sorted_by(self, key: str) -> str:
        """The address of the list sorted by `key`; by the same key again, the other way round."""
        return self.url(sort=f"-{key}" if key == self.sort and not self.descending else key)

    def direction(self, key: str) -> str:
        """ "asc", "desc", or "" when the list is not sorted by `key`."""
        if key != self.sort:
            return ""
        return "desc" if self.descending else "asc"

    def export(self, kind: str) -> str:
        """The address of the whole filtered list as csv or xlsx."""
        query = self.url().partition("?")[2]
        return f"{self.address.rstrip('/')}.{kind}" + (f"?{query}" if query else "")


@dataclass(frozen=True)
class Page:
    """One page of a list: its rows, how many there are in all, sums, and the ways on."""

    state: State
    rows: list[Row[*tuple[Any, ...]]]
    count: int
    totals: Mapping[str, int]
    first: str = ""
    previous: str = ""
    next: str = ""

    @property
    def is_filtered(self) -> bool:
        return self.state.active > 0


@dataclass(frozen=True)
class Listing:
    """A list of a domain. `rows` selects its columns (with `id`), scoped by bindparam.

    `sorts` maps a key to the column it sorts by (never NULL: coalesce it); `counted` selects from
    the same tables without columns, for the count and the `totals`; it defaults to `rows`.
    `usual` filters are in force where the address does not name them.
    """

    address: str
    rows: Select[*tuple[Any, ...]]
    id: ColumnElement[int]
    sorts: Mapping[str, ColumnElement[Any]]
    default: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    totals: Mapping[str, ColumnElement[int]] = field(default_factory=dict)
    counted: Select[*tuple[Any, ...]] | None = None
    columns: tuple[Column, ...] = ()
    usual: Mapping[str, str] = field(default_factory=dict)
    page_rows: int = PAGE_ROWS
    _built: dict[Any, Select[*tuple[Any, ...]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def page(self, arguments: Mapping[str, str], extra: Mapping[str, Any] | None = None) -> Page:
        """The page that an address asks for; `extra` binds what the statement needs besides."""
        state = self.read(arguments)
        values = {**(extra or {}), **self._values(state.filters)}
        summary = rows_while_unchanged(self._summary(state), values)[0]
        rows = self._fetch(state, values)
        is_more = len(rows) > self.page_rows
        rows = rows[: self.page_rows]
        cursor = state.cursor
        if cursor is not None and cursor.is_backward:
            rows.reverse()
            has_previous, has_next = is_more, True
        else:
            has_previous, has_next = cursor is not None, is_more
        return Page(
            state=state,
            rows=rows,
            count=summary[0],
            totals={key: summary[place] or 0 for place, key in enumerate(self.totals, 1)},
            first=state.url() if has_previous else "",
            previous=self._turn(state, rows[0], "before") if has_previous and rows else "",
            next=self._turn(state, rows[-1], "after") if has_next and rows else "",
        )

    def every(
        self, arguments: Mapping[str, str], extra: Mapping[str, Any] | None = None
    ) -> Iterator[Row[*tuple[Any, ...]]]:
        """Every row that the filters leave, in order, streamed for an export."""
        state = self.read({k: v for k, v in arguments.items() if k not in ("after", "before")})
        statement = self._statement(state, limited=False).execution_options(yield_per=500)
        values = {**(extra or {}), **self._values(state.filters)}
        with db.session.execute(statement, values) as rows:  # one not read to its end stays open
            yield from rows

    def read(self, arguments: Mapping[str, str]) -> State:
        """What an address says; what it cannot mean is left out."""
        order = arguments.get("sort", "") or self.default
        if order.removeprefix("-") not in self.sorts:
            order = self.default
        said = {
            key: arguments[key].strip()
            for key in self.filters
            if arguments.get(key, "").strip() and self._is_meant(key, arguments[key].strip())
        }
        filters = {**self.usual, **said}
        cursor = None
        if arguments.get("after"):
            cursor = decode(arguments["after"], is_backward=False)
        elif arguments.get("before"):
            cursor = decode(arguments["before"], is_backward=True)
        return State(
            self.address,
            filters,
            order.removeprefix("-"),
            order.startswith("-"),
            cursor,
            self.default,
            self.usual,
        )

    def _is_meant(self, key: str, text: str) -> bool:
        clause = self.filters[key].clause
        if isinstance(clause, Mapping):
            return text in clause
        try:
            return self.filters[key].values(text) is not None
        except (ValueError, OverflowError, Refused):
            return False

    def _values(self, filters: Mapping[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, text in filters.items():
            values.update(self.filters[key].values(text) or {})
        return values

    def _clauses(self, filters: Mapping[str, str]) -> list[ColumnElement[bool]]:
        chosen = []
        for key, text in filters.items():
            clause = self.filters[key].clause
            chosen.append(clause[text] if isinstance(clause, Mapping) else clause)
        return chosen

    def _key(self, state: State) -> tuple[tuple[str, str], ...]:
        return tuple(
            (key, text if isinstance(self.filters[key].clause, Mapping) else "")
            for key, text in state.filters.items()
        )

    def _summary(self, state: State) -> Select[*tuple[Any, ...]]:
        key = ("summary", self._key(state))
        if key not in self._built:
            source = self.counted if self.counted is not None else self.rows
            sums = [func.sum(column) for column in self.totals.values()]
            counted: Select[*tuple[Any, ...]] = source.with_only_columns(
                func.count(), *sums, maintain_column_froms=True
            )
            self._built[key] = counted.where(*self._clauses(state.filters)).order_by(None)
        return self._built[key]

    def _statement(self, state: State, *, limited: bool = True) -> Select[*tuple[Any, ...]]:
        cursor = state.cursor
        key = (self._key(state), state.order, cursor and cursor.is_backward, limited)
        if key not in self._built:
            column = self.sorts[state.sort]
            is_down = state.descending != bool(cursor and cursor.is_backward)
            statement = self.rows.add_columns(column.label("sort_value"))
            statement = statement.where(*self._clauses(state.filters))
            if cursor is not None:
                statement = statement.where(self._beyond(column, is_down))
            order = (column.desc(), self.id.desc()) if is_down else (column, self.id)
            statement = statement.order_by(None).order_by(*order)
            self._built[key] = statement.limit(self.page_rows + 1) if limited else statement
        return self._built[key]

    def _beyond(self, column: ColumnElement[Any], is_down: bool) -> ColumnElement[bool]:
        # The first condition alone lets an index find the place; the second decides among equals.
        value: BindParameter[Any] = bindparam("cursor_value")
        row_id: BindParameter[Any] = bindparam("cursor_id")
        if is_down:
            return and_(column <= value, or_(column < value, self.id < row_id))
        return and_(column >= value, or_(column > value, self.id > row_id))

    def _fetch(self, state: State, values: Mapping[str, Any]) -> list[Row[*tuple[Any, ...]]]:
        bound = dict(values)
        if state.cursor is not None:
            bound.update(cursor_value=state.cursor.value, cursor_id=state.cursor.id)
        return list(db.session.execute(self._statement(state), bound).all())

    def _turn(self, state: State, row: Row[*tuple[Any, ...]], way: str) -> str:
        return state.url(**{way: Cursor(row.sort_value, row.id).encode()})


def contains(text: str) -> dict[str, str]:
    """The bound value `q` of a search: the text anywhere, any case, wildcards taken as said."""
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"q": f"%{escaped}%"}


def matches(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether any of the columns contains the searched text (`bindparam("q")`)."""
    return or_(*(func.lower(column).like(bindparam("q"), escape="\\") for column in columns))


def of_id(name: str) -> Callable[[str], Mapping[str, int] | None]:
    """Bound value of a filter by an id; a number that no row can have is not meant."""
    return lambda text: None if (found := id_of(text)) is None else {name: found}
