"""A server whose disk is full, read-only or small: people are told, and it goes on working."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests
from flask_migrate import downgrade, upgrade

from proman.app import MIGRATIONS, create_app
from proman.database.migrating import looking_connection
from proman.database.revisions import chain_to
from proman.db import db
from proman.settings import Settings
from tests import factories, processes, rigs
from tests.conftest import make_settings
from tests.database.conftest import living_in
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import Server, installation, serving

pytestmark = pytest.mark.faults
HOME = "/admin/database"
UPGRADE = ("db", "upgrade")
CHAIN = chain_to(MIGRATIONS, "head")


@pytest.fixture
def place(tmp_path: Path, migrated_file: Path) -> Iterator[Path]:
    with rigs.tmpfs(tmp_path / "disk", "64m") as disk:
        folder = installation(disk / "data", migrated_file)
        with living_in(make_settings(folder, backup_dir=disk / "data" / "backups")):
            pass
        yield disk


def alice_of(server: Server) -> Person:
    return Person(server.url, "alice@example.com", PASSWORD)


def uploaded(alice: Person, file: Path) -> requests.Response:
    with file.open("rb") as content:
        return alice.http.post(
            f"{alice.url}{HOME}/restores",
            data={"csrf_token": alice.token()},
            files={"file": content},
            timeout=60,
            allow_redirects=False,
        )


FULL = pytest.mark.fault(
    "Disk full",
    how="an upload larger than the disk, or a disk that fills up during it",
    outcome="413 that says so; nothing left behind, the server goes on",
)


@FULL
def test_an_upload_that_the_disk_has_no_room_for(place, tmp_path):
    data = place / "data"
    big = tmp_path / "big.sqlite"
    big.write_bytes(bytes(30 << 20))
    with serving(data) as server:
        alice = alice_of(server)
        filler = rigs.fill(place, leave=20 << 20)
        answer = uploaded(alice, big)
        assert answer.status_code == 413
        assert "There is not enough space on ProMan's disk" in answer.text
        assert alice.get(HOME).status_code == 200
        assert list((data / "uploads").iterdir()) == []
        assert not list(data.glob("restores/*"))
        filler.unlink()
        assert server.stop() == 0
    assert not [line for line in server.lines if "exception" in line]


@FULL
@pytest.mark.parametrize(
    "framing", [{"Content-Length": str(5 << 20)}, {"Transfer-Encoding": "chunked"}]
)
def test_a_disk_that_fills_up_during_an_upload(place, framing):
    data = place / "data"

    def content() -> Iterator[bytes]:
        yield bytes(1 << 20)
        rigs.fill(place)
        for _ in range(4):
            yield bytes(1 << 20)

    with serving(data) as server:
        signed_in = alice_of(server).http.cookies.get_dict()
        headers = framing | {"Cookie": "; ".join(f"{k}={v}" for k, v in signed_in.items())}
        with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=60)) as client:
            path = f"{HOME}/restores"
            client.request(
                "POST", path, content(), headers, encode_chunked="Transfer-Encoding" in framing
            )
            answer = client.getresponse()
            assert answer.status == 413
            assert b"There is not enough space on ProMan's disk" in answer.read()
        (place / "somebody-elses").unlink()
        assert alice_of(server).get(HOME).status_code == 200
        assert server.stop() == 0


@pytest.mark.fault(
    "Disk full",
    how="upgrade of a database with data on a disk that is full",
    outcome="one line, all old; the disk freed, it upgrades",
)
def test_an_upgrade_on_a_full_disk(tmp_path):
    with rigs.tmpfs(tmp_path / "disk", "16m") as disk:
        settings = make_settings(disk / "data")
        app = create_app(settings)
        with app.app_context():
            upgrade()
            factories.make_organization(legal_name="before")
            db.session.remove()
            downgrade(revision=CHAIN[-2])
            db.engine.dispose()
        filler = rigs.fill(disk)
        code, said = processes.start(tmp_path, processes.run_flask, settings, UPGRADE).end()
        assert code == 1
        assert "free some space" in said.splitlines()[-1].lower()
        filler.unlink()
        assert found_in(settings) == (CHAIN[-2], "before")
        code, said = processes.start(tmp_path, processes.run_flask, settings, UPGRADE).end()
        assert code == 0, said
        assert found_in(settings) == (CHAIN[-1], "before")


def found_in(settings: Settings) -> tuple[str, str]:
    """The revision and the name of the organization."""
    with looking_connection(settings) as connection:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        name = connection.exec_driver_sql("SELECT legal_name FROM organizations").scalar()
        return str(revision), str(name)
