"""Runs ProMan as people run it: `proman serve` as a process of its own, on a file of its own."""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from proman.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
START_SECONDS = 60


class Server:
    """A running server: its address, its data directory, its process and what it printed."""

    def __init__(
        self, folder: Path, *arguments: str, user: int | None = None, **environment: str
    ) -> None:
        self.folder = folder
        self.environment = environment
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [str(PROGRAMS / "proman"), "serve", *arguments],
            cwd=ROOT,
            env=environment_of(folder, **environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **({} if user is None else {"user": user, "group": 0, "extra_groups": []}),
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        found = re.search(r"http://[\w.:]+\d", self.wait_for("ProMan is running on "))
        assert found is not None
        self.url = found[0]

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_for(self, words: str) -> str:
        """The line that holds the words, as soon as it is printed."""
        while True:
            line = self._queue.get(timeout=START_SECONDS)
            if line is None:
                raise RuntimeError("The server ended:\n" + "\n".join(self.lines))
            self.lines.append(line)
            if words in line:
                return line

    def rest(self) -> list[str]:
        """Every line that it printed, once it has ended."""
        while (line := self._queue.get(timeout=START_SECONDS)) is not None:
            self.lines.append(line)
        return self.lines

    def flask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `flask …` beside the server, on its installation."""
        return flask(self.folder, *words, **self.environment)

    def kill(self) -> None:
        """End it as a power cut would: no handler runs."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def stop(self) -> int:
        """End it as an operator would; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self._reader.join()
        return code


def environment_of(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a command or server that lives in `folder`."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("PROMAN_")}
    for name in ("DATABASE_URL", "SECRET_KEY", "SMTP_URL"):
        own.pop(name, None)
    return own | {
        "FLASK_APP": "proman",
        "PROMAN_DATA_DIR": str(folder),
        "PORT": "0",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def database_of(settings: Settings) -> dict[str, str]:
    """What tells a process which database a test is on, whatever its engine."""
    return {"DATABASE_URL": settings.database_url.render_as_string(hide_password=False)}


def flask(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `flask …` on the installation in `folder`."""
    return subprocess.run(
        [str(PROGRAMS / "flask"), *arguments],
        cwd=ROOT,
        env=environment_of(folder, **environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )


def installation(folder: Path, database: Path) -> Path:
    """An installation in `folder` whose database is a copy of a closed file."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(database, folder / "proman.sqlite")
    return folder


@contextmanager
def serving(
    folder: Path, *arguments: str, user: int | None = None, **environment: str
) -> Iterator[Server]:
    """A server on the installation in `folder`, killed at the end if it still runs."""
    server = Server(folder, *arguments, user=user, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


Starter = Callable[..., Server]
