"""Turns at writing: one at a time across processes, in the order of asking, free after a death."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from proman.database.turns import PLACE, TURN, take_turn
from tests.test_processes import wait_until

LONG = 30.0


def is_held(path: Path) -> bool:
    """Whether somebody has the file locked."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def in_a_process(work: Callable[[], None]) -> int:
    """Fork; the child works and is gone."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def test_who_had_it_waits_behind_who_waited(tmp_path: Path) -> None:
    database, order = tmp_path / "db", tmp_path / "order"
    mine = take_turn(database, LONG)

    def other() -> None:
        os.close(mine)  # a fork shares what is open
        turn = take_turn(database, LONG)
        order.write_text("other")
        os.close(turn)

    pid = in_a_process(other)
    wait_until(lambda: is_held(Path(f"{database}{PLACE}")))
    again: list[str] = []

    def ask_again() -> None:
        turn = take_turn(database, LONG)
        again.append(order.read_text() if order.exists() else "nobody")
        os.close(turn)

    asking = threading.Thread(target=ask_again)
    asking.start()
    os.close(mine)
    asking.join()
    os.waitpid(pid, 0)
    assert again == ["other"]


def test_a_death_frees_it(tmp_path: Path) -> None:
    database = tmp_path / "db"

    def hold() -> None:
        take_turn(database, LONG)
        time.sleep(LONG)

    pid = in_a_process(hold)
    turn = Path(f"{database}{TURN}")
    wait_until(lambda: turn.exists() and is_held(turn))
    with pytest.raises(TimeoutError):
        take_turn(database, 0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(take_turn(database, LONG))


def test_a_place_given_up_is_free(tmp_path: Path) -> None:
    database = tmp_path / "db"
    held = take_turn(database, LONG)
    with pytest.raises(TimeoutError):
        take_turn(database, 0.05)
    assert not is_held(Path(f"{database}{PLACE}"))
    os.close(held)
