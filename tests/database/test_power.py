"""The power goes: what was acknowledged is there, and a backup that was listed is whole."""

import os
import random
import re
import threading
from pathlib import Path

import pytest
import requests

from proman.app import create_app
from proman.database import catalogue
from proman.database.migrating import looking_connection
from proman.database.verifying import verify
from proman.db import db
from proman.settings import Settings
from tests import processes, rigs
from tests.conftest import make_settings
from tests.database.conftest import living_in
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import Server, installation, serving

pytestmark = pytest.mark.faults
SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
WRITERS = 3


class Writer(threading.Thread):
    """Somebody who saves one name after the other until the server is gone."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__(daemon=True)
        self._person = Person(url, "alice@example.com", PASSWORD)
        self._token = self._person.token()
        self._number = number
        self.acknowledged: list[str] = []

    def run(self) -> None:
        for count in range(100_000):
            name = f"Alice {self._number}-{count}"
            try:
                answer = self._person.send("/password/name", self._token, name=name)
            except requests.RequestException:
                return
            if answer.status_code == 303:
                self.acknowledged.append(name)


def back_up_and_tell(server: Server, backups: Path, listed: set[str]) -> None:
    """Presses "Back up now" until the server is gone; what is listed was told to somebody."""
    alice = Person(server.url, "alice@example.com", PASSWORD)
    try:
        while alice.post("/admin/database/backups").status_code in (303, 409):
            found = catalogue.backups_in(backups)
            listed |= {one.name for one in found if one.is_verified}
    except (requests.RequestException, AssertionError, OSError):
        return


@pytest.mark.fault(
    "Power cut",
    how="EXT4_IOC_SHUTDOWN on a loop device while people save and back up",
    outcome="no acknowledged commit is lost, every listed backup is whole",
)
def test_what_was_acknowledged_survives_a_power_cut(tmp_path, migrated_file):
    with rigs.loop_disk(tmp_path) as disk:
        folder = installation(disk.place / "data", migrated_file)
        settings = make_settings(folder)
        with living_in(settings):
            pass
        for attempt in range(SCALE):
            acknowledged, listed = cut_under_load(disk, settings, attempt)
            disk.unmount()
            disk.mount()
            assert len(acknowledged) > 10
            assert listed
            missing = acknowledged - names_in(settings)
            assert not missing
            assert_whole(settings, listed)


def cut_under_load(
    disk: rigs.LoopDisk, settings: Settings, attempt: int
) -> tuple[set[str], set[str]]:
    """Names that the server said it had saved, and backups that it listed, when the power went."""
    listed: set[str] = set()
    with serving(settings.data_dir) as server:
        writers = [Writer(server.url, attempt * 10 + number) for number in range(WRITERS)]
        backing = (server, settings.backup_dir, listed)
        saver = threading.Thread(target=back_up_and_tell, args=backing, daemon=True)
        for one in (*writers, saver):
            one.start()
        while len(listed) < 2 or sum(len(one.acknowledged) for one in writers) < 30:
            writers[0].join(random.Random(attempt).uniform(0.05, 0.3))
        disk.cut()
        server.kill()
        for one in (*writers, saver):
            one.join()
    return {name for one in writers for name in one.acknowledged}, listed


def names_in(settings: Settings) -> set[str]:
    """Every name that the audit trail knows."""
    with looking_connection(settings) as connection:
        told = connection.exec_driver_sql("SELECT after FROM audit_entries").scalars()
        return {name for after in told for name in re.findall(r"Alice \d+-\d+", str(after))}


def assert_whole(settings: Settings, listed: set[str]) -> None:
    """The books are in order, and all that was listed or is listed now is a good backup."""
    code, said = processes.flask(settings, "doctor").end()
    assert code == 0, said
    app = create_app(settings)
    with app.app_context():
        site = app.extensions["proman_installation"]
        found = catalogue.backups_in(settings.backup_dir)
        assert listed <= {one.name for one in found}
        for one in found:
            assert one.is_verified
            verify(site, one.path)
        db.engine.dispose()
