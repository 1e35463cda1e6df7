"""Database servers of a test's own, with settings of its own, ended and removed afterwards."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import OperationalError

from proman.addresses import parse_database_url

SECONDS = 60


class MariaDB:
    """A MariaDB of one's own in a folder, started with these options."""

    def __init__(self, folder: Path, *options: str) -> None:
        for program in ("mariadb-install-db", "mariadbd"):
            if shutil.which(program) is None:
                pytest.skip(f"needs {program} on this machine")
        self._log, port = folder / "log", free_port()
        common = ["--no-defaults", "--user=root", f"--datadir={folder / 'mariadb'}"]
        install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
        subprocess.run(install, check=True, capture_output=True)
        own = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"]
        small = [f"--pid-file={folder / 'pid'}", "--innodb-buffer-pool-size=32M"]
        self._command = ["mariadbd", *common, *own, *small, "--skip-name-resolve", *options]
        self.url = parse_database_url(f"mysql://root@127.0.0.1:{port}/mysql", folder)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)
        _wait_for(self.url, self._log)

    def stop(self) -> None:
        """End it as an operator would."""
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()


@contextmanager
def mariadb(folder: Path, *options: str) -> Iterator[URL]:
    """The administrator's address on a MariaDB that was started with these options."""
    server = MariaDB(folder, *options)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def run(url: URL, *statements: str) -> None:
    """Runs statements one after the other, each committed."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: URL, log: Path) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            return run(url, "SELECT 1")
        except OperationalError:
            if time.monotonic() > until:
                raise AssertionError(log.read_text()) from None
            time.sleep(0.05)
