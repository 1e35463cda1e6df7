"""Remembers what is costly to reckon for as long as nobody changes anything of the organization.

Every change of the business is in the audit trail, in the transaction that makes it. So what was
reckoned from the state behind its newest entry holds until there is a newer one that it could hang
on. The entry's moment is compared too: a restored database numbers its entries anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from sqlalchemy import bindparam, select

from proman.db import db
from proman.identity.models import AuditEntry

Found = TypeVar("Found")
KEPT = 2
"""Of 10,000 leases one takes some ten megabytes."""
_entries: Any = AuditEntry.__table__
_NEWEST = (
    select(_entries.c.id, _entries.c.at)
    .where(_entries.c.organization_id == bindparam("organization_id"))
    .order_by(_entries.c.id.desc())
    .limit(1)
)


class Remembered(Generic[Found]):
    """The last answers to one question, for all threads of the process.

    What was changed of the `aside` subjects (names of tables) cannot change the answer: somebody
    signs in, a payment comes in. Only what surely does not count belongs there.
    """

    def __init__(self, *aside: str) -> None:
        self._newest = _NEWEST.where(_entries.c.subject_type.not_in(aside)) if aside else _NEWEST
        self._kept: OrderedDict[Hashable, Found] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, about: Hashable, reckon: Callable[[], Found]) -> Found:
        """What `reckon` says now, or said of the same since the organization's last change.

        To be asked for reading only: inside a change the trail does not tell of it yet. Nobody
        changes what is returned.
        """
        # Read before anything that is reckoned from: what comes in between is told by the next.
        newest = db.session.execute(self._newest).one_or_none()
        key = (db.session.info["organization_id"], tuple(newest or ()), about)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = reckon()
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found
