"""Database clusters of a test's own: PostgreSQL with a streaming replica, pgbouncer before them."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import URL

from proman.addresses import parse_database_url

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
OWNER = "postgres"
# What a test commits need not survive a power cut.
QUICK = "fsync = off\nmax_connections = 100\nlisten_addresses = '127.0.0.1'\n"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def as_owner(*command: str | Path) -> None:
    """Run a program as the user that may run PostgreSQL; raises when it fails."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", OWNER, "--", *words]
    done = subprocess.run(words, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"


class Cluster:
    """A PostgreSQL server of one's own in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def url(self, database: str = "postgres") -> URL:
        """The address of a database in it."""
        return parse_database_url(f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}", Path())

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self.folder.parent / f"{self.folder.name}.log"
        options = f"-p {self.port} -k {self.folder.parent}"
        as_owner(_program("pg_ctl"), "-D", self.folder, "-w", "-l", log, "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        """End it; `immediate` is as a power cut."""
        as_owner(_program("pg_ctl"), "-D", self.folder, "-w", "-m", how, "stop")

    def kill(self) -> None:
        """End its first process at once; the others follow by themselves."""
        os.kill(int((self.folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def start_again(self) -> None:
        """Start it after a kill, as soon as the last of its processes is gone."""
        until = time.monotonic() + 30
        while True:
            try:
                return self.start()
            except AssertionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def promote(self) -> None:
        """Make a replica a server of its own."""
        as_owner(_program("pg_ctl"), "-D", self.folder, "-w", "promote")

    @property
    def is_running(self) -> bool:
        return (self.folder / "postmaster.pid").exists()


@contextmanager
def primary_and_replica() -> Iterator[tuple[Cluster, Cluster]]:
    """A server and another that follows it by streaming replication."""
    with folder_of_owner() as top:
        primary = Cluster(top / "primary", free_port())
        as_owner(_program("initdb"), "-A", "trust", "-U", OWNER, "-E", "UTF8", "-D", primary.folder)
        with (primary.folder / "postgresql.conf").open("a") as settings:
            settings.write(QUICK)
        primary.start()
        clusters = [primary]
        try:
            replica = Cluster(top / "replica", free_port())
            source = f"host=127.0.0.1 port={primary.port} user={OWNER}"
            options = ("-R", "-X", "stream", "-c", "fast", "-C", "-S", "r1")
            as_owner(_program("pg_basebackup"), "-D", replica.folder, "-d", source, *options)
            clusters.append(replica)
            replica.start()
            yield primary, replica
        finally:
            for cluster in reversed(clusters):
                if cluster.is_running:
                    cluster.stop()


@contextmanager
def alone() -> Iterator[Cluster]:
    """A server of one's own that lets everybody in."""
    with folder_of_owner() as top:
        cluster = Cluster(top / "server", free_port())
        as_owner(_program("initdb"), "-A", "trust", "-U", OWNER, "-E", "UTF8", "-D", cluster.folder)
        with (cluster.folder / "postgresql.conf").open("a") as settings:
            settings.write(QUICK)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def with_password(password: str) -> Iterator[Cluster]:
    """A server that lets nobody in without the password."""
    with folder_of_owner() as top:
        (top / "password").write_text(password)
        shutil.chown(top / "password", OWNER)
        cluster = Cluster(top / "server", free_port())
        own = ("-A", "scram-sha-256", f"--pwfile={top}/password", "-U", OWNER, "-E", "UTF8")
        as_owner(_program("initdb"), *own, "-D", cluster.folder)
        with (cluster.folder / "postgresql.conf").open("a") as settings:
            settings.write(QUICK)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def pgbouncer(cluster: Cluster) -> Iterator[int]:
    """pgbouncer in transaction mode before a server, with few connections; its port."""
    with folder_of_owner() as top:
        port = free_port()
        (top / "users").write_text(f'"{OWNER}" ""\n')
        (top / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={cluster.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {top}/users\npool_mode = transaction\n"
            f"default_pool_size = 3\nmax_client_conn = 200\nlogfile = {top}/log\n"
            f"pidfile = {top}/pid\n"
        )
        shutil.chown(top / "pgbouncer.ini", OWNER)
        as_owner("pgbouncer", "-d", top / "pgbouncer.ini")
        try:
            yield port
        finally:
            as_owner("kill", "-INT", (top / "pid").read_text().strip())


@contextmanager
def folder_of_owner() -> Iterator[Path]:
    """A folder for servers that run as OWNER, removed afterwards."""
    # Outside pytest's own folders, which only root may enter.
    top = Path(mkdtemp(prefix="proman-test-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(top, OWNER)
        yield top
    finally:
        shutil.rmtree(top)


def _program(name: str) -> Path:
    return PROGRAMS[-1] / name
