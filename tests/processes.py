"""Processes that begin at once: forked from a server that has loaded ProMan already."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from flask.cli import ScriptInfo

from proman.app import create_app
from proman.settings import Settings

SECONDS = 120
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.processes"])


@dataclass
class Running:
    """A process, and the file that takes all it says."""

    process: BaseProcess
    said: Path

    def end(self) -> tuple[int | None, str]:
        """Its exit code (negative: the signal that ended it) and all it said, once it has ended."""
        self.process.join(SECONDS)
        assert self.process.exitcode is not None, "it does not end"
        return self.process.exitcode, self.said.read_text()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.join(SECONDS)


def start(folder: Path, act: Callable[..., None], *arguments: Any) -> Running:
    """Starts the function of a module in a process of its own."""
    said = folder / f"said-{len(list(folder.glob('said-*')))}"
    said.touch()
    process = _CONTEXT.Process(target=_redirected, args=(said, act, arguments), daemon=True)
    process.start()
    return Running(process, said)


def flask(settings: Settings, *arguments: str) -> Running:
    """Starts `flask …` on an installation."""
    return start(settings.data_dir, run_flask, settings, arguments)


def run_flask(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Runs `flask …` in this process, and ends it with its exit code."""
    app = create_app(settings)
    app.cli.main(args=list(arguments), obj=ScriptInfo(create_app=lambda: app))


def _redirected(said: Path, act: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    descriptor = os.open(said, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # Whoever runs in the background of a shell hands down that it is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    act(*arguments)


def pipe() -> tuple[Any, Any]:
    """Two ends of a connection, to give one to a process."""
    return _CONTEXT.Pipe()
