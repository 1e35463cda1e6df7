"""A verified backup of 1 GB under a writer, each step beside the same step done bare (1.2)."""

import argparse
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from proman.app import create_app
from proman.database.backup import back_up
from proman.database.driver import sqlite3
from proman.database.installation import installation
from scripts.benches.sites import ROOT, demonstration, folder_of
from tests.conftest import make_settings

BUDGET = 1.2
LONGEST_WAIT = 0.1
WRITER = """
import sys, threading, time
from proman.database.driver import sqlite3
file = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
file.execute("PRAGMA synchronous = FULL")
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
longest, commits = 0.0, 0
while not stop.is_set():
    began = time.perf_counter()
    file.execute("BEGIN IMMEDIATE")
    file.execute("UPDATE organizations SET street = ?", (str(commits),))
    file.execute("COMMIT")
    longest, commits = max(longest, time.perf_counter() - began), commits + 1
    time.sleep(0.005)
print(longest, commits)
"""
"""A process that changes something 200 times a second at most, and tells the longest wait."""
Times = dict[str, float]


def measure(arguments: list[str]) -> None:
    """The steps done bare, then the backup, in turns, each under the same writer."""
    parser = argparse.ArgumentParser(prog="scripts/bench backup", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="keep the demonstration there, or take the one that is")
    wanted = parser.parse_args(arguments)
    with folder_of(wanted.folder) as folder:
        with demonstration(folder, 1000, 12):
            pass
        live = folder / "proman.sqlite"
        _grow(live, wanted.megabytes)
        app = create_app(make_settings(folder))
        print(f"{live.stat().st_size / 1e6:,.0f} MB, a writer beside every measurement")
        with _writer(live) as quiet:
            time.sleep(5)
        bares, ours, waits = [], [], []
        for _ in range(wanted.rounds):
            with _writer(live):
                bares.append(_bare(live, folder / "bare.sqlite"))
            with _writer(live) as told:
                ours.append(_whole(app))
            waits.append(told[0])
        _tell(_least(bares), _least(ours))
        print(
            f"longest wait of a commit: {max(waits) * 1000:.0f} ms during the backup, "
            f"{quiet[0] * 1000:.0f} ms without one{_verdict(max(waits), LONGEST_WAIT)}"
        )


def _grow(live: Path, megabytes: int) -> None:
    """Lengthens the audit trail, as years do, until the file is so large."""
    file = sqlite3.connect(live, isolation_level=None)
    names = [row[1] for row in file.execute("PRAGMA table_info(audit_entries)")]
    columns = ", ".join(name for name in names if name != "id")
    while live.stat().st_size < megabytes * 1_000_000:
        file.execute(
            f"INSERT INTO audit_entries ({columns}) SELECT {columns} FROM audit_entries"
            " ORDER BY id LIMIT 200000"
        )
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()


@contextmanager
def _writer(live: Path) -> Iterator[list[float]]:
    """Somebody who works meanwhile; after the block the list holds the longest wait in seconds."""
    told: list[float] = []
    words = [sys.executable, "-c", WRITER, str(live)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, cwd=ROOT, text=True, **pipes) as process:
        yield told
        told.append(float(process.communicate()[0].split()[0]))


def _bare(live: Path, copy: Path) -> Times:
    """Seconds of each step as SQLite, hashlib and the kernel take them, and nothing else."""
    marks = [("copying", time.perf_counter())]
    source = sqlite3.connect(live, isolation_level=None)
    target = sqlite3.connect(copy, isolation_level=None)
    target.execute("PRAGMA synchronous = OFF")
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()
    source.backup(target, pages=1000, sleep=0.05)
    source.close()
    target.execute("PRAGMA journal_mode = DELETE")
    for step, statement in (
        ("checking integrity", "PRAGMA integrity_check"),
        ("checking references", "PRAGMA foreign_key_check"),
    ):
        marks.append((step, time.perf_counter()))
        target.execute(statement).fetchall()
    target.close()
    with copy.open("rb") as file:
        marks.append(("syncing", time.perf_counter()))
        os.fsync(file.fileno())
        marks.append(("reading back", time.perf_counter()))
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        hashlib.file_digest(file, "sha256")
    copy.unlink()
    return _between(marks)


def _whole(app: Flask) -> Times:
    """Seconds of each step of a backup as an administrator makes it; it is deleted afterwards."""
    marks: list[tuple[str, float]] = [("getting ready", time.perf_counter())]

    def watch(step: str, done: int, total: int) -> None:
        if step != marks[-1][0]:
            marks.append((step, time.perf_counter()))

    with app.app_context():
        made = back_up(installation(), "manual", "Bench", watch=watch)
    times = _between(marks)
    for path in (made.path, made.path.with_suffix(".json")):
        path.unlink()
    return times


def _between(marks: list[tuple[str, float]]) -> Times:
    ends = [at for _, at in marks[1:]] + [time.perf_counter()]
    return {step: end - at for (step, at), end in zip(marks, ends, strict=True)}


def _least(rounds: list[Times]) -> Times:
    """Of each step the quickest, for what comes between is of others."""
    return {step: min(times[step] for times in rounds) for step in rounds[0]}


def _tell(bare: Times, ours: Times) -> None:
    print(f"{'':<22}{'backup s':>10}{'bare s':>10}{'times':>8}")
    for step, took in (*ours.items(), ("all", sum(ours.values()))):
        beside = sum(bare.values()) if step == "all" else bare.get(step)
        ratio = "" if beside is None else f"{beside:>10.2f}{took / beside:>8.2f}"
        print(f"{step:<22}{took:>10.2f}{ratio}")
    verdict = _verdict(sum(ours.values()) / sum(bare.values()), BUDGET)
    print(verdict.strip() or f"within {BUDGET} of the steps done bare")


def _verdict(value: float, most: float) -> str:
    return "" if value <= most else f"  above {most}"
