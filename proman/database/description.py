"""Describes a schema as lines that can be compared: what `flask db check` sees and what it cannot.

Tables, columns, keys, indexes; and checks, exclusions, triggers and views, which Alembic passes by.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from sqlalchemy import Connection, Dialect, Inspector, inspect, text
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.exc import SAWarning

from proman.database.autogenerate import OWN_TABLES
from proman.database.common_ground import is_mysql

Schema = dict[str, str]
"""What each thing is, by its kind and name: `column leases.status` → `VARCHAR(10) not null`."""
NO_PART = OWN_TABLES | {"alembic_version"}
_TRIGGERS = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT relname, tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = tgrelid "
    "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace",
    "mysql": "SELECT event_object_table, trigger_name, "
    "concat(action_timing, ' ', event_manipulation, ' ', action_statement) "
    "FROM information_schema.triggers WHERE trigger_schema = database()",
}
_CONSTRAINTS = (
    "SELECT relname, conname, contype = 'x', pg_get_constraintdef(o.oid) FROM pg_constraint o "
    "JOIN pg_class c ON c.oid = conrelid "
    "WHERE contype IN ('c', 'x') AND relnamespace = current_schema()::regnamespace"
)
_RESTORED_TEXT = re.compile(r"\(('(?:[^']|'')*'::character varying)\)::text")
_RESTORED_LIST = re.compile(rf"ARRAY\[({_RESTORED_TEXT.pattern}(?:, {_RESTORED_TEXT.pattern})*)\]")
_STORAGE = (
    "SELECT table_name, engine, table_collation FROM information_schema.tables "
    "WHERE table_schema = database() AND table_type = 'BASE TABLE'"
)


def describe(connection: Connection) -> Schema:
    """The schema as it is now, the tools' own tables apart."""
    inspector = inspect(connection)
    engine = engine_of(connection)
    with warnings.catch_warnings():
        # Of an index on an expression, which SQLAlchemy leaves out, _sqlite_indexes tells.
        warnings.filterwarnings("ignore", "Skipped unsupported reflection", SAWarning)
        found = dict(_tables(inspector))
    if engine == "postgresql":
        found |= _postgresql_constraints(connection)
    else:
        found |= _checks(inspector)
    if engine == "sqlite":
        found |= _sqlite_indexes(connection)
    if engine == "mysql":
        for table, storage, collation in connection.execute(text(_STORAGE)):
            found[f"table {table}"] = f"{storage} {collation}"
    for table, name, statement in connection.execute(text(_TRIGGERS[engine])):
        found[f"trigger {table}.{name}"] = _one_line(statement)
    found |= {f"view {name}": "" for name in inspector.get_view_names()}
    return {key: what for key, what in found.items() if _counts(key, found)}


def engine_of(connection: Connection) -> str:
    """sqlite, postgresql or mysql, whose schemas MariaDB shares."""
    return connection.dialect.name.replace("mariadb", "mysql")


def table_of(key: str) -> str:
    """The table that a line is about."""
    return key.split(" ", 1)[1].split(".", 1)[0]


def _counts(key: str, found: Schema) -> bool:
    """All but the tools' own tables, and the index that an exclusion is made of."""
    kind, name = key.split(" ", 1)
    is_made_of = kind == "index" and f"exclusion {name}" in found
    return table_of(key) not in NO_PART and not is_made_of


def _tables(inspector: Inspector) -> Iterator[tuple[str, str]]:
    for (_, table), columns in inspector.get_multi_columns().items():
        yield f"table {table}", ""
        for column in columns:
            yield f"column {table}.{column['name']}", _column(inspector, column)
    for (_, table), key in inspector.get_multi_pk_constraint().items():
        if key["constrained_columns"]:
            yield f"key {table}", _names(key["constrained_columns"])
    unique: set[tuple[str, str | None]] = set()
    for (_, table), constraints in inspector.get_multi_unique_constraints().items():
        for one in constraints:
            unique.add((table, one["name"]))
            yield f"unique {table}.{one['name']}", _names(one["column_names"])
    if inspector.dialect.name != "sqlite":
        yield from _indexes(inspector, unique)
    for (_, table), references in inspector.get_multi_foreign_keys().items():
        for to in references:
            target = f"{to['referred_table']} {_names(to['referred_columns'])}"
            options = "".join(f" {key} {value}" for key, value in sorted(to["options"].items()))
            what = f"{_names(to['constrained_columns'])} to {target}{options}"
            yield f"reference {table}.{to['name']}", what


def _indexes(
    inspector: Inspector, unique: set[tuple[str, str | None]]
) -> Iterator[tuple[str, str]]:
    for (_, table), indexes in inspector.get_multi_indexes().items():
        for index in indexes:
            if (table, index["name"]) in unique:
                continue
            kind = "unique " if index["unique"] else ""
            more = {key: value for key, value in index.get("dialect_options", {}).items() if value}
            names = _names(index.get("expressions") or index["column_names"])
            yield f"index {table}.{index['name']}", f"{kind}{names}{more or ''}"


def _sqlite_indexes(connection: Connection) -> Schema:
    """Read past SQLAlchemy, which leaves out those on expressions."""
    statement = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''"
    return {
        f"index {table}.{name}": ("unique " if sql[7:13] == "UNIQUE" else "")
        + _one_line(sql[sql.index("(") :])
        for table, name, sql in connection.execute(text(statement))
    }


def _column(inspector: Inspector, column: ReflectedColumn) -> str:
    kind = column["type"].compile(dialect=inspector.dialect)
    # MySQL no longer tells how wide a number is shown; of its collations the table's line tells.
    kind = re.sub(r"^((?:BIG|SMALL)INT|INTEGER)\(\d+\)", r"\1", kind)
    kind = re.sub(r" (CHARACTER SET|COLLATE) (utf8mb4|utf8mb4_bin)\b", "", kind)
    default = column["default"]
    return "".join(
        (
            kind,
            "" if column["nullable"] else " not null",
            "" if default is None else f" default {_one_line(default)}",
            " auto_increment" if _numbers_itself(inspector, column) else "",
        )
    )


def _numbers_itself(inspector: Inspector, column: ReflectedColumn) -> bool:
    return inspector.dialect.name in ("mysql", "mariadb") and column.get("autoincrement") is True


def plain_check(dialect: Dialect, said: str) -> str:
    """What a check says, without what each server writes in a manner of its own."""
    if is_mysql(dialect):
        return re.sub(r"[`()\s]|_utf8mb4", "", said)
    return _as_first_said(_one_line(said))


def _as_first_said(check: str) -> str:
    """PostgreSQL says a list of texts otherwise once it was dumped and restored.

    `(ARRAY['a'::character varying])::text[]` comes back as `ARRAY[('a'::character varying)::text]`.
    """
    return _RESTORED_LIST.sub(
        lambda found: "(ARRAY[" + _RESTORED_TEXT.sub(r"\1", found[1]) + "])::text[]", check
    )


def _checks(inspector: Inspector) -> Schema:
    return {
        f"check {table}.{one['name']}": plain_check(inspector.dialect, one["sqltext"])
        for (_, table), checks in inspector.get_multi_check_constraints().items()
        for one in checks
    }


def _postgresql_constraints(connection: Connection) -> Schema:
    return {
        f"{'exclusion' if is_exclusion else 'check'} {table}.{name}": plain_check(
            connection.dialect, definition
        )
        for table, name, is_exclusion, definition in connection.execute(text(_CONSTRAINTS))
    }


def _names(names: object) -> str:
    return f"({', '.join(str(name) for name in names)})"  # type: ignore[attr-defined]


def _one_line(statement: str) -> str:
    return " ".join(statement.split())
