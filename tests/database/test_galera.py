"""MariaDB Galera: three nodes, people at work on two of them, and one that dies under them."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from proman.app import create_app
from proman.base.errors import Refused
from proman.database import lease as leases
from proman.database.engines import connected
from proman.database.live import live_database
from proman.database.lock import UnderWay, holder, ops_lock
from proman.database.retrying import until_it_stands
from proman.db import db
from proman.identity.session import acting_for
from tests import factories
from tests.conftest import make_settings
from tests.factories import PASSWORD, make_lease, make_property, make_tenant, make_unit
from tests.galera import Node, three_nodes
from tests.people import Person
from tests.processes import flask as start_flask
from tests.servers import Server, flask, serving
from tests.test_processes import wait_until

pytestmark = [pytest.mark.clusters, pytest.mark.xdist_group("galera")]
LEASES = 12
REFERENCE = "GALERA-{:02d}"
WRITERS = 3
"""On each of two nodes."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    """One cluster for all."""
    with three_nodes() as nodes:
        yield nodes


@pytest.fixture
def database(nodes: list[Node], request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an empty database of one's own."""
    name = "p_" + re.sub(r"\W", "_", request.node.name)[:50]
    administer(nodes[0], f"CREATE DATABASE {name}")
    yield name
    administer(nodes[0], f"DROP DATABASE {name}")


def administer(node: Node, *orders: str) -> None:
    with connected(node.url()) as connection:
        for order in orders:
            connection.exec_driver_sql(order)
        connection.commit()


@dataclass
class Site:
    """An installation with twelve leases; a machine of it at each node."""

    nodes: list[Node]
    database: str
    top: Path
    organization: int = 0
    apps: list[Flask] = field(default_factory=list)

    def address(self, place: int) -> str:
        return self.nodes[place].url(self.database).render_as_string(hide_password=False)

    def column(self, place: int, query: str) -> list[Any]:
        """What a node finds."""
        with connected(self.nodes[place].url(self.database)) as connection:
            return list(connection.scalars(text(query)))

    def doctor(self, place: int) -> None:
        done = flask(self.folder(place), "doctor", DATABASE_URL=self.address(place))
        assert done.returncode == 0, done.stdout + done.stderr

    def folder(self, place: int) -> Path:
        return self.top / f"machine{place}"

    def serving(self, place: int):
        self.folder(place).mkdir(exist_ok=True)
        own = {"DATABASE_URL": self.address(place), "SECRET_KEY": "the-same-everywhere"}
        return serving(self.folder(place), **own)


@pytest.fixture
def site(nodes: list[Node], database: str, tmp_path: Path) -> Iterator[Site]:
    """Harbour Homes with Mona and twelve leases."""
    site = Site(nodes, database, tmp_path)
    for place in range(3):
        url = nodes[place].url(database)
        site.apps.append(create_app(make_settings(site.folder(place), database_url=url)))
    with site.apps[0].app_context():
        upgrade()
        site.organization = factories.make_organization()
        factories.make_user(site.organization, "mona@example.com", "manager")
        with acting_for(site.organization):
            house, tenant = make_property(), make_tenant()
            for number in range(LEASES):
                reference = REFERENCE.format(number)
                unit = make_unit(house)
                make_lease(unit, [tenant], first_day=date(2026, 1, 17), reference=reference)
        db.session.remove()
    yield site
    for app in site.apps:
        with app.app_context():
            db.engine.dispose()


def sign_in(server: Server) -> Person:
    return Person(server.url, "mona@example.com", PASSWORD)


def pay(person: Person, reference: str, number: int) -> requests.Response:
    return person.post(
        "/payments/",
        lease=REFERENCE.format(number % LEASES),
        amount="123.45",
        received_on="2026-03-01",
        method="transfer",
        reference=reference,
        how="oldest",
    )


def test_three_machines_start_at_once_on_an_empty_database(
    nodes: list[Node], database: str, tmp_path: Path
) -> None:
    machines = [
        start_flask(
            make_settings(tmp_path / str(place), database_url=node.url(database)), "db", "upgrade"
        )
        for place, node in enumerate(nodes)
    ]
    ended = [machine.end() for machine in machines]
    assert [code for code, _ in ended] == [0, 0, 0], ended
    assert sum("Applied" in said for _, said in ended) == 1


def test_machines_that_take_the_first_lease_at_once_take_turns(
    nodes: list[Node], database: str
) -> None:
    def take(place: int) -> bool:
        started.wait()
        with leases.leased(nodes[place % 3].url(database), time.monotonic() + 60) as tell:
            return tell is not None

    with ThreadPoolExecutor(6) as machines:
        for _ in range(10):
            administer(nodes[0], f"DROP TABLE IF EXISTS {database}.{leases.TABLE}")
            started = threading.Barrier(6)
            assert all(machines.map(take, range(6)))


def test_who_changes_something_on_one_node_sees_it_on_the_others(site: Site) -> None:
    with site.serving(0) as one, site.serving(1) as two:
        here, there = sign_in(one), sign_in(two)
        for number in range(20):
            name = f"House {number:02}"
            fields = {"name": name, "type": "house", "country": "IE", "is_single_unit": "y"}
            assert here.post("/properties/", **fields).status_code == 303
            assert name in there.get("/properties/").text


def test_two_nodes_bill_at_once(site: Site) -> None:
    machines = [
        start_flask(app.extensions["proman_settings"], "billing", "run", "--as-of", "2026-03-01")
        for app in site.apps[:2]
    ]
    ended = [machine.end() for machine in machines]
    assert [code for code, _ in ended] == [0, 0], ended
    numbers = site.column(2, "SELECT sequence FROM invoices ORDER BY sequence")
    assert numbers == list(range(1, 3 * LEASES + 1))
    site.doctor(2)


def test_a_unit_is_let_once_though_two_nodes_are_asked(site: Site) -> None:
    with site.apps[0].app_context(), acting_for(site.organization):
        units = [make_unit(make_property(name=f"Flat {number}")) for number in range(6)]
        tenant = make_tenant()
    start = threading.Barrier(2)

    def let(place: int, unit: int) -> bool:
        def work() -> None:
            make_lease(unit, [tenant], first_day=date(2026, 1, 1))

        with site.apps[place].app_context(), acting_for(site.organization):
            start.wait()
            try:
                until_it_stands(work)
            except (Refused, DBAPIError):
                return False
            return True

    with ThreadPoolExecutor(2) as both:
        for unit in units:
            assert sum(both.map(let, (0, 1), (unit, unit))) == 1
    taken = site.column(2, f"SELECT count(*) FROM leases WHERE unit_id >= {units[0]}")
    assert taken == [len(units)]


def test_an_operation_through_one_node_keeps_those_through_the_others_out(site: Site) -> None:
    here, there = (app.extensions["proman_settings"] for app in site.apps[:2])
    with ops_lock(here, "backup", "Alice") as held:
        held.report("copying")
        found = holder(there)
        assert found is not None
        assert (found.what, found.phase) == ("backup", "copying")
        with pytest.raises(UnderWay, match="backup, started by Alice"), ops_lock(there, "x", "y"):
            pass
    assert holder(there) is None
    with ops_lock(there, "x", "y"):
        pass


def test_the_lease_of_one_who_stood_still_passes_to_the_next(site: Site) -> None:
    here, there = (app.extensions["proman_settings"] for app in site.apps[:2])
    with ops_lock(here, "backup", "Alice") as held:
        a_while_ago = f"UPDATE {leases.TABLE} SET until_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND"
        with connected(there.database_url) as connection:
            connection.exec_driver_sql(a_while_ago)
            connection.commit()
        with ops_lock(there, "restore", "Bob"):
            with pytest.raises(Refused, match="another operation on the database has begun"):
                held.report("checking")
            assert holder(here) == holder(there)


def test_a_restore_is_refused_while_other_nodes_take_changes(site: Site) -> None:
    installation = site.apps[0].extensions["proman_installation"]
    with pytest.raises(Refused, match="a Galera cluster of 3 nodes"):
        live_database(installation).require_replaceable()


def test_a_backup_is_made_of_it(site: Site) -> None:
    done = flask(site.folder(1), "database", "backup", DATABASE_URL=site.address(1))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_node_dies_under_the_people_at_work(site: Site) -> None:
    with site.serving(0) as one, site.serving(1) as two:
        done = Writing(site, [one, two])
        done.until(lambda: all(len(acknowledged) > 20 for acknowledged in done.acknowledged))
        site.nodes[1].kill()
        before = len(done.acknowledged[0])
        done.until(lambda: len(done.acknowledged[0]) > before + 20)
        assert requests.get(two.url + "/readyz", timeout=60).status_code == 503
        site.nodes[1].start(site.nodes)
        before = len(done.acknowledged[1])
        done.until(lambda: len(done.acknowledged[1]) > before + 20)
        done.end()
    assert not done.unexpected
    for place in range(3):
        found = site.column(place, "SELECT reference FROM payments")
        assert len(found) == len(set(found)), "a payment was doubled"
        assert done.acknowledged[0] | done.acknowledged[1] <= set(found), "a payment was lost"
        assert set(found) <= done.sent
    site.doctor(0)
    site.doctor(1)


def test_a_node_without_the_others_takes_nothing(site: Site) -> None:
    with site.serving(2) as alone:
        mona = sign_in(alone)
        assert mona.get("/payments/").status_code == 200
        context = site.apps[2].app_context()
        context.push()
        db.session.execute(text("SELECT name FROM organizations"))
        for node in site.nodes[:2]:
            node.kill()
        try:
            wait_until(lambda: requests.get(alone.url + "/readyz", timeout=60).status_code == 503)
            answer = mona.get("/payments/")
            assert answer.status_code == 503
            assert "The database does not answer" in answer.text
            db.session.rollback()
        finally:
            site.nodes[2].lead()
            for node in site.nodes[:2]:
                node.start(site.nodes)
        wait_until(lambda: mona.get("/payments/").status_code == 200)
        assert db.session.scalar(text("SELECT 1")) == 1
        db.session.remove()
        context.pop()


class Writing:
    """Managers at several servers who record payments, one after the other, until they may go."""

    def __init__(self, site: Site, servers: list[Server]) -> None:
        self.acknowledged: list[set[str]] = [set() for _ in servers]
        self.sent: set[str] = set()
        self.unexpected: list[str] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(place, writer, sign_in(server)), daemon=True)
            for place, server in enumerate(servers)
            for writer in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, place: int, writer: int, person: Person) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            reference = f"{place}-{writer}-{number}"
            self.sent.add(reference)
            try:
                answer = pay(person, reference, number)
            except AssertionError:  # no page, and so no token, while the node is gone
                continue
            if answer.status_code == 303:
                self.acknowledged[place].add(reference)
            elif answer.status_code != 503:
                self.unexpected.append(f"{answer.status_code} {answer.text}")

    def until(self, holds) -> None:
        wait_until(lambda: bool(self.unexpected) or holds())

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
