"""Eight who write and four who read while backups, drills, restores and kills come at random.

`PROMAN_TEST_SEED` repeats a run's choices; which request meets which of them remains chance.
"""

import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from proman.app import create_app
from proman.billing.actions import run_billing
from proman.database import catalogue, restores
from proman.database.lock import holder
from proman.database.plan import Plan, save_plan
from proman.database.rules import stem_of
from proman.db import begin_write, db, utc_now
from proman.identity.session import acting_for
from proman.settings import Settings
from tests import factories, processes
from tests.engines import SQLITE
from tests.factories import PASSWORD
from tests.soakers import LEASES, PATIENCE, REFERENCE, KeptOut, Soaker
from tests.soaking import Books, Keys, Live, Place, keys_in, keys_of

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
FULL_SCALE, FULL_SECONDS = 20, 600
SEED = os.environ.get("PROMAN_TEST_SEED") or str(random.SystemRandom().randrange(10**6))
WRITERS, READERS = 8, 4
HOME = "/admin/database"


def seconds_on(engine: str) -> float:
    """Ten minutes at full length, some seconds in a run of all tests."""
    least = 15 if engine == SQLITE else 5
    return least + (FULL_SECONDS - least) * min(1, (SCALE - 1) / (FULL_SCALE - 1))


class Operator:
    """Alice, who backs up, restores and kills, and takes stock after each."""

    def __init__(self, place: Place, books: Books, chance: random.Random) -> None:
        self.place, self.books, self.chance = place, books, chance
        self.settings = place.settings
        self.alice = Soaker(place, "alice@example.com", chance)
        self.live = Live()
        self.known: dict[str, Keys] = {}
        self.settled: set[str] = set()
        self.done: Counter[str] = Counter()

    def acts(self) -> list[Callable[[], None]]:
        """All that can happen, in an order of chance."""
        harmless = [
            self.back_up_by_page,
            self.back_up_by_command,
            self.drill,
            self.kill_the_server,
            self.kill_a_backup,
        ]
        acts = harmless + self.restoring()
        return self.chance.sample(acts, len(acts))

    def restoring(self) -> list[Callable[[], None]]:
        """Those acts during which ProMan may be in maintenance."""
        return [
            self.restore_by_page,
            self.restore_by_command,
            self.undo,
            self.kill_a_restore,
            self.kill_the_server_in_a_restore,
        ]

    def do(self, act: Callable[[], None]) -> None:
        """One act between two quiet moments, and everything compared with the books after it."""
        began, deaths = time.monotonic(), self.place.deaths
        with self.place.restoring() if act in self.restoring() else contextlib.nullcontext():
            act()
            self.wait_for(lambda: holder(self.settings) is None)
            # One that was killed before its first step counts as about to begin for a while.
            self.wait_for(lambda: not any(one.is_running for one in self.new_ones()))
        self.take_stock(began)
        if act in self.restoring() or self.place.deaths != deaths:
            self.commanded("doctor")
        self.done[act.__name__] += 1

    def take_stock(self, began: float) -> None:
        """Every new backup holds what it must, and so does the live database."""
        now = time.monotonic()
        must, may = self.books.must_hold(self.live, began), self.books.may_hold(self.live, now)
        for one in catalogue.backups_in(self.settings.backup_dir):
            if one.name in self.known:
                continue
            assert one.is_verified, one.name
            assert one.manifest is not None
            assert one.manifest.ledger_balance == 0
            self.known[one.name] = held = keys_of(one.path)
            compare(must, held, may, f"the backup {one.name}")
        for one in self.new_ones():
            self.settled.add(one.id)
            if one.stage == "done":
                assert one.file is not None
                assert one.safety is not None
                self.done["restores done"] += 1
                self.live = Live(self.known[stem_of(one.file)], began, now)
                self.compare_live(began, self.known[one.safety])
                return
            self.done["restores cut off"] += 1
        self.compare_live()

    def compare_live(self, began: float = 0.0, safety: Keys = frozenset()) -> None:
        """It holds what it must; what was acknowledged during a restore is there or safe."""
        now = time.monotonic()
        must = self.books.must_hold(self.live, now)
        meanwhile = self.books.acknowledged_between(began, now) if began else frozenset()
        found, balance = keys_in(self.settings)
        may = self.books.may_hold(self.live, time.monotonic())
        assert len(found) == len(set(found)), "a write was doubled"
        assert balance == 0
        compare(must, frozenset(found), may, "the live database")
        assert meanwhile <= safety | set(found), "neither restored nor in the safety backup"

    def command(self, *words: str) -> processes.Running:
        return processes.flask(self.settings, *words)

    def commanded(self, *words: str) -> None:
        code, said = self.command(*words).end()
        assert code == 0, said

    def wait_for(self, reached: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
        while not reached():
            assert self.place.faults == []
            assert time.monotonic() < until, holder(self.settings)
            self.place.over.wait(0.02)

    def backups(self) -> list[str]:
        return [one.name for one in catalogue.backups_in(self.settings.backup_dir)]

    def any_backup(self) -> str:
        if not self.backups():
            self.commanded("database", "backup")
            self.take_stock(time.monotonic() - PATIENCE)
        return self.chance.choice(self.backups())

    def post(self, path: str, **fields: str) -> str:
        """Alice sends a form, signing in anew where she has to; where it leads."""
        for _ in range(5):
            try:
                if self.alice.token:
                    answer = self.alice.ask("POST", path, **fields)
                    assert answer.status_code == 303, answer.text
                    return answer.headers["Location"]
            except KeptOut:
                pass
            self.alice.sign_in()
            assert self.place.faults == []
        raise AssertionError(f"{path} keeps Alice out")

    def back_up_by_page(self) -> None:
        before = len(self.backups())
        self.post(f"{HOME}/backups")
        self.wait_for(lambda: len(self.backups()) > before)

    def back_up_by_command(self) -> None:
        self.commanded("database", "backup")

    def drill(self) -> None:
        self.commanded("database", "drill", self.any_backup())

    def restore_by_page(self) -> None:
        one = self.confirmed()
        self.wait_for(lambda: self.restore(one).ended_at)
        done = self.restore(one)
        assert done.stage == "done", done

    def confirmed(self) -> str:
        """A restore by page that has just begun; its id."""
        one = self.post(f"{HOME}/restores", name=self.any_backup()).rsplit("/", 1)[-1]
        self.wait_for(lambda: not self.restore(one).is_running)
        assert self.restore(one).stage == "ready", self.restore(one)
        path = f"{HOME}/restores/{one}/confirmation"
        self.post(path, password=PASSWORD, word="RESTORE")
        return one

    def restore(self, one: str) -> restores.Restore:
        return restores.load(self.settings.data_dir, one)

    def restore_by_command(self) -> None:
        self.commanded("database", "restore", self.any_backup(), "--yes")

    def undo(self) -> None:
        done = [one for one in restores.every(self.settings.data_dir) if one.stage == "done"]
        last = max(done, key=lambda one: one.ended, default=None)
        if last is None or last.is_undo or last.safety not in self.backups():
            return
        self.post(f"{HOME}/restores/{last.id}/undo")
        self.wait_for(lambda: [one for one in self.new_ones() if one.ended_at])
        assert self.new_ones()[0].stage == "done", self.new_ones()

    def new_ones(self) -> list[restores.Restore]:
        every = restores.every(self.settings.data_dir)
        return [one for one in every if one.id not in self.settled]

    def kill_the_server(self) -> None:
        self.place.kill()
        self.place.start()

    def kill_a_backup(self) -> None:
        self.killed(self.command("database", "backup"))

    def kill_a_restore(self) -> None:
        self.killed(self.command("database", "restore", self.any_backup(), "--yes"))
        self.look_at_what_was_cut_off()

    def killed(self, running: processes.Running) -> None:
        running.process.join(self.chance.uniform(0.1, 3))
        running.kill()

    def kill_the_server_in_a_restore(self) -> None:
        self.confirmed()
        self.place.over.wait(self.chance.uniform(0, 1.5))
        self.kill_the_server()
        self.look_at_what_was_cut_off()

    def look_at_what_was_cut_off(self) -> None:
        """Whoever opens the page of such a restore is told what became of it."""
        for one in self.new_ones():
            self.alice.sign_in()
            with contextlib.suppress(KeptOut):
                self.alice.ask("GET", f"{HOME}/restores/{one.id}")


def compare(must: Keys, held: Keys, may: Keys, what: str) -> None:
    lost, foreign = sorted(must - held), sorted(held - may)
    assert not lost, f"{what} lacks {len(lost)} acknowledged writes: {lost[:5]}"
    assert not foreign, f"{what} holds {len(foreign)} that it cannot have: {foreign[:5]}"


@pytest.fixture
def place(new_installation: Callable[..., Settings], tmp_path: Path) -> Iterator[Place]:
    """A server with twenty billed leases, and no schedule that comes between."""
    settings = new_installation(tmp_path / "home")
    save_plan(settings.data_dir, Plan(hour=(utc_now().hour + 12) % 24))
    app = create_app(settings)
    with app.app_context():
        home = factories.make_organization()
        factories.make_user(home, "alice@example.com", "administrator", operator=True)
        for number in range(WRITERS):
            factories.make_user(home, f"writer{number}@example.com", "manager")
        for number in range(READERS):
            factories.make_user(home, f"reader{number}@example.com", "viewer")
        with acting_for(home) as actor:
            building, today = factories.make_property(), utc_now().date()
            for number in range(LEASES):
                unit, tenant = factories.make_unit(building), factories.make_tenant()
                reference = REFERENCE.format(number)
                factories.make_lease(
                    unit, [tenant], reference=reference, first_day=date(2026, 1, 1)
                )
            begin_write()
            run_billing(today, today=today, actor=actor)
            db.session.commit()
        db.session.remove()
        db.engine.dispose()
    place = Place(settings)
    place.start()
    yield place
    place.over.set()
    place.kill()


@pytest.mark.long
def test_no_acknowledged_write_is_lost_whatever_happens(place: Place, engine: str) -> None:
    print(f"PROMAN_TEST_SEED={SEED}")
    books, chance = Books(), random.Random(SEED)
    operator = Operator(place, books, chance)
    writers, readers = (
        [
            Soaker(place, f"{kind}{number}@example.com", random.Random(f"{SEED}{kind}{number}"))
            for number in range(count)
        ]
        for kind, count in (("writer", WRITERS), ("reader", READERS))
    )
    threads = [one.go_on(lambda one=one: one.write(books)) for one in writers]
    threads += [one.go_on(one.read) for one in readers]
    until = time.monotonic() + seconds_on(engine)
    while time.monotonic() < until and not place.over.is_set():
        for act in operator.acts():
            if time.monotonic() < until and not place.over.is_set():
                operator.do(act)
    place.over.set()
    for one in threads:
        one.join(PATIENCE)
    assert place.faults == []
    operator.do(operator.back_up_by_command)
    operator.do(operator.restore_by_command)
    told = ("acknowledged", "refused", "cut off")
    print(*(f"writes {one}: {books.of(one)}" for one in told), sep="\n")
    print(f"pages read: {sum(one.done for one in readers)}", dict(operator.done), sep="\n")
    assert books.of("acknowledged") > WRITERS
    assert all(one.done for one in readers)
