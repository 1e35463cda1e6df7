"""scripts/db-backup.sh as cron runs it: either tool, under a writer, on a read-only mount."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from proman.database.driver import sqlite3

SCRIPT = Path(__file__).parents[2] / "scripts" / "db-backup.sh"
COMMANDS = (
    "awk basename cat date df dirname find grep head id ln ls mkdir mv rm sed sleep sort stat "
    "sync tail tr uname wc"
).split()
TOOLS = [
    pytest.param("python3", id="python"),
    pytest.param(
        "sqlite3",
        id="cli",
        marks=pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs apt: sqlite3"),
    ),
]
is_root = os.geteuid() == 0 and sys.platform == "linux"


def path_with(directory: Path, *tools: str) -> str:
    """A PATH on which only the basic commands and these tools are found."""
    directory.mkdir(exist_ok=True)
    for command in (*COMMANDS, *tools):
        found = sys.executable if command == "python3" else shutil.which(command)
        link = directory / command
        if found and not link.exists():
            if command == "python3":
                link.write_text(f'#!/bin/sh\nexec "{found}" "$@"\n')
                link.chmod(0o755)
            else:
                link.symlink_to(found)
    return str(directory)


def run(tmp_path: Path, *arguments: object, tools: tuple[str, ...] = ("python3",), shell="sh"):
    return subprocess.run(
        [shutil.which(shell) or shell, str(SCRIPT), *map(str, arguments)],
        env={"PATH": path_with(tmp_path / ("bin-" + "-".join(tools)), *tools)},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        check=False,
    )


def make_database(path: Path, rows: int = 1000) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, twin INTEGER, filler BLOB)")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO t (twin, filler) VALUES (?, zeroblob(500))", ((n,) for n in range(rows))
    )
    connection.execute("COMMIT")
    return connection


def rows_in(path: Path | str) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM t").fetchone()[0]


def left_behind(directory: Path) -> list[str]:
    return sorted(one.name for one in directory.iterdir())


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("tool", TOOLS)
def test_prints_the_path_of_a_private_whole_copy(tmp_path, tool, shell):
    live = make_database(tmp_path / "a % strange? na'me#.sqlite")
    done = run(
        tmp_path, tmp_path / "a % strange? na'me#.sqlite", "backups", tools=(tool,), shell=shell
    )
    live.close()
    assert (done.returncode, done.stderr) == (0, "")
    path = Path(done.stdout.strip())
    assert rows_in(path) == 1000
    assert path.stat().st_mode & 0o777 == 0o600
    assert left_behind(tmp_path / "backups") == [path.name]


@pytest.mark.parametrize("tool", TOOLS)
def test_ends_and_is_consistent_under_a_steady_writer(tmp_path, tool):
    make_database(tmp_path / "p.sqlite", rows=20_000).close()
    stop = threading.Event()
    written = [0]

    def write() -> None:
        connection = sqlite3.connect(tmp_path / "p.sqlite", isolation_level=None, timeout=30)
        while not stop.is_set():
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO t (twin) VALUES (-1)")
            connection.execute("INSERT INTO t (twin) VALUES (-1)")
            connection.execute("COMMIT")
            written[0] += 1
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        done = run(tmp_path, tmp_path / "p.sqlite", "backups", tools=(tool,))
    finally:
        stop.set()
        writer.join()
    assert done.returncode == 0, done.stderr
    assert written[0] > 10
    assert (rows_in(done.stdout.strip()) - 20_000) % 2 == 0


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[None]:
    subprocess.run(["mount", "--bind", directory, directory], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", directory], check=True)
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


@pytest.mark.skipif(not is_root, reason="needs root for a read-only bind mount")
@pytest.mark.parametrize("tool", TOOLS)
class TestReadOnlyMount:
    def test_a_database_closed_cleanly(self, tmp_path, tool):
        data = tmp_path / "data"
        data.mkdir()
        make_database(data / "p.sqlite").close()
        assert not (data / "p.sqlite-wal").exists()
        with read_only(data):
            done = run(tmp_path, data / "p.sqlite", "backups", tools=(tool,))
        assert done.returncode == 0, done.stderr
        assert rows_in(done.stdout.strip()) == 1000

    def test_a_database_in_use_with_rows_only_in_its_wal(self, tmp_path, tool):
        data, seen = tmp_path / "data", tmp_path / "seen"
        data.mkdir()
        seen.mkdir()
        live = make_database(data / "p.sqlite")
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        live.execute("INSERT INTO t (twin) VALUES (-1)")
        subprocess.run(["mount", "--bind", data, seen], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", seen], check=True)
            done = run(tmp_path, seen / "p.sqlite", "backups", tools=(tool,))
        finally:
            subprocess.run(["umount", seen], check=True)
        live.close()
        assert done.returncode == 0, done.stderr
        assert rows_in(done.stdout.strip()) == 1001

    def test_a_wal_without_its_shared_memory_is_refused(self, tmp_path, tool):
        data = tmp_path / "data"
        data.mkdir()
        live = make_database(data / "live.sqlite")
        for suffix in ("", "-wal"):
            shutil.copy(data / f"live.sqlite{suffix}", data / f"p.sqlite{suffix}")
        live.close()
        with read_only(data):
            done = run(tmp_path, data / "p.sqlite", "backups", tools=(tool,))
        assert done.returncode == 1
        assert "without its -shm" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert left_behind(tmp_path / "backups") == []


@pytest.mark.parametrize("tool", TOOLS)
def test_a_damaged_database_leaves_nothing_and_keeps_what_was_there(tmp_path, tool):
    make_database(tmp_path / "p.sqlite").close()
    good = run(tmp_path, tmp_path / "p.sqlite", "backups", tools=(tool,)).stdout.strip()
    with (tmp_path / "p.sqlite").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 8192)
    done = run(tmp_path, tmp_path / "p.sqlite", "backups", "0", tools=(tool,))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert left_behind(tmp_path / "backups") == [Path(good).name]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no database"),
        (lambda path: path.write_bytes(b""), "no tables"),
        (lambda path: path.write_bytes(b"hello" * 2000), "not a database"),
    ],
)
@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_no_database_is_one_line_and_exit_1(tmp_path, tool, make, said):
    make(tmp_path / "p.sqlite")
    done = run(tmp_path, tmp_path / "p.sqlite", "backups", tools=(tool,))
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_neither_tool_is_named(tmp_path):
    make_database(tmp_path / "p.sqlite").close()
    done = run(tmp_path, tmp_path / "p.sqlite", "backups", tools=())
    assert (done.returncode, "neither python3 nor" in done.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("a",), ("a", "b", "x"), ("a", "b", "7", "c")])
def test_wrong_usage_exits_2(tmp_path, arguments):
    assert run(tmp_path, *arguments).returncode == 2


def name_of(age: timedelta) -> str:
    return f"proman-{datetime.now(UTC) - age:%Y%m%d-%H%M%S}.sqlite"


def vouching(name: str) -> dict[str, object]:
    """What every manifest of ProMan says of its file."""
    return {"name": name, "pinned": False, "reason": "schedule"}


def test_retention_keeps_three_good_ones_pins_and_safety_backups(tmp_path):
    make_database(tmp_path / "p.sqlite").close()
    backups = tmp_path / "backups"
    backups.mkdir()
    names = [name_of(timedelta(days=age)) for age in (1, 2, 3, 20, 30, 40, 50)]
    for name in names:
        shutil.copy(tmp_path / "p.sqlite", backups / name)
    (backups / names[0]).write_bytes(b"not a database")
    pinned = (backups / names[5]).with_suffix(".json")
    pinned.write_text('{\n "pinned": true\n}')
    for name, says in ((names[4], vouching(names[5])), (names[6], {"name": names[6]})):
        (backups / name).with_suffix(".json").write_text(json.dumps(says, indent=1))
    fresh = Path(run(tmp_path, tmp_path / "p.sqlite", backups, "0").stdout.strip()).name
    # What is said of another file, or not in full, may be said of one that was pinned.
    manifests = {name.replace(".sqlite", ".json") for name in names[4:]}
    kept = {fresh, *names[:3], *names[4:], *manifests}
    assert set(left_behind(backups)) == kept


@pytest.mark.parametrize("tool", TOOLS)
def test_what_its_manifest_does_not_vouch_for_is_no_good_one(tmp_path, tool):
    make_database(tmp_path / "p.sqlite").close()
    backups = tmp_path / "backups"
    backups.mkdir()
    names = [name_of(timedelta(days=age)) for age in (10, 20, 30, 40, 50, 60)]
    for name in names:
        shutil.copy(tmp_path / "p.sqlite", backups / name)
    sha256 = hashlib.sha256((tmp_path / "p.sqlite").read_bytes()).hexdigest()
    documents = [{"sha256": "0" * 64, "size": 1, "name": "x"}]
    for name, says in (
        (names[0], {"sha256": "1" * 64, "fault": None}),
        (names[1], {"sha256": sha256, "fault": "A page was damaged."}),
        (names[2], {"sha256": sha256, "fault": "", "files": documents}),
    ):
        text = json.dumps({**vouching(name), **says}, indent=1, sort_keys=True)
        (backups / name).with_suffix(".json").write_text(text)
    tools = (tool, *(["sha256sum"] if tool == "sqlite3" else []))
    fresh = run(tmp_path, tmp_path / "p.sqlite", backups, "5", tools=tools).stdout.strip()
    left = {name for name in left_behind(backups) if name.endswith(".sqlite")}
    assert left == {Path(fresh).name, *names[:4]}


@pytest.mark.parametrize("tool", TOOLS)
def test_an_encrypted_one_is_good_when_it_is_what_its_manifest_says(tmp_path, tool):
    make_database(tmp_path / "p.sqlite").close()
    backups = tmp_path / "backups"
    backups.mkdir()
    names = [f"{name_of(timedelta(days=age))}.age" for age in (10, 20, 30, 40, 50, 60)]
    for name in names:
        (backups / name).write_bytes(b"age-encryption.org/v1\n" + name.encode())
    for name in names[1:]:  # nobody vouches for the newest
        told = hashlib.sha256((backups / name).read_bytes()).hexdigest()
        says = {**vouching(name), "fault": None, "sha256": "1" * 64 if name == names[1] else told}
        beside = backups / name.replace(".sqlite.age", ".json")
        beside.write_text(json.dumps(says, indent=1, sort_keys=True))
    tools = (tool, *(["sha256sum"] if tool == "sqlite3" else []))
    fresh = run(tmp_path, tmp_path / "p.sqlite", backups, "5", tools=tools).stdout.strip()
    left = {name for name in left_behind(backups) if not name.endswith(".json")}
    assert left == {Path(fresh).name, *names[:4]}
    assert len(left_behind(backups)) == 8


@pytest.mark.parametrize("days", ["08", "009", "00", "0"])
def test_days_may_begin_with_a_nought(tmp_path, days):
    make_database(tmp_path / "p.sqlite").close()
    backups = tmp_path / "backups"
    backups.mkdir()
    for age in (1, 2, 3, 20):
        shutil.copy(tmp_path / "p.sqlite", backups / name_of(timedelta(days=age)))
    done = run(tmp_path, tmp_path / "p.sqlite", backups, days)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(left_behind(backups)) == (4 if days.endswith(("8", "9")) else 3)


def test_without_days_and_with_a_clock_behind_nothing_is_deleted(tmp_path):
    make_database(tmp_path / "p.sqlite").close()
    backups = tmp_path / "backups"
    backups.mkdir()
    for age in (100, 200, 300, 400, -2):
        shutil.copy(tmp_path / "p.sqlite", backups / name_of(timedelta(days=age)))
    assert run(tmp_path, tmp_path / "p.sqlite", backups).returncode == 0
    done = run(tmp_path, tmp_path / "p.sqlite", backups, "7")
    assert "clock is behind" in done.stderr
    assert len(left_behind(backups)) == 7


def test_two_in_one_second_get_two_names(tmp_path):
    make_database(tmp_path / "p.sqlite").close()
    command = [shutil.which("sh"), str(SCRIPT), str(tmp_path / "p.sqlite"), "backups"]
    both = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) for _ in range(2)]
    paths = {one.communicate(timeout=60)[0] for one in both}
    assert len(paths) == 2
    assert len(left_behind(tmp_path / "backups")) == 2
