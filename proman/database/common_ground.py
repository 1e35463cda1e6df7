"""Owns the common ground of MySQL and MariaDB: what is proven on one of them runs on the other."""

from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

SQL_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
"""In force on every connection, whatever the server's own: nothing is cut off or put to rights."""
TABLES = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
"""How every table is made. The server's own collation would take Müller for muller."""


def is_mysql(dialect: Dialect) -> bool:
    """Whether it is MySQL or MariaDB, by either name in the address."""
    return dialect.name in ("mysql", "mariadb")


def table_options(dialect: Dialect) -> str:
    """What follows the columns in a CREATE TABLE of the tools' own: nothing where it is not MySQL.

    The server may be set to an alphabet that holds few names.
    """
    return f" {TABLES}" if is_mysql(dialect) else ""


def keep_to_common_ground(engine: Engine) -> None:
    """Let SQLAlchemy send MariaDB no statement that MySQL does not know."""

    def plain(connection: Any, record: Any) -> None:
        engine.dialect.insert_returning = False
        engine.dialect.delete_returning = False

    event.listen(engine, "connect", plain)


@compiles(CreateTable, "mysql", "mariadb")
def _create_table(element: CreateTable, compiler: Any, **options: Any) -> str:
    return f"{compiler.visit_create_table(element, **options).rstrip()} {TABLES}\n\n"
