"""Owns isolation: which rows a session may see, by the organization it works for.

ORM statements get the organization's criterion from the session. Core statements on a scoped table
are refused unless they carry `bindparam("organization_id")` (in UPDATE and DELETE:
`bindparam("of_organization")`, because a parameter named like a column would be taken for a value
to set); the session supplies the value. A statement marked `execution_options(everywhere=True)` is
an explicit, reviewed exception: login, doctor, jobs.
"""

from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, ClauseElement, Column, Select, Table, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import visitors

from proman.db import Base, Scoped
from proman.db import Session as ProManSession

KEY = "organization_id"
KEY_IN_CHANGES = "of_organization"
_described: "WeakKeyDictionary[ClauseElement, tuple[bool, bool, bool]]" = WeakKeyDictionary()


class OutsideOrganization(RuntimeError):
    """A statement would have reached rows beyond the organization at work."""


def install() -> None:
    """Attach the rule to ProMan's session class; calling it again changes nothing."""
    if not event.contains(ProManSession, "do_orm_execute", _scope_statement):
        event.listen(ProManSession, "do_orm_execute", _scope_statement)
        event.listen(ProManSession, "before_flush", _scope_flush)


def _is_scoped(table: Any) -> bool:
    return isinstance(table, Table) and KEY in table.c and table.metadata is Base.metadata


def _describe(statement: ClauseElement) -> tuple[bool, bool, bool]:
    """Whether a statement touches scoped tables, one of them raw, and carries the key."""
    known = _described.get(statement)
    if known is not None:
        return known
    carries = is_raw_inside = False
    by_entity: set[str] = set()
    plain: set[str] = set()
    for element in visitors.iterate(statement):
        if isinstance(element, BindParameter):
            carries = carries or element.key in (KEY, KEY_IN_CHANGES)
        elif isinstance(element, Select) and element is not statement:
            is_raw_inside = is_raw_inside or _describe(element)[1]
        elif isinstance(element, (Column, Table)):
            # The column of a subquery may be an expression, which belongs to no table.
            bases = getattr(element, "base_columns", ())
            tables = {getattr(base, "table", None) for base in bases} or {element}
            names = {table.name for table in tables if table is not None and _is_scoped(table)}
            (by_entity if "parententity" in element._annotations else plain).update(names)
    # An entity brings its plain table and columns along; a table is raw where no entity did.
    raw = is_raw_inside or not plain <= by_entity
    described = (bool(by_entity or plain), raw, carries)
    _described[statement] = described
    return described


def _scope_statement(state: ORMExecuteState) -> None:
    if state.execution_options.get("everywhere") or state.is_column_load:
        return
    scoped, raw, carries = _describe(cast(ClauseElement, state.statement))
    if not scoped:
        return
    organization_id = state.session.info.get(KEY)
    if organization_id is None:
        raise OutsideOrganization(f"No organization is set for: {state.statement}")
    if state.is_insert and not carries:
        _scope_insert(state, organization_id)
        return
    if raw and not carries:
        raise OutsideOrganization(f"Statement does not name its organization: {state.statement}")
    if state.is_orm_statement:
        state.statement = state.statement.options(
            with_loader_criteria(
                Scoped, lambda one: one.organization_id == organization_id, include_aliases=True
            )
        )
    if carries:
        key = KEY if state.is_select else KEY_IN_CHANGES
        rows = [{**row, key: organization_id} for row in _rows(state)]
        state.parameters = rows if isinstance(state.parameters, (list, tuple)) else rows[0]


def _rows(state: ORMExecuteState) -> list[dict[str, Any]]:
    """The parameters as rows, the very dictionaries that will be bound."""
    if isinstance(state.parameters, (list, tuple)):
        return cast("list[dict[str, Any]]", state.parameters)
    return [cast("dict[str, Any]", {} if state.parameters is None else state.parameters)]


def _scope_insert(state: ORMExecuteState, organization_id: int) -> None:
    for row in _rows(state):
        if row.setdefault(KEY, organization_id) != organization_id:
            raise OutsideOrganization("A row of another organization was to be inserted")


def _scope_flush(session: Session, context: UOWTransaction, instances: Any) -> None:
    organization_id = session.info.get(KEY)
    for entity in session.new:
        if not isinstance(entity, Scoped):
            continue
        own: int | None = entity.organization_id
        if own is None and organization_id is not None:
            entity.organization_id = organization_id
        if organization_id is not None and entity.organization_id != organization_id:
            raise OutsideOrganization(f"{entity!r} belongs to another organization")
