"""A MariaDB Galera cluster of a test's own: three nodes on this machine."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from proman.addresses import parse_database_url
from proman.database.engines import connected
from tests.instances import free_port

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
OWNER = "mysql"
SECONDS = 60
# What a test commits need not survive a power cut.
QUICK = ("--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0")
NEEDED = ("--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON")


class Node:
    """One server of the cluster, in a folder of its own."""

    def __init__(self, top: Path, number: int, group: int) -> None:
        self.folder = top / f"node{number}"
        self.port = free_port()
        self.group = group
        self._incremental, self._whole = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "mysql") -> URL:
        """The address of a database through this node."""
        return parse_database_url(f"mysql://root@127.0.0.1:{self.port}/{database}", Path())

    def start(self, members: list["Node"], *, first: bool = False) -> None:
        """Start it, as the first of a new cluster or as one of those; wait until it may work."""
        together = ",".join(f"127.0.0.1:{one.group}" for one in members)
        provider = (
            f"gmcast.listen_addr=tcp://127.0.0.1:{self.group};"
            f"ist.recv_addr=127.0.0.1:{self._incremental};gcache.size=32M"
        )
        command = [
            *("mariadbd", "--no-defaults", f"--datadir={self.folder}", f"--port={self.port}"),
            *("--bind-address=127.0.0.1", "--skip-name-resolve", f"--socket={self.folder}.sock"),
            *(f"--pid-file={self.folder}.pid", *QUICK, *NEEDED),
            *(f"--wsrep-provider={PROVIDER}", f"--wsrep-cluster-address=gcomm://{together}"),
            *(f"--wsrep-node-address=127.0.0.1:{self.group}", "--wsrep-sst-method=rsync"),
            *(f"--wsrep-sst-receive-address=127.0.0.1:{self._whole}",),
            f"--wsrep-provider-options={provider}",
        ]
        if first:
            command.append("--wsrep-new-cluster")
        elif (self.folder / "grastate.dat").exists():
            # As its service does: what it lacks is sent, and nobody is kept waiting for a copy.
            command.append(f"--wsrep-start-position={self._position(command)}")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(as_owner(*command), stdout=log, stderr=log)
        self._wait()

    def _position(self, command: list[str]) -> str:
        """Up to which change its data had come when it ended."""
        told = self.folder.with_suffix(".recovered")
        subprocess.run(as_owner(*command, "--wsrep-recover", f"--log-error={told}"), check=True)
        found = re.findall(r"Recovered position: (\S+)", told.read_text())
        return str(found[-1])

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        subprocess.run(
            ["kill", "-KILL", Path(f"{self.folder}.pid").read_text().strip()], check=True
        )
        self._process.wait()
        self._process = None

    def lead(self) -> None:
        """Go on alone where the others are gone, as an operator decides."""
        order = "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=true'"
        own = ("--no-defaults", "--host=127.0.0.1", f"--port={self.port}", "--user=root")
        subprocess.run(["mariadb", *own, "--execute", order], check=True)
        self._wait()

    def stop(self) -> None:
        """End it as an operator would, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(SECONDS)
            self._process = None

    def status(self, name: str) -> str:
        """What the node says of itself under that name, empty when it does not answer."""
        try:
            with connected(self.url()) as connection:
                row = connection.exec_driver_sql(f"SHOW STATUS LIKE 'wsrep_{name}'").first()
                return "" if row is None else str(row[1])
        except OperationalError:
            return ""

    def _wait(self) -> None:
        until = time.monotonic() + SECONDS
        while self.status("local_state_comment") != "Synced" or self.status("ready") != "ON":
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.1)


@contextmanager
def three_nodes() -> Iterator[list[Node]]:
    """Three nodes that are one cluster."""
    # Outside pytest's own folders, which only root may enter.
    top = Path(mkdtemp(prefix="proman-test-"))
    if os.geteuid() == 0:
        shutil.chown(top, OWNER)
    nodes = [Node(top, number, free_port()) for number in (1, 2, 3)]
    # Without a look at the machine's own name: not every machine can say what it is.
    install = ("mariadb-install-db", "--no-defaults", "--force", "--skip-name-resolve")
    kind = ("--auth-root-authentication-method=normal", f"--datadir={nodes[0].folder}")
    first = subprocess.run(as_owner(*install, *kind), capture_output=True, text=True)
    assert first.returncode == 0, first.stdout + first.stderr
    try:
        for node in nodes:
            subprocess.run(as_owner("mkdir", "-p", str(node.folder)), check=True)
            node.start(nodes, first=node is nodes[0])
        yield nodes
    finally:
        for node in reversed(nodes):
            node.stop()
        shutil.rmtree(top)


def as_owner(*command: str) -> list[str]:
    """The command as the user that may run the servers."""
    return ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", *command]
