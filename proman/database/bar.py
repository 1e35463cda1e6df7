"""Tells on standard error how far a command is: a bar on a terminal, elsewhere nothing."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

REDRAW_SECONDS = 0.1
WIDTH = 30


class Bar:
    """`with Bar() as bar:` and then `bar.show`, which is a `Progress` of the database tools.

    Nothing of it goes to standard output, which belongs to what the command found.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._phase = ""
        self._total = 0
        self._is_open = False
        self._drawn = 0.0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        self._end_line(is_done=kind is None)

    def show(self, phase: str, done: int, total: int) -> None:
        """Moves the bar there; `total` 0 means that nobody knows how much there is to do."""
        if not self._is_terminal:
            return  # nobody watches: what is said is the outcome, or one line of a refusal
        is_new = phase != self._phase
        if is_new:
            self._end_line(is_done=True)
            self._phase = phase
        self._total = total
        if is_new or done >= total or time.monotonic() - self._drawn > REDRAW_SECONDS:
            self._draw(done)

    def _draw(self, done: int) -> None:
        self._write(f"\r{_line(_words(self._phase), done, self._total)}\x1b[K")
        self._is_open = True
        self._drawn = time.monotonic()

    def _end_line(self, is_done: bool) -> None:
        if self._is_open:
            if is_done and self._total:
                self._draw(self._total)
            self._write("\n")
            self._is_open = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _words(phase: str) -> str:
    return phase[:1].upper() + phase[1:]


def _line(words: str, done: int, total: int) -> str:
    room = shutil.get_terminal_size().columns - 1
    if total <= 0:
        return f"{words} …"[:room]
    share = min(max(done, 0), total) / total
    full = int(share * WIDTH)
    return f"{words:<28} [{'#' * full}{'-' * (WIDTH - full)}] {int(share * 100):3d} %"[:room]
