"""A copy of a live database is one instant of it, whole, and holds nobody up."""

import contextlib
import threading
import time

import pytest

from proman.base.errors import Refused
from proman.database import durable
from proman.database.driver import library_is_safe, sqlite3
from proman.database.sqlite_copy import copy_pinned, opened, prove


@pytest.fixture
def live(tmp_path):
    path = tmp_path / "live # odd?.sqlite"
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)")
    connection.execute("CREATE TABLE child (t_id INTEGER REFERENCES t (id))")
    connection.execute("CREATE INDEX by_filler ON t (filler)")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO t (filler) VALUES (randomblob(900))", (() for _ in range(8000))
    )
    connection.execute("COMMIT")
    yield path
    connection.close()


@contextlib.contextmanager
def writer(path):
    """Commits pairs of rows without pause; gives the longest wait of a commit."""
    stop, waits = threading.Event(), [0.0]

    def work() -> None:
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        while not stop.is_set():
            started = time.monotonic()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO t (filler) VALUES ('a'), ('b')")
            connection.execute("COMMIT")
            waits.append(time.monotonic() - started)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


@pytest.mark.fault(
    "Heavy writers during a backup",
    how="a process that commits without a pause",
    outcome="it ends and holds one moment",
)
def test_a_copy_under_a_steady_writer_ends_and_is_one_instant(live, tmp_path):
    seen = []
    with writer(live) as waits, durable.partial(tmp_path) as copy:
        while len(waits) < 10:
            time.sleep(0.001)
        copy_pinned(live, copy, lambda *progress: seen.append(progress))
        during = len(waits)
        facts = prove(copy)
        with opened(copy) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        # A copy that started over at a commit would report going back.
        done = [one[1] for one in seen if one[0] == "copying"]
        assert done == sorted(done)
        assert mode == "delete"
    assert during > 10
    assert facts.rows["t"] >= 8000
    assert facts.rows["t"] % 2 == 0
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".proman")] == []


def test_a_copy_that_takes_too_long_is_given_up_and_leaves_nothing(live, tmp_path):
    with pytest.raises(Refused, match="longer than 0 seconds"), durable.partial(tmp_path) as copy:
        copy_pinned(live, copy, deadline=0)
    assert list(tmp_path.glob(".proman*")) == []


def test_an_index_that_misses_rows_is_found(live, tmp_path):
    with durable.partial(tmp_path) as copy:
        copy_pinned(live, copy)
        with opened(copy, "mode=rw") as connection:
            connection.execute("PRAGMA writable_schema=ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = 'CREATE INDEX by_filler ON t (id)' "
                "WHERE name = 'by_filler'"
            )
        with pytest.raises(Refused, match="integrity check failed"):
            prove(copy)


def test_a_row_that_refers_to_nothing_is_found(live, tmp_path):
    with durable.partial(tmp_path) as copy:
        copy_pinned(live, copy)
        with opened(copy, "mode=rw") as connection:
            connection.execute("INSERT INTO child VALUES (999999)")
        with pytest.raises(Refused, match="A row of child refers to a row of t"):
            prove(copy)


def test_a_final_name_is_never_overwritten(tmp_path):
    moment = durable.datetime(2026, 11, 22, 2, 0)
    names = []

    def manifest(moment, name: str) -> bytes:
        return f"{name} {moment:%S}".encode()

    for content in (b"one", b"two", b"three"):
        with durable.partial(tmp_path) as temporary:
            temporary.write_bytes(content)
            names.append(durable.publish(temporary, tmp_path, moment, manifest))
    assert [one.name for one in names] == [f"proman-20261122-02000{n}.sqlite" for n in range(3)]
    assert [one.read_bytes() for one in names] == [b"one", b"two", b"three"]
    for number, one in enumerate(names):
        assert one.with_suffix(".json").read_text() == f"{one.name} 0{number}"
    assert len(list(tmp_path.iterdir())) == 6


def test_the_bundled_library_is_free_of_the_wal_race():
    if sqlite3.__name__.startswith("pysqlite3"):
        assert library_is_safe()
