"""Does a unit of work again when the database took it back in favour of another.

PostgreSQL and MySQL may choose a transaction as the victim of a deadlock or a conflict, and so does
a Galera node whose transaction another node's was certified before. Such a transaction is gone as a
whole, and the server asks for it to be tried again. Nothing else is tried again: of a connection
that broke at COMMIT nobody knows whether it was done.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from proman import logs
from proman.db import db, is_saved

log = logging.getLogger(__name__)
ATTEMPTS = 20
"""Two nodes of a Galera cluster that change one organization all the time take turns by chance."""
_LONGEST_PAUSE = 0.2
_POSTGRESQL = {"40001", "40P01"}
"""serialization_failure and deadlock_detected (PostgreSQL, appendix A)."""
_MYSQL = {1213}
"""ER_LOCK_DEADLOCK, which Galera also says of a failed certification."""
_LOOKED_TOO_SOON = {1684}
"""ER_WARN_I_S_SKIPPED_TABLE: what was asked of a table while another changes its definition."""
Result = TypeVar("Result")


def was_taken_back(error: DBAPIError) -> bool:
    """Whether the server says that the transaction is to be tried again as a whole."""
    return getattr(error.orig, "sqlstate", None) in _POSTGRESQL or _number(error) in _MYSQL


def _number(error: DBAPIError) -> object:
    """What MySQL numbers the error with; of another database whatever its error begins with."""
    return next(iter(getattr(error.orig, "args", ())), None)


def again_if_taken_back(attempt: Callable[[], Result]) -> Result:
    """What `attempt` returns; it runs again when the database took it back.

    So it does when it looked at a table whose definition another was changing. For what stands on
    a connection of its own, which it opens and closes. The error is raised after twenty attempts,
    any other at once.
    """
    for number in range(1, ATTEMPTS):
        try:
            return attempt()
        except DBAPIError as error:
            if not (was_taken_back(error) or _number(error) in _LOOKED_TOO_SOON):
                raise
            _pause(number)
    return attempt()


def until_it_stands(
    work: Callable[[], Result], start_over: Callable[[], None] = lambda: None
) -> Result:
    """What `work` returns; it runs again, from its beginning, when its transaction was taken back.

    `work` begins, changes and commits, and does nothing else that lasts before its commit; before
    it runs again, `start_over` is called. The error is raised after twenty attempts, any
    other at once.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except DBAPIError as error:
            if is_saved() or not was_taken_back(error):
                raise
            db.session.rollback()
            log.info("Taken back by the database, tried again (%d): %s", attempt, logs.told(error))
            _pause(attempt)
            start_over()
    return work()


def _pause(attempt: int) -> None:
    # Spread out, so that those who met do not meet again.
    time.sleep(random.uniform(0, min(0.02 * 2**attempt, _LONGEST_PAUSE)))
