"""Owns that sums are whole numbers everywhere: servers answer SUM() over BIGINT as a decimal."""

from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Engine, event


def bring_whole_numbers(engine: Engine) -> None:
    """Let decimals without a fraction come as int, as SQLite gives them; others stay Decimal.

    No column of ProMan's is a decimal: money and rates are whole numbers of their smallest unit.
    """
    is_postgresql = engine.dialect.name == "postgresql"
    event.listen(engine, "connect", _postgresql if is_postgresql else _mysql)


def whole(text: str) -> int | Decimal:
    """A number as the database writes it."""
    return int(text) if text.removeprefix("-").isdecimal() else Decimal(text)


@cache
def _loader() -> type:
    """Made when it is needed, so that the driver is: on SQLite each command starts without it."""
    from psycopg.adapt import Loader

    class WholeLoader(Loader):
        def load(self, data: Any) -> int | Decimal:
            return whole(bytes(data).decode())

    return WholeLoader


def _postgresql(connection: Any, record: Any) -> None:
    connection.adapters.register_loader("numeric", _loader())


def _mysql(connection: Any, record: Any) -> None:
    from pymysql.constants.FIELD_TYPE import DECIMAL, NEWDECIMAL

    connection.decoders = {**connection.decoders, DECIMAL: whole, NEWDECIMAL: whole}
