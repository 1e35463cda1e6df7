"""Runs waitress until TERM or INT, and lets what it was asked by then end before it leaves.

Waitress itself leaves at once: what waits for a thread is reset, answers that are not sent yet are
lost, and five seconds later so is what still runs.
"""

import select
import signal
import time
from types import FrameType

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, MultiSocketServer

SECONDS = 9.0
"""How long what was asked may take then; those who stop a container kill it after ten."""
_GLANCE = 0.05
_BACKLOG = 1024


def run(server: BaseWSGIServer | MultiSocketServer, listening: dict[int, object]) -> None:
    """Answer requests until TERM or INT; then no new connection, but every open request.

    `listening` is the map that the server was created with; all that is in it is closed at the
    end. A second INT, as from an impatient keyboard, ends it at once; TERM may come from several
    sides. Must be called in the main thread.
    """
    told: list[int] = []
    doors = [one for one in listening.values() if isinstance(one, BaseWSGIServer)]

    def end(number: int, frame: FrameType | None) -> None:
        if told and number == signal.SIGINT:
            raise SystemExit(0)
        told.append(number)
        doors[0].pull_trigger()  # wakes the loop up

    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, end)
    try:
        while not told:
            wasyncore.loop(timeout=doors[0].adj.asyncore_loop_timeout, map=listening, count=1)
        _drain(server, doors, listening)
    finally:
        server.task_dispatcher.shutdown(timeout=0.5)
        # Not server.close(): with several addresses that would wait for the threads once more.
        wasyncore.close_all(listening, ignore_all=True)


def _drain(
    server: BaseWSGIServer | MultiSocketServer,
    doors: list[BaseWSGIServer],
    listening: dict[int, object],
) -> None:
    until = time.monotonic() + SECONDS
    for door in doors:
        _let_in(door)
        # Not door.close(): those who answer still wake the loop up by its trigger.
        wasyncore.dispatcher.close(door)
    is_quiet = False
    while time.monotonic() < until:
        wasyncore.loop(timeout=0 if is_quiet else _GLANCE, map=listening, count=1)
        # Twice, with a look at the connections between: something may have come in meanwhile.
        was_quiet, is_quiet = is_quiet, _is_quiet(server, listening)
        if was_quiet and is_quiet:
            return


def _let_in(door: BaseWSGIServer) -> None:
    """Take the connections that wait already: a closed door resets them."""
    for _ in range(_BACKLOG):
        if not select.select([door.socket], [], [], 0)[0]:
            return
        door.handle_accept()


def _is_quiet(server: BaseWSGIServer | MultiSocketServer, listening: dict[int, object]) -> bool:
    """Whether nobody is answered and no answer is on its way."""
    dispatcher = server.task_dispatcher
    with dispatcher.lock:
        if dispatcher.queue or dispatcher.active_count:
            return False
    return not any(
        isinstance(one, HTTPChannel) and (one.requests or one.request or one.total_outbufs_len)
        for one in listening.values()
    )
