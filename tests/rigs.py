"""Ways to break a machine for real: small and read-only disks, power cuts, failing system calls.

Each skips its test, with the reason, where this machine cannot do it.
"""

import fcntl
import os
import resource
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from proman.settings import Settings
from tests import processes
from tests.servers import PROGRAMS, ROOT, environment_of

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN: from this moment on nothing reaches the disk."""
WITHOUT_FLUSHING = struct.pack("I", 2)


@dataclass(frozen=True)
class Traced:
    """How a command ended, all it said, and how many of the watched calls its main thread made."""

    code: int | None
    said: str
    calls: int


def need(*programs: str) -> None:
    """Skips the test where a program is missing."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")


def _mount(*words: str | Path) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")


def _leave(place: Path) -> None:
    # Lazily: a test that failed may have files open there, and its own fault is the one to tell.
    subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def tmpfs(place: Path, size: str) -> Iterator[Path]:
    """A small disk in memory (`size` as mount takes it) at `place`."""
    need("mount")
    place.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", place)
    try:
        yield place
    finally:
        _leave(place)


@contextmanager
def read_only(place: Path) -> Iterator[Path]:
    """The directory, of which for a while nothing can be changed."""
    need("mount")
    _mount("--bind", place, place)
    try:
        _mount("-o", "remount,bind,ro", place)
        yield place
    finally:
        _leave(place)


def fill(disk: Path, leave: int = 0) -> Path:
    """A file that takes what is free on the disk, but for `leave` bytes."""
    filler = disk / "somebody-elses"
    with filler.open("wb", buffering=0) as file:
        while (free := shutil.disk_usage(disk).free - leave) > 0:
            try:
                file.write(bytes(min(free, 1 << 20)))
            except OSError:
                break
    return filler


class LoopDisk:
    """An ext4 disk in a file, whose power can be cut."""

    def __init__(self, image: Path, place: Path) -> None:
        self.image = image
        self.place = place

    def mount(self) -> None:
        """Mounts it; what was in its journal when the power went is played in."""
        _mount("-o", "loop", self.image, self.place)

    def unmount(self) -> None:
        subprocess.run(["umount", self.place], check=True)

    def cut(self) -> None:
        """What was not flushed by now is lost, and every write fails."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, WITHOUT_FLUSHING)
        finally:
            os.close(descriptor)


@contextmanager
def loop_disk(folder: Path, megabytes: int = 64) -> Iterator[LoopDisk]:
    """A disk of its own at `folder`/disk."""
    need("mount", "mkfs.ext4", "losetup")
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    disk = LoopDisk(image, place)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


def flask_traced(settings: Settings, *words: str, trace: str, inject: str = "") -> Traced:
    """Runs `flask …` while strace watches the system calls named by `trace`.

    `inject` says what becomes of some of them: `error=EIO:when=3`, counted for each thread.
    """
    need("strace")
    ours, theirs = processes.pipe()
    running = processes.start(settings.data_dir, _flask_when_told, theirs, settings, words)
    theirs.close()
    pid = running.process.pid
    log = settings.data_dir / f"calls-{pid}"
    options = ["-e", f"trace={trace}"] + (["-e", f"inject={trace}:{inject}"] if inject else [])
    command = ["strace", "-f", "-qq", "-o", str(log), *options, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as strace:
        while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
            if strace.poll() is not None:
                running.kill()
                pytest.skip("needs the right to trace another process")
        ours.send("go")
        code, said = running.end()
    calls = sum(line.startswith(f"{pid} ") for line in log.read_text().splitlines())
    log.unlink()
    return Traced(code, said, calls)


def _flask_when_told(line: Connection, settings: Settings, words: tuple[str, ...]) -> None:
    line.recv()
    processes.run_flask(settings, words)


def clock(moment: str) -> list[str]:
    """What a command is started with so that its clock says `moment` (UTC) at the start."""
    need("faketime")
    return ["env", "TZ=UTC", "faketime", moment]


def flask(
    under: list[str], folder: Path, *words: str, largest: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs `flask …` under such a rig; no file that it writes may grow beyond `largest` bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    return subprocess.run(
        [*under, str(PROGRAMS / "flask"), *words],
        cwd=ROOT,
        env=environment_of(folder, **environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
        preexec_fn=limit if largest else None,
    )
