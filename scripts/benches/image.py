"""The image: its size, seconds until /readyz answers 200, memory at rest and after page views."""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import requests

from scripts.benches.sites import PASSWORD
from tests.containers import ADDRESS, Engine, build, container_engine
from tests.people import Person

PAGES = ("/", "/properties/", "/tenants/", "/leases/", "/invoices/", "/payments/", "/reports/")


def measure(arguments: list[str]) -> None:
    """Builds the Dockerfile and starts it, read-only and without capabilities, on new volumes.

    Needs root and what `scripts/test -m image` needs. A cold start makes the database; a warm one
    finds it. Seconds go from `podman run` to the first 200 of /readyz. Memory is what the
    container's processes have for themselves and their part of what they share (PSS).
    """
    parser = argparse.ArgumentParser(prog="scripts/bench image", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--views", type=int, default=100)
    parser.add_argument("--leases", type=int, default=150)
    wanted = parser.parse_args(arguments)
    with container_engine() as engine:
        build(engine)
        _print_size(engine)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the measurement")
        starts = [_starts(engine, f"round-{number}") for number in range(wanted.rounds)]
        for what, seconds in zip(("cold", "warm"), zip(*starts, strict=True), strict=True):
            told = ", ".join(f"{one:.1f}" for one in seconds)
            print(f"{what} start, seconds {statistics.median(seconds):>8.1f}   of {told}")
        _print_memory(engine, wanted.views, wanted.leases)


def _print_size(engine: Engine) -> None:
    sizes = {}
    for name in ("proman:test", "python:3.13-slim"):
        (found,) = json.loads(engine.call("podman", "image", "inspect", name).stdout)
        sizes[name] = found["Size"]
    whole, base = sizes.values()
    print(f"size, MB {whole / 1e6:>21.0f}   of which {base / 1e6:.0f} are the base image's")


def _starts(engine: Engine, name: str) -> tuple[float, float]:
    """Seconds of a start on empty volumes, and of the next on what that left."""
    words = _volumes(engine, name)
    return _seconds_of_a_start(engine, words), _seconds_of_a_start(engine, words)


def _volumes(engine: Engine, name: str) -> list[str]:
    data, backups = engine.volume(name), engine.volume(f"{name}-backups")
    return ["-v", f"{data}:/data", "-v", f"{backups}:/backups"]


def _seconds_of_a_start(engine: Engine, words: list[str]) -> float:
    began = time.perf_counter()
    container = _started(engine, words)
    taken = time.perf_counter() - began
    engine.call("podman", "rm", "--force", "--time", "10", container)
    return taken


def _started(engine: Engine, words: list[str]) -> str:
    container = engine.run(*words)
    with engine.within():
        engine.wait_until_ready(container)
    return container


def _print_memory(engine: Engine, views: int, leases: int) -> None:
    container = _started(engine, _volumes(engine, "memory"))
    size = ("--leases", str(leases), "--months", "12", "--password", PASSWORD)
    engine.call("podman", "exec", container, "flask", "demo", "load", *size)
    engine.call("podman", "restart", "--time", "10", container)
    with engine.within():
        engine.wait_until_ready(container)
        print(f"memory after the start, MB {_megabytes(engine, container):>3.0f}")
        person = Person(ADDRESS, "admin@example.com", PASSWORD)
        for number in range(views):
            answer = person.get(PAGES[number % len(PAGES)])
            assert answer.status_code == requests.codes.ok, answer.url
    print(
        f"after {views} page views, MB {_megabytes(engine, container):>5.0f}"
        f"   of {leases} leases with twelve months"
    )
    database = engine.scratch / "memory" / "proman.sqlite"
    print(f"their database, MB {database.stat().st_size / 1e6:>12.1f}")


def _megabytes(engine: Engine, container: str) -> float:
    """What its processes have in memory, MB of a million bytes."""
    top = engine.call("podman", "top", container, "hpid").stdout.split()[1:]
    kilobytes = 0
    for pid in top:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes * 1024 / 1e6
