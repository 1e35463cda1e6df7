"""Owns the declarative base, column types, the `db` extension and the one way to begin a change."""

import json
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    Select,
    Text,
    TypeDecorator,
    Update,
    bindparam,
    column,
    false,
    select,
    table,
    update,
)
from sqlalchemy.dialects.mysql import DATETIME, MEDIUMTEXT
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

Id = BigInteger().with_variant(Integer(), "sqlite")
Minor = BigInteger()
"""Money in minor units of the organization's currency."""
MOST_IDS = 20_000
"""Ids in one statement; SQLite takes 32,766 parameters, the servers more."""
Moment = DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
"""An instant, stored as naive UTC."""
LongText = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")


class JsonText(TypeDecorator[Any]):
    """A JSON value kept as text, the same on every engine."""

    impl = LongText
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)


_organizations = table("organizations", column("id"), column("changes"))
_LOCK_ORGANIZATION: Select[tuple[int]] = (
    select(_organizations.c.id)
    .where(_organizations.c.id == bindparam("own_id"))
    .with_for_update(key_share=True)
)


_CLAIM_ORGANIZATION: Update = (
    update(_organizations)
    .where(_organizations.c.id == bindparam("own_id"))
    .values(changes=_organizations.c.changes + 1)
)
GALERA = "galera"
"""In a connection's `info` when it leads to a node of a Galera cluster."""


class OutcomeUnknown(Exception):
    """The connection broke at COMMIT: the change is kept or it is not, and nobody knows which."""


class Session(FlaskSession):
    """The scoped session; it knows the organization it works for (`info["organization_id"]`)."""

    def commit(self) -> None:
        """Keep the change. Raises OutcomeUnknown when the database was lost in the middle of it."""
        try:
            super().commit()
        except DBAPIError as error:
            # Of a statement that failed it is known: it was no COMMIT.
            if error.connection_invalidated and error.statement is None:
                raise OutcomeUnknown from error
            raise
        self.info["is_saved"] = True

    def rollback(self) -> None:
        """Take back what is not committed; a database that is lost does so itself.

        So does one that refuses even this, as a node does that was cut off from its cluster, once
        the connection is thrown away.
        """
        try:
            super().rollback()
        except DBAPIError as error:
            if not error.connection_invalidated:
                self.invalidate()

    def close(self) -> None:
        """End the transaction and forget what was loaded, whether the database is lost or not."""
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                self.invalidate()
            super().close()  # of the lost connection nothing is asked any more

    def read_from(self, engine: Engine | None) -> None:
        """Read from a replica from now on, until the next change; None: from the database itself.

        Ends the transaction under way.
        """
        self.rollback()
        self.info["reads_from"] = engine

    def get_bind(self, *arguments: Any, bind: Any = None, **options: Any) -> Engine | Connection:
        """The engine of a statement: the replica while it is read from."""
        return bind or self.info.get("reads_from") or super().get_bind(*arguments, **options)

    def begin_write(self) -> None:
        """Begin a change: end the read transaction and open one that holds the write lock.

        SQLite has one such lock, on a server each organization has its own: its row. It is written
        on a node of a Galera cluster, because what is only locked there is no other node's
        business. So nobody else changes the organization until the transaction ends, and what is
        read after this call is what the last change left. Entities must be loaded after it: in a
        transaction that read first they would be older.

        Without an organization a server locks nothing here: what is changed is read
        `with_for_update`.

        Raises RuntimeError when the session already holds changes that were not committed.
        """
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("begin_write() must come before the first change")
        self.read_from(None)
        self.info["has_written"] = True
        self.info["is_saved"] = False
        connection = self.connection(execution_options={"write": True})
        organization_id = self.info.get("organization_id")
        if organization_id is not None and connection.dialect.name != "sqlite":
            is_galera = connection.info.get(GALERA)
            statement = _CLAIM_ORGANIZATION if is_galera else _LOCK_ORGANIZATION
            connection.execute(statement, {"own_id": organization_id})


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"class_": Session, "autoflush": False},
)


def begin_write() -> None:
    """Begin a change on the current session (see `Session.begin_write`)."""
    session = db.session()
    assert isinstance(session, Session)
    session.begin_write()


def is_saved() -> bool:
    """Whether the last change that was begun on the current session is committed."""
    return bool(db.session.info.get("is_saved"))


class Scoped:
    """A row that belongs to one organization; the session filters and fills the column."""

    organization_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organizations.id", ondelete="RESTRICT"), nullable=False
    )


def id_column() -> MappedColumn[int]:
    return mapped_column(Id, primary_key=True)


def foreign_key(target: str, **options: Any) -> MappedColumn[Any]:
    """A foreign key that never cascades: what is referred to cannot be deleted."""
    return mapped_column(Id, ForeignKey(target, ondelete="RESTRICT"), **options)


def flag() -> MappedColumn[bool]:
    return mapped_column(Boolean, nullable=False, default=False, server_default=false())


def utc_now() -> datetime:
    """The instant, as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def moment(*, nullable: bool = True) -> MappedColumn[Any]:
    """An instant; one that must be there defaults to when the row is written."""
    return mapped_column(Moment, nullable=nullable, default=None if nullable else utc_now)
