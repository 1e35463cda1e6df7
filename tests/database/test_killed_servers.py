"""A database server of the test's own is killed in mid backup, restore and copy."""

import gc
import os
from collections.abc import Callable, Iterator

import pytest
from flask_migrate import upgrade
from sqlalchemy import URL, Engine, event

from proman.app import create_app
from proman.base.errors import Refused
from proman.database import catalogue, restore, restores, sources
from proman.database.backup import back_up
from proman.database.copying import copy_to
from proman.database.durable import PARTIAL
from proman.database.lock import holder
from proman.db import db
from proman.settings import Settings
from tests import clusters, instances
from tests.conftest import make_settings
from tests.database.conftest import House, living_in
from tests.database.furniture import WRITTEN_BY_A_RESTORE, furnish, held_by, held_in
from tests.engines import POSTGRESQL

pytestmark = [
    pytest.mark.faults,
    pytest.mark.engines("postgresql", "mysql"),
    # A cursor of a server that is gone cannot be closed any more.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <function ServerCursorMixin"),
]
SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
PHASES = ["emptying the database", "replacing the database", "verifying", "commit"]
CUT_OFF = "was not finished"
Act = Callable[[], None]


class Killable:
    """A house on a server that can be killed and started again."""

    def __init__(self, house: House, kill: Act, start: Act) -> None:
        self.house = house
        self.kill = kill
        self._start = start

    def start_again(self) -> None:
        """The server comes back, and ProMan connects anew."""
        self._start()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(autouse=True)
def _cursors_are_collected() -> Iterator[None]:
    """While their warning is expected: later it would be another test's."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[URL, Act, Act]]:
    """The administrator's address on a server, and how it is killed and started again."""
    if engine == POSTGRESQL:
        with clusters.alone() as cluster:
            yield cluster.url(), cluster.kill, cluster.start_again
        return
    own = instances.MariaDB(tmp_path_factory.mktemp("server"))
    own.start()
    try:
        yield own.url, own.kill, own.start
    finally:
        own.stop()


@pytest.fixture(scope="module")
def place(
    server: tuple[URL, Act, Act], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killable]:
    url, kill, start = server
    instances.run(url, "CREATE DATABASE proman", "CREATE DATABASE target")
    folder = tmp_path_factory.mktemp("place")
    settings = make_settings(folder, database_url=url.set(database="proman"))
    app = create_app(settings)
    with app.app_context():
        upgrade()
        db.engine.dispose()
    with living_in(settings) as house:
        furnish(house)
        yield Killable(house, kill, start)


def at(phase: str, act: Act) -> Callable[[str, int, int], None]:
    """Watches an operation, and acts once when it comes to that phase."""
    done: list[bool] = []

    def watch(told: str, part: int, whole: int) -> None:
        if told == phase and not done:
            done.append(True)
            act()

    return watch


def written(settings: Settings) -> str:
    return settings.database_url.render_as_string(hide_password=False)


@pytest.mark.fault(
    "Database server killed",
    how="SIGKILL to the server in mid backup",
    outcome="one sentence, nothing left behind; older backups and all rows are there",
)
def test_in_mid_backup(place):
    house = place.house
    made = back_up(house.site, "manual", "Alice")
    before = {one.name for one in catalogue.backups_in(house.site.backup_dir)}
    with pytest.raises(Refused, match=r"failed: .* Nothing was left behind"):
        back_up(house.site, "manual", "Alice", watch=at("copying", place.kill))
    place.start_again()
    assert {one.name for one in catalogue.backups_in(house.site.backup_dir)} == before
    assert [one for one in house.folder.rglob("*") if PARTIAL in one.name] == []
    assert held_by(house, made.path, but=["audit_entries"]) == held_in(
        made.path, but=["audit_entries"]
    )
    assert holder(house.site.settings) is None
    assert back_up(house.site, "manual", "Alice").is_verified


def confirmed(house: House, name: str) -> restores.Restore:
    one = sources.from_list(house.site, name, "Alice", house.alice)
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    return restores.confirm(house.folder, one.id)


@pytest.mark.fault(
    "Database server killed",
    how="SIGKILL to the server while rows are replaced, and at the COMMIT",
    outcome="all old or all new, and told which once it answers again",
)
@pytest.mark.parametrize("phase", PHASES if SCALE > 1 else PHASES[1::2])
def test_in_mid_restore(place, phase):
    house = place.house
    house.rename("before")
    made = back_up(house.site, "manual", "Alice")
    house.rename("after")
    before = held_in(made.path, but=WRITTEN_BY_A_RESTORE)
    after = held_by(house, made.path, but=WRITTEN_BY_A_RESTORE)
    one = confirmed(house, made.name)

    def kill_at_commit(connection: object) -> None:
        if restores.load(house.folder, one.id).phase == "verifying":
            event.remove(Engine, "commit", kill_at_commit)
            place.kill()

    if phase == "commit":
        event.listen(Engine, "commit", kill_at_commit)
    watch = at(phase, place.kill)
    done = restore.carry_out(house.site, one.id, db.engine.dispose, watch=watch)
    assert done.stage in ("failed", "swapping")
    assert done.fault
    place.start_again()
    told = restore.load_settled(house.site, one.id)
    found = held_by(house, made.path, but=WRITTEN_BY_A_RESTORE)
    assert (told.stage, found) in {("failed", after), ("done", before)}
    if phase == "commit":
        done = restore.carry_out(house.site, confirmed(house, made.name).id, db.engine.dispose)
        assert (done.stage, done.fault) == ("done", None)
        assert held_by(house, made.path, but=WRITTEN_BY_A_RESTORE) == before


@pytest.mark.fault(
    "Database server killed",
    how="SIGKILL to the server that a copy reads",
    outcome="the source is as it was, the target says that it is incomplete",
)
def test_in_mid_copy_as_the_source(place, tmp_path):
    house, target = place.house, make_settings(tmp_path / "target")
    shape = back_up(house.site, "manual", "Alice").path
    before = held_by(house, shape)
    with pytest.raises(Refused, match=CUT_OFF):
        copy_to(house.site, written(target), "Alice", at("copying postings", place.kill))
    place.start_again()
    assert held_by(house, shape) == before
    with pytest.raises(Refused, match=CUT_OFF):
        copy_to(house.site, written(target), "Alice", lambda *_: None)


@pytest.mark.fault(
    "Database server killed",
    how="SIGKILL to the server that a copy fills",
    outcome="the source is as it was, the target says that it is incomplete",
)
def test_in_mid_copy_as_the_target(place, house, server, tmp_path):
    with house.app.app_context():
        furnish(house)
        shape = back_up(house.site, "manual", "Alice").path
        before = held_by(house, shape)
        target = make_settings(tmp_path / "there", database_url=server[0].set(database="target"))
        with pytest.raises(Refused, match=CUT_OFF):
            copy_to(house.site, written(target), "Alice", at("copying postings", place.kill))
        place.start_again()
        assert held_by(house, shape) == before
        with pytest.raises(Refused, match=CUT_OFF):
            copy_to(house.site, written(target), "Alice", lambda *_: None)
