"""ProMan on PostgreSQL under Patroni: its primary dies or hands over while people pay.

What is measured (the longest time between two payments that were acknowledged to one person) is
printed: `scripts/test -m clusters tests/database/test_patroni.py -rP`.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import URL, text

from proman.addresses import parse_database_url
from proman.app import create_app
from proman.database.engines import connected
from proman.database.replica import Replica
from proman.db import db
from proman.identity.session import acting_for
from proman.settings import read_settings
from tests import factories
from tests.conftest import make_app, make_settings
from tests.database.test_replica import ROLL, asked, units_were_read
from tests.factories import PASSWORD
from tests.instances import run
from tests.patroni import Node, Patroni, patroni, wait_until
from tests.people import Person
from tests.servers import Server, serving

pytestmark = [pytest.mark.clusters, pytest.mark.xdist_group("patroni")]
LEASE = "PATRONI-{}"
TILLS = 4
TABLE = "import_mappings"
"""One that a backup reads and a payment does not."""
_numbers = count(1)


@dataclass
class Till:
    """Somebody who records one payment after another, and what each answer said."""

    mona: Person
    name: str
    acknowledged: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    """The answer was that it is saved and cannot be shown."""
    uncertain: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    longest: float = 0.0
    """Seconds between two that were acknowledged."""

    def work(self, until: threading.Event) -> None:
        """Record payments until told to stop; each has a reference of its own."""
        token, last = self.mona.token(), time.monotonic()
        for number in count(1):
            if until.is_set():
                return
            reference = f"{self.name}-{number}"
            said = self._said(self.mona.send("/payments/", token, **payment(reference)))
            said.append(reference)
            if said is self.acknowledged:
                last, before = time.monotonic(), last
                self.longest = max(self.longest, last - before)

    def _said(self, answer: requests.Response) -> list[str]:
        if answer.status_code == 303:
            return self.acknowledged
        assert answer.status_code == 503, answer.text
        if "It was saved" in answer.text:
            return self.saved
        if "It may have been saved or not" in answer.text:
            return self.uncertain
        assert "Nothing was changed" in answer.text, answer.text
        return self.refused


def payment(reference: str) -> dict[str, str]:
    """What is typed into the form."""
    return {
        "lease": LEASE.format(1),
        "amount": "123.45",
        "received_on": "2026-03-01",
        "method": "transfer",
        "reference": reference,
        "how": "oldest",
    }


@dataclass
class Site:
    """An installation on the cluster, in a database of its own, and the folder of its server."""

    cluster: Patroni
    app: Flask
    url: URL
    organization: int
    folder: Path

    @contextmanager
    def serving(self) -> Iterator[Server]:
        address = self.url.render_as_string(hide_password=False)
        with serving(self.folder, "--processes", "2", DATABASE_URL=address) as server:
            yield server

    def let(self, reference: str) -> None:
        """A new lease, which has not been billed."""
        with self.app.app_context(), acting_for(self.organization):
            factories.make_lease(first_day=date(2026, 1, 1), reference=reference)
            db.session.remove()

    def column(self, query: str) -> list[Any]:
        """What the primary finds."""
        with connected(self.url) as connection:
            return list(connection.scalars(text(query)))

    def waits(self, for_what: str) -> bool:
        """Whether a connection to the database waits for that on the primary."""
        waiting = "SELECT wait_event FROM pg_stat_activity WHERE datname = current_database()"
        return for_what in self.column(waiting)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Patroni]:
    with patroni() as made:
        yield made


@pytest.fixture
def site(cluster: Patroni, tmp_path: Path) -> Iterator[Site]:
    """Alice and Mona of Harbour Homes, with one lease that was never billed."""
    cluster.make_whole()
    name = f"proman_{next(_numbers)}"
    run(parse_database_url(cluster.url("postgres"), Path()), f"CREATE DATABASE {name}")
    url = parse_database_url(cluster.url(name), Path())
    app = create_app(make_settings(tmp_path / "home", database_url=url))
    with app.app_context():
        upgrade()
        home = factories.make_organization()
        factories.make_user(home, "alice@example.com", "administrator", operator=True)
        factories.make_user(home, "mona@example.com", "manager")
        db.session.remove()
    made = Site(cluster, app, url, home, tmp_path / "home")
    made.let(LEASE.format(1))
    yield made
    with app.app_context():
        db.engine.dispose()


def under_load(server: Server, happens: Callable[[], object]) -> list[Till]:
    """The tills, after it happened while they worked, and each of them has gone on after it."""
    tills = [Till(Person(server.url, "mona@example.com", PASSWORD), f"t{n}") for n in range(TILLS)]
    stop = threading.Event()
    with ThreadPoolExecutor(TILLS) as people:
        works = [people.submit(till.work, stop) for till in tills]
        try:
            _wait_for_more(tills, works)
            happens()
            _wait_for_more(tills, works)
        finally:
            stop.set()
        for work in works:
            work.result()
    print(f"Longest between two payments: {max(till.longest for till in tills):.1f} s")
    return tills


def _wait_for_more(tills: list[Till], works: list[Future[None]]) -> None:
    aims = [len(till.acknowledged) + 3 for till in tills]
    wait_until(
        lambda: (
            any(work.done() for work in works)
            or all(len(till.acknowledged) >= aim for till, aim in zip(tills, aims, strict=True))
        )
    )


def prove(site: Site, server: Server, tills: list[Till]) -> None:
    """What was answered is true, and whoever repeats what is uncertain doubles nothing."""
    found = site.column("SELECT reference FROM payments")
    for till in tills:
        assert set(till.acknowledged + till.saved) <= set(found)
        assert not set(till.refused) & set(found)
        for reference in till.uncertain:
            again = till.mona.post("/payments/", **payment(reference))
            if reference in found:
                assert again.status_code == 422
                assert "is recorded already" in again.text
            else:
                assert again.status_code == 303
    found = site.column("SELECT reference FROM payments")
    told = [one for till in tills for one in till.acknowledged + till.saved + till.uncertain]
    assert sorted(found) == sorted(told)
    assert server.flask("doctor").returncode == 0


def test_the_primary_dies_under_load(site: Site) -> None:
    primary = site.cluster.primary()
    backups = site.folder / "backups"
    with site.serving() as server, ThreadPoolExecutor(1) as others, connected(site.url) as holding:
        assert server.flask("billing", "run").returncode == 0
        holding.exec_driver_sql(f"LOCK TABLE {TABLE}")
        backup = others.submit(server.flask, "database", "backup")
        wait_until(lambda: site.waits("relation"))
        tills = under_load(server, lambda: die_at_commit(site, primary))
        assert any(till.uncertain for till in tills)
        one_line(backup.result())
        assert not list(backups.glob("**/*.sqlite*"))
        prove(site, server, tills)
        site.cluster.make_whole()
        for words in (["backup"], ["status"]):
            done = server.flask("database", *words)
            assert done.returncode == 0, done.stderr
        assert len(list(backups.glob("*.sqlite"))) == 1
        numbers_have_no_gap(site, server)


def die_at_commit(site: Site, primary: Node) -> None:
    """Kill the primary while a COMMIT waits for the node that has to confirm it."""
    node = site.cluster.synchronous()
    with connected(site.url.set(query={}, host="127.0.0.1", port=node.port)) as connection:
        receiver = connection.scalar(text("SELECT pid FROM pg_stat_wal_receiver"))
    assert receiver is not None
    os.kill(receiver, signal.SIGSTOP)
    try:
        wait_until(lambda: site.waits("SyncRep"))
        primary.kill()
    finally:
        os.kill(receiver, signal.SIGCONT)


def one_line(done: "subprocess.CompletedProcess[str]") -> None:
    """It failed, and says so as an operator wants it."""
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Nothing was left behind" in done.stderr


def numbers_have_no_gap(site: Site, server: Server) -> None:
    """A failover loses values of PostgreSQL's sequences: ids may jump, numbers of documents not."""
    site.let(LEASE.format(2))
    assert server.flask("billing", "run").returncode == 0
    sequences = site.column("SELECT sequence FROM invoices ORDER BY id")
    assert sequences == list(range(1, len(sequences) + 1))
    assert site.column("SELECT max(id) FROM invoices") > [len(sequences)]
    assert server.flask("doctor").returncode == 0


def test_another_node_takes_over_under_load(site: Site) -> None:
    with site.serving() as server:
        prove(site, server, under_load(server, site.cluster.switch_over))


def test_reports_leave_the_replica_that_becomes_the_primary(site: Site, tmp_path: Path) -> None:
    follower = site.cluster.synchronous()
    app = make_app(
        read_settings(
            {
                "PROMAN_DATA_DIR": str(tmp_path / "reporting"),
                "DATABASE_URL": site.cluster.url(str(site.url.database)),
                "DATABASE_REPLICA_URL": site.cluster.url(str(site.url.database), follower),
            }
        )
    )
    replica: Replica = app.extensions["proman_replica"]
    mona = app.test_client()
    mona.post("/login", data={"email": "mona@example.com", "password": PASSWORD})

    def is_asked() -> bool:
        return units_were_read(asked(replica.engine, mona, ROLL)[0])

    def port() -> int:
        with replica.engine.connect() as connection:
            return int(connection.execute(text("SELECT inet_server_port()")).scalar_one())

    wait_until(is_asked)
    assert port() == follower.port
    site.cluster.switch_over()
    assert site.cluster.primary() is follower
    assert not is_asked()
    wait_until(is_asked)
    assert port() != follower.port
    with app.app_context():
        db.engine.dispose()
    replica.engine.dispose()
