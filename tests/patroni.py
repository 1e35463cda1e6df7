"""PostgreSQL under Patroni: nodes of a test's own that elect their primary through an etcd."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import requests

from tests import test_processes
from tests.clusters import OWNER, PROGRAMS, as_owner, folder_of_owner, free_port

TTL = 5
"""Seconds after which a primary that has fallen silent is no longer the primary."""
SCOPE = "proman"
PATIENCE = 120
"""Seconds; on a busy machine a node takes its time to come back."""
ASKED_TIMES = 4
wait_until = partial(test_processes.wait_until, patience=PATIENCE)


class Node:
    """A PostgreSQL server and the Patroni that keeps it."""

    def __init__(self, top: Path, name: str, etcd: int) -> None:
        self.name = name
        self.port = free_port()
        self.folder = top / name
        self._top = top
        self._api = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.settings = top / f"{name}.json"  # JSON is YAML as well
        self.settings.write_text(json.dumps(self._configuration(etcd)))

    def start(self) -> None:
        """Start its Patroni, if it is down, which starts PostgreSQL; does not wait for it."""
        if self._process is not None and self._process.poll() is None:
            return
        with (self._top / f"{self.name}.log").open("ab") as log:
            self._process = _as_owner(log, "patroni", self.settings)

    def end(self) -> None:
        """Ask it to stop, PostgreSQL first; what does not is killed."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End Patroni and every process of PostgreSQL as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        wait_until(self._is_gone)

    def wait(self) -> None:
        """Wait until it has ended; kills it when it takes too long."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        self.kill()

    def tells(self) -> dict[str, Any]:
        """What its Patroni says of it; empty when it does not answer."""
        with suppress(requests.RequestException):
            answer = requests.get(f"http://127.0.0.1:{self._api}/patroni", timeout=PATIENCE)
            return dict(answer.json())
        return {}

    @property
    def is_primary(self) -> bool:
        """Whether it takes changes now."""
        said = self.tells()
        return said.get("role") == "master" and said.get("state") == "running"

    def _is_gone(self) -> bool:
        # Every process of PostgreSQL lives in its data directory.
        processes = Path("/proc").glob("[0-9]*/cwd")
        left = [int(one.parent.name) for one in processes if _target(one) == self.folder]
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not left

    def _configuration(self, etcd: int) -> dict[str, Any]:
        here = f"127.0.0.1:{self.port}"
        return {
            "scope": SCOPE,
            "name": self.name,
            "restapi": {
                "listen": f"127.0.0.1:{self._api}",
                "connect_address": f"127.0.0.1:{self._api}",
            },
            "etcd3": {"host": f"127.0.0.1:{etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": 1,
                    "retry_timeout": 2,
                    "synchronous_mode": True,
                    "synchronous_mode_strict": True,
                    "postgresql": {"use_pg_rewind": True},
                },
                "initdb": [{"encoding": "UTF8"}, {"auth": "trust"}],
            },
            "postgresql": {
                "listen": here,
                "connect_address": here,
                "data_dir": str(self.folder),
                "bin_dir": str(PROGRAMS[-1]),
                "pgpass": str(self._top / f"{self.name}.pgpass"),
                "authentication": {
                    "superuser": {"username": OWNER},
                    "replication": {"username": OWNER},
                },
                "parameters": {
                    "unix_socket_directories": str(self._top),
                    # What a test commits need not survive a power cut of the whole machine.
                    "fsync": "off",
                    # A killed server leaves its shared memory behind where only it would clean up.
                    "dynamic_shared_memory_type": "mmap",
                },
                "pg_hba": [
                    f"host {what} all 127.0.0.1/32 trust" for what in ("all", "replication")
                ],
            },
        }


class Patroni:
    """Three nodes, of which one is the primary and another confirms each commit."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    def url(self, database: str, first: Node | None = None) -> str:
        """The address of a database on all nodes, in the order in which they are tried."""
        nodes = sorted(self.nodes, key=lambda node: node is not first)
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        return f"postgresql://{OWNER}@{hosts}/{database}"

    def primary(self) -> Node:
        """The node that takes changes; waits until there is one."""
        wait_until(lambda: any(node.is_primary for node in self.nodes))
        return next(node for node in self.nodes if node.is_primary)

    def synchronous(self) -> Node:
        """The node that confirms each commit; there has to be one."""
        return next(node for node in self.nodes if self._followers().get(node.name) == "sync")

    def make_whole(self) -> None:
        """Start what is down; wait until two nodes follow the primary and one confirms commits."""
        for node in self.nodes:
            node.start()
        wait_until(lambda: sorted(self._followers().values()) == ["async", "sync"])

    def switch_over(self) -> None:
        """Have another node be the primary, as before maintenance.

        Patroni drops a request for which no node is ready, without a word: it is made again.
        """
        old = self.primary()
        words = ("switchover", "--master", old.name, "--force", SCOPE)
        for _ in range(ASKED_TIMES):
            as_owner("patronictl", "-c", old.settings, *words)
            with suppress(AssertionError):
                test_processes.wait_until(lambda: not old.is_primary)
                break
        assert not old.is_primary, "it stays the primary"
        self.primary()

    def _followers(self) -> dict[str, str]:
        """Nodes that receive from a primary, by name, and whether they confirm (sync, async)."""
        return {
            each["application_name"]: each["sync_state"]
            for node in self.nodes
            for each in node.tells().get("replication", [])
            if each["state"] == "streaming"
        }


@contextmanager
def patroni() -> Iterator[Patroni]:
    """Three nodes in synchronous mode; all is ended and removed afterwards."""
    with folder_of_owner() as top, _etcd(top) as etcd:
        nodes = [Node(top, f"node{number}", etcd) for number in (1, 2, 3)]
        try:
            made = Patroni(nodes)
            made.make_whole()
            yield made
        finally:
            for node in nodes:
                node.end()
            for node in nodes:
                node.wait()


@contextmanager
def _etcd(top: Path) -> Iterator[int]:
    port, peer = free_port(), free_port()
    own, among = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    options = {
        "name": "etcd",
        "data-dir": str(top / "etcd"),
        "listen-client-urls": own,
        "advertise-client-urls": own,
        "listen-peer-urls": among,
        "initial-advertise-peer-urls": among,
        "initial-cluster": f"etcd={among}",
    }
    with (top / "etcd.log").open("ab") as log:
        process = _as_owner(log, "etcd", *(f"--{name}={value}" for name, value in options.items()))
    try:
        wait_until(lambda: _answers(f"{own}/health"))
        yield port
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=PATIENCE).ok
    return False


def _as_owner(log: IO[bytes], *command: str | Path) -> "subprocess.Popen[bytes]":
    own = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        [str(word) for word in command],
        cwd="/",
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        user=OWNER,
        group=OWNER,
        extra_groups=[],
    )


def _target(link: Path) -> Path | None:
    with suppress(OSError):
        return link.readlink()
    return None
