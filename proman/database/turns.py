"""Turns at writing to a SQLite file, across processes: who waited longest is next.

SQLite lets one connection write and makes the others try again now and then, so that a process
which writes without pause keeps the rest out for seconds. Here whoever waits for the turn holds the
place behind the one who has it, and nobody can slip in between.
"""

import fcntl
import os
import time
from pathlib import Path

from proman.base.private import open_private

PLACE, TURN = "-place", "-turn"
"""Files beside the database; they stay empty and mean nothing while nobody has them open."""
LOOK_SECONDS = 0.001


def take_turn(database: Path, seconds: float) -> int:
    """A descriptor that holds the turn until it is closed, or until the process is gone.

    Raises TimeoutError when it has not come within `seconds`, OSError as `os.open` does.
    """
    deadline = time.monotonic() + seconds
    place = _lock(Path(f"{database}{PLACE}"), deadline)
    try:
        return _lock(Path(f"{database}{TURN}"), deadline)
    finally:
        os.close(place)


def _lock(path: Path, deadline: float) -> int:
    # Opened each time: a descriptor that was open before a fork would share its lock.
    descriptor = open_private(path, os.O_RDWR)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{path.name} is held") from None
                time.sleep(LOOK_SECONDS)
            else:
                return descriptor
    except BaseException:
        os.close(descriptor)
        raise
