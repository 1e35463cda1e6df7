"""Builds the image for real, on a stand-in for its base image, and runs it in its own network.

Everything lives in one scratch folder, with storage and settings of its own for buildah and podman,
and is removed at the end.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "http://127.0.0.1:8000"
"""Of the one server that runs in the network of the containers."""
START_SECONDS = 120
CLONE_NEWNET = 0x40000000
BASE = "docker.io/library/python:3.13-slim"
CONTAINERS = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""


@dataclass
class Engine:
    """buildah and podman on storage of their own."""

    scratch: Path
    network: str = field(default_factory=lambda: f"pm{uuid.uuid4().hex[:8]}")

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "CONTAINERS_CONF": str(self.scratch / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.scratch / "storage.conf"),
            "TMPDIR": str(self.scratch / "tmp"),
        }

    def call(self, *words: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program; its output, both kinds. A failure that is not expected ends the test."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=900, check=False
        )
        if not fails:
            assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done

    @contextmanager
    def within(self) -> Iterator[None]:
        """What this thread connects to, and those that it starts, is in the containers' network."""
        with open("/proc/thread-self/ns/net") as own, open(f"/run/netns/{self.network}") as theirs:
            _enter(theirs.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def run(self, *words: str, network: str = "") -> str:
        """Start the image, locked down as a careful operator would; the container's id."""
        careful = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all")
        place = ("--network", network or f"ns:/run/netns/{self.network}", "--no-healthcheck")
        security = ("--security-opt", "no-new-privileges")
        started = self.call(
            "podman", "run", "-d", *place, *careful, *security, *words, "proman:test"
        )
        return started.stdout.strip().splitlines()[-1]

    def logs(self, container: str) -> str:
        """What a container said so far."""
        done = self.call("podman", "logs", container)
        return done.stdout + done.stderr

    def wait_until_ready(self, container: str, address: str = ADDRESS) -> None:
        """Until /readyz answers 200; what the container said is the message when it never does."""
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(address):
            state = self.call("podman", "inspect", "-f", "{{.State.Status}}", container)
            assert state.stdout.strip() == "running", self.logs(container)
            assert time.monotonic() < deadline, self.logs(container)
            time.sleep(0.1)

    def volume(self, name: str, owner: int = 10001) -> Path:
        """A folder to mount, owned by somebody."""
        folder = self.scratch / name
        folder.mkdir()
        os.chown(folder, owner, 0)
        return folder


def _enter(network: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(network, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "this thread cannot go into another network")


def _is_ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/readyz", timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


@contextmanager
def container_engine() -> Iterator[Engine]:
    """An engine without any image, and a network for its containers; all is gone afterwards."""
    scratch = Path(tempfile.mkdtemp(prefix="proman-image-"))
    engine = Engine(scratch)
    (scratch / "tmp").mkdir()
    (scratch / "containers.conf").write_text(CONTAINERS, encoding="ascii")
    storage = (
        f'[storage]\ndriver = "overlay"\ngraphroot = "{scratch}/graph"\nrunroot = "{scratch}/run"\n'
    )
    (scratch / "storage.conf").write_text(storage, encoding="ascii")
    try:
        engine.call("ip", "netns", "add", engine.network)
        engine.call("ip", "-n", engine.network, "link", "set", "lo", "up")
        yield engine
    finally:
        engine.call("podman", "rm", "--all", "--force", "--time", "1", fails=True)
        engine.call("podman", "volume", "rm", "--all", "--force", fails=True)
        engine.call("ip", "netns", "del", engine.network, fails=True)
        for mounted in (scratch / "graph" / "overlay", scratch / "run"):
            engine.call("umount", "--lazy", str(mounted), fails=True)
        shutil.rmtree(scratch, ignore_errors=True)


def build(engine: Engine) -> None:
    """Build the image from the Dockerfile as it is: `proman:test`."""
    _import_base(engine)
    build_from(engine, ROOT, "proman:test")


def build_from(engine: Engine, checkout: Path, name: str, *words: str) -> None:
    """Build a checkout under a name; `words` go to buildah."""
    engine.call(
        *("buildah", "bud", "--layers", "--isolation", "chroot", "--network", "host"),
        *("--pull-never", "--format", "docker", "-t", name, *words, str(checkout)),
    )


def _import_base(engine: Engine) -> None:
    """A Debian with Python 3.13, named like the base image, which no registry gives us here."""
    tar = engine.scratch / "base.tar"
    engine.call(
        *("mmdebstrap", "--quiet", "--variant=minbase"),
        "--include=python3,python3-pip,python3-venv,ca-certificates,tzdata",
        '--customize-hook=rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
        '--customize-hook=ln -s /usr/bin/python3 "$1"/usr/local/bin/python',
        "--customize-hook=copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
        *("trixie", str(tar)),
    )
    path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    engine.call("podman", "import", "-c", f"ENV {path}", str(tar), BASE)
    tar.unlink()
