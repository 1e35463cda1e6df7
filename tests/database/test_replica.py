"""Reports from a read replica: a real one that streams, lags, dies, comes back, is promoted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import Engine, create_engine, event, text

from proman.addresses import UnusableSetting
from proman.app import create_app
from proman.database import replica as replicas
from proman.database.replica import Replica
from proman.database.status import Status, status
from proman.db import db, utc_now
from proman.identity.session import acting_for
from proman.settings import read_settings
from tests import factories
from tests.admin.test_alert_rules import firing
from tests.clusters import Cluster, pgbouncer, primary_and_replica
from tests.conftest import Client, make_settings
from tests.factories import PASSWORD
from tests.scraping import scraped
from tests.servers import serving
from tests.test_processes import wait_until

pytestmark = pytest.mark.clusters
ROLL = "/reports/rent-roll"
TOLD = "Reports are read from the"


@dataclass
class Site:
    """An installation on a primary, its replica, and what each was asked."""

    app: Flask
    primary: Cluster
    follower: Cluster
    organization: int

    @property
    def replica(self) -> Replica:
        found: Replica = self.app.extensions["proman_replica"]
        return found

    def person(self, name: str) -> FlaskClient:
        client = self.app.test_client()
        fields = {"email": f"{name}@example.com", "password": PASSWORD}
        assert client.post("/login", data=fields).status_code == 303
        return client

    def follows(self) -> bool:
        """Whether the replica has replayed all that the primary has written."""
        with self.app.app_context(), self.replica.engine.connect() as connection:
            return self.replica.may_answer(connection, self.replica.place())

    def status(self) -> Status:
        """What the command and the page tell."""
        with self.app.app_context():
            return status(self.app.extensions["proman_installation"], utc_now())

    def on_the_replica(self, words: str) -> None:
        """Run a statement on the replica itself."""
        engine = create_engine(self.follower.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(words))
        engine.dispose()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Mona and Vera of Harbour Homes, with one property, on a primary with a replica."""
    with primary_and_replica() as (primary, follower):
        app = create_app(
            make_settings(tmp_path, database_url=primary.url(), replica_url=follower.url())
        )
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        app.test_client_class = Client
        with app.app_context():
            upgrade()
            home = factories.make_organization()
            factories.make_user(home, "mona@example.com", "manager")
            factories.make_user(home, "vera@example.com", "viewer")
            with acting_for(home):
                factories.make_unit(factories.make_property(name="First House"))
            db.session.remove()
        site = Site(app, primary, follower, home)
        wait_until(site.follows)
        yield site
        with app.app_context():
            db.engine.dispose()
        site.replica.engine.dispose()


def asked(engine: Engine, client: FlaskClient, path: str = ROLL) -> tuple[list[str], str]:
    """The statements that an engine got for a page, and the page."""
    heard: list[str] = []

    def listen(connection, cursor, statement, parameters, context, many) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    answer = client.get(path)
    event.remove(engine, "before_cursor_execute", listen)
    page = answer.data.decode(errors="replace")
    assert answer.status_code == 200, page
    return heard, page


def units_were_read(heard: list[str]) -> bool:
    return any(re.search(r"\bFROM\b.*\bunits\b", each, re.S) for each in heard)


def add_house(mona: FlaskClient, name: str) -> None:
    fields = {"name": name, "type": "house", "country": "IE", "is_single_unit": "y"}
    answer = mona.post("/properties/", data=fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.getMessage().startswith(TOLD)]


def test_reports_and_exports_come_from_the_replica(site: Site) -> None:
    vera = site.person("vera")
    with site.app.app_context():
        primary = db.engine
    for path in (ROLL, f"{ROLL}.csv", "/properties.xlsx", "/"):
        assert units_were_read(asked(site.replica.engine, vera, path)[0]), path
        assert not units_were_read(asked(primary, vera, path)[0]), path
    assert units_were_read(asked(primary, vera, "/properties/")[0])


def test_own_changes_are_seen_at_once_others_once_they_arrive(site: Site) -> None:
    mona, vera = site.person("mona"), site.person("vera")
    site.on_the_replica("SELECT pg_wal_replay_pause()")
    add_house(mona, "Second House")
    assert "Second House" in mona.get(ROLL).text
    heard, page = asked(site.replica.engine, vera)
    assert units_were_read(heard)
    assert "First House" in page
    assert "Second House" not in page
    site.on_the_replica("SELECT pg_wal_replay_resume()")
    wait_until(site.follows)
    for person in (mona, vera):
        heard, page = asked(site.replica.engine, person)
        assert units_were_read(heard)
        assert "Second House" in page


def test_one_that_lags_is_left_until_it_is_level(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "GREATEST_LAG", 0.3)
    mona, vera = site.person("mona"), site.person("vera")
    caplog.clear()
    site.on_the_replica("SELECT pg_wal_replay_pause()")
    add_house(mona, "Second House")
    wait_until(lambda: (site.replica.lag() or 0) > 0.3)
    assert (site.status().replica_lag or 0) > 0.3
    for _ in range(2):
        assert "Second House" in vera.get(ROLL).text
    assert len(told(caplog)) == 1
    assert "behind" in told(caplog)[0]
    site.on_the_replica("SELECT pg_wal_replay_resume()")
    wait_until(site.follows)
    assert units_were_read(asked(site.replica.engine, vera)[0])
    assert told(caplog)[-1] == "Reports are read from the replica again"


def test_one_that_dies_is_done_without(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    vera = site.person("vera")
    assert "First House" in vera.get(ROLL).text
    caplog.clear()
    site.follower.stop()
    for path in (ROLL, ROLL, f"{ROLL}.csv"):
        assert "First House" in vera.get(path).text
    assert len(told(caplog)) == 1
    assert site.status().replica_lag is None
    assert any("does not follow" in one for one in site.status().warnings)
    site.follower.start()
    monkeypatch.setattr(site.replica, "_rests_until", 0.0)
    wait_until(site.follows)
    assert units_were_read(asked(site.replica.engine, vera)[0])


def test_one_that_dies_in_the_middle_of_a_report_is_done_without(site: Site) -> None:
    vera = site.person("vera")

    def die(connection, cursor, statement, parameters, context, many) -> None:
        if "units" in statement and site.follower.is_running:
            site.follower.stop()

    event.listen(site.replica.engine, "before_cursor_execute", die)
    assert "First House" in vera.get(ROLL).text
    assert not site.follower.is_running


def test_one_that_was_promoted_is_no_replica(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    vera = site.person("vera")
    caplog.clear()
    site.follower.promote()
    assert not units_were_read(asked(site.replica.engine, vera)[0])
    assert told(caplog) == [
        "Reports are read from the primary, not from the replica: it is no replica any more"
    ]


def test_another_database_is_no_replica(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.follower.stop()
    with site.app.app_context():
        stranger = Replica(site.primary.url("template1"), db.engine)
        caplog.clear()
        with stranger.engine.connect() as connection:
            assert not stranger.may_answer(connection, "")
        stranger.engine.dispose()
    assert "it is no replica of this database" in told(caplog)[0]


def test_behind_pgbouncer_in_transaction_mode(site: Site, tmp_path: Path) -> None:
    with pgbouncer(site.primary) as first, pgbouncer(site.follower) as second:
        urls = {
            "database_url": site.primary.url().set(port=first),
            "replica_url": site.follower.url().set(port=second),
        }
        app = create_app(make_settings(tmp_path / "pooled", **urls))
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        app.test_client_class = Client
        pooled = Site(app, site.primary, site.follower, site.organization)
        with app.app_context():
            upgrade()
        mona = pooled.person("mona")
        for number in range(12):
            add_house(mona, f"House {number:02}")
            assert f"House {number:02}" in mona.get(ROLL).text
        wait_until(pooled.follows)
        assert units_were_read(asked(pooled.replica.engine, mona)[0])
        with app.app_context():
            db.engine.dispose()
        pooled.replica.engine.dispose()


@pytest.mark.parametrize(
    ("replica", "primary"),
    [
        ("not an address", "postgresql://here/proman"),
        ("postgresql://there/proman", ""),
        ("mysql://there/proman", "mysql://here/proman"),
    ],
)
def test_a_setting_that_cannot_be_used(tmp_path: Path, replica: str, primary: str) -> None:
    environment = {
        "PROMAN_DATA_DIR": str(tmp_path),
        "DATABASE_URL": primary,
        "DATABASE_REPLICA_URL": replica,
    }
    with pytest.raises(UnusableSetting, match=r"DATABASE_REPLICA_URL .* Example: "):
        read_settings(environment)


def test_alerts_of_a_replica_that_is_behind_and_of_one_that_is_gone(
    site: Site, tmp_path: Path
) -> None:
    urls = {
        "DATABASE_URL": site.primary.url().render_as_string(hide_password=False),
        "DATABASE_REPLICA_URL": site.follower.url().render_as_string(hide_password=False),
    }
    alerts = {"ProManReplicaBehind", "ProManReplicaLost"}
    with serving(tmp_path / "home", **urls, PROMAN_METRICS="on") as server:
        now = scraped(server.url)
        assert (now["proman_replica_usable"], alerts & firing([now])) == (1, set())
        site.on_the_replica("SELECT pg_wal_replay_pause()")
        add_house(site.person("mona"), "Second House")
        wait_until(lambda: scraped(server.url)["proman_replica_lag_seconds"] > 30, 90)
        assert alerts & firing([scraped(server.url)]) == {"ProManReplicaBehind"}
        site.follower.stop()
        assert alerts & firing([scraped(server.url)]) == {"ProManReplicaLost"}
