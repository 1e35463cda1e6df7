"""Knows a node of a MariaDB Galera cluster, and has it wait for what the other nodes did."""

from __future__ import annotations

import contextlib
from typing import Any

from sqlalchemy import Connection, Engine, event

from proman.database.common_ground import is_mysql
from proman.db import GALERA

SEE_ALL = "SET SESSION wsrep_sync_wait = 3"
"""Reads and changes wait until the node has done what others had done before."""
_HOW_MANY = "SHOW STATUS LIKE 'wsrep_cluster_size'"


def nodes(connection: Connection) -> int:
    """How many nodes the cluster has that the connection leads into; 0 where there is none."""
    if not is_mysql(connection.dialect):
        return 0
    row = connection.exec_driver_sql(_HOW_MANY).first()
    return 0 if row is None else int(row[1])


def watch_for(engine: Engine) -> None:
    """Marks the engine's connections to nodes; whoever changed something through one node sees it
    through every other.
    """

    def look(connection: Any, record: Any) -> None:
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(_HOW_MANY)
            row = cursor.fetchone()
            if row is not None and int(row[1]):
                cursor.execute(SEE_ALL)
                record.info[GALERA] = True

    event.listen(engine, "connect", look)
