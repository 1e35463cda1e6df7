"""Runs work on files from outside in a process of its own, with limits that the kernel keeps."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from proman.base.errors import Refused
from proman.database.sqlite_copy import Progress, silent

ROOT = Path(__file__).parent.parent.parent
Work = Callable[[dict[str, Any], Progress], dict[str, Any]]


@dataclass(frozen=True)
class Limits:
    """Address space and written file in bytes, processor and waiting time in seconds."""

    memory: int = 1 << 30
    file_size: int = 0
    cpu: int = 60
    wall: int = 120


def limits_for(size: int, writes: bool = False) -> Limits:
    """Generous limits for a database of `size` bytes: a gigabyte takes about 15 seconds."""
    seconds = 60 + size // (2 << 20)
    return Limits(file_size=size * 3 + (64 << 20) if writes else 0, cpu=seconds, wall=seconds * 2)


def run(
    module: str, request: dict[str, Any], limits: Limits, report: Progress = silent
) -> dict[str, Any]:
    """What the module's `work` answers; raises Refused with its reason, or when a limit is hit."""
    child = subprocess.Popen(
        [sys.executable, "-s", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        text=True,
        encoding="utf-8",
    )
    clock = threading.Timer(limits.wall, child.kill)
    clock.start()
    try:
        answer = _converse(child, {"limits": asdict(limits), "request": request}, report)
    finally:
        clock.cancel()
        child.kill()
        child.wait()
        _close(child.stdin)
        _close(child.stdout)
    if answer is None:
        raise Refused("The file could not be read within the limits of time and memory.")
    if "refused" in answer:
        raise Refused(str(answer["refused"]))
    return answer


def _close(stream: IO[str] | None) -> None:
    if stream is not None:
        # An order that nobody took any more is still to be flushed.
        with suppress(BrokenPipeError):
            stream.close()


def main(work: Work) -> None:
    """The child: takes its limits upon itself, then does the work that standard input names."""
    order = json.loads(sys.stdin.readline())
    _limit(Limits(**order["limits"]))

    def report(phase: str, done: int, total: int) -> None:
        _say({"progress": [phase, done, total]})

    try:
        _say({"answer": work(order["request"], report)})
    except Refused as refusal:
        _say({"answer": {"refused": refusal.message}})
    except MemoryError:
        _say({"answer": {"refused": "The file needs more memory than is allowed."}})


def _limit(limits: Limits) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _converse(
    child: subprocess.Popen[str], order: dict[str, Any], report: Progress
) -> dict[str, Any] | None:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(json.dumps(order) + "\n")
        child.stdin.flush()
    except BrokenPipeError:
        return None
    for line in child.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            return None
        if "answer" in said:
            answer: dict[str, Any] = said["answer"]
            return answer
        report(*said["progress"])
    return None
