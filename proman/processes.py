"""Several processes that do the same work: forked, watched, replaced when they die, drained."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

log = logging.getLogger(__name__)
_ENDS = (signal.SIGTERM, signal.SIGINT)
SHORT_LIFE = 1.0
"""Seconds; whose process did not live longer is replaced after as long, not at once."""


def keep_running(count: int, work: Callable[[int], None]) -> None:
    """Run `work(number)` in `count` processes, numbered from 0, until TERM or INT.

    One that ends is replaced. TERM and INT are passed on, then all are waited for. `work` must end
    on TERM, which raises SystemExit unless it takes the signal itself. Should this process itself
    be killed, the others end as if told to. The caller holds no thread and no connection: what a
    fork would share.
    """
    _Crew(work).run(count)


class _Crew:
    def __init__(self, work: Callable[[int], None]) -> None:
        self._work = work
        self._numbers: dict[int, int] = {}
        self._begun: dict[int, float] = {}
        self._is_ending = False
        # Nobody writes to it: it closes when this process is gone, however it went.
        self._lifeline, self._held = os.pipe()

    def run(self, count: int) -> None:
        for each in _ENDS:
            signal.signal(each, self._end)
        for number in range(count):
            self._start(number)
        while self._numbers:
            process, status = os.wait()
            number = self._numbers.pop(process)
            if not self._is_ending:
                log.warning("Server process %d %s; another takes its place", process, _fate(status))
                if time.monotonic() - self._begun.pop(process) < SHORT_LIFE:
                    time.sleep(SHORT_LIFE)
                self._start(number)

    def _end(self, received: int, frame: FrameType | None) -> None:
        self._is_ending = True
        for process in self._numbers:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)

    def _start(self, number: int) -> None:
        with _signals_held():
            if self._is_ending:
                return
            process = os.fork()
            if process == 0:
                self._be(number)
            self._numbers[process], self._begun[process] = number, time.monotonic()

    def _be(self, number: int) -> NoReturn:
        """The life of a forked process."""
        code = 1
        try:
            os.close(self._held)
            signal.signal(signal.SIGTERM, _leave)
            # Control-C reaches every process of the terminal; the first one passes it on as TERM.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
            threading.Thread(target=self._follow, daemon=True, name="lifeline").start()
            self._work(number)
            code = 0
        except SystemExit:
            code = 0
        except BaseException:
            log.exception("Server process %d failed", os.getpid())
        finally:
            logging.shutdown()
            os._exit(code)

    def _follow(self) -> None:
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _signals_held() -> Iterator[None]:
    """No signal between a fork and the note of whom it made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave(received: int, frame: FrameType | None) -> None:
    # Until the work has its own way to end.
    raise SystemExit(0)


def _fate(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with {os.waitstatus_to_exitcode(status)}"
