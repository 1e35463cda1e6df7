"""The alarm of the backups: when it begins and ends, who is told and how often, where it shows."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from proman.admin import alarm_letters
from proman.base.errors import Refused
from proman.database import alarm, catalogue, durable, outcomes, restore, restores, sources
from proman.database.alarm import Letter
from proman.database.backup import back_up
from proman.database.plan import Plan, save_plan
from proman.database.verifying import drill
from proman.db import db, utc_now
from proman.settings import Settings
from tests import factories
from tests.database.aging import backup_of
from tests.database.conftest import House, living_in
from tests.factories import PASSWORD
from tests.servers import database_of, serving
from tests.web.sink import Sink

NOW = datetime(2027, 3, 1, 12, 0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Post:
    """Takes letters, or refuses them."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.tries = 0
        self.is_open = True

    def __call__(self, letter: Letter) -> bool:
        self.tries += 1
        if self.is_open:
            self.letters.append(letter)
        return self.is_open

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self.letters]


def fail(house: House, what: str = "backup", why: str = "No space is left.") -> None:
    with pytest.raises(Refused), outcomes.noted(house.folder, what, "the schedule"):
        raise Refused(why)


def succeed(house: House, what: str = "backup") -> None:
    with outcomes.noted(house.folder, what, "the schedule"):
        pass


def test_a_new_installation_has_twice_the_interval_for_its_first_backup(house):
    post = Post()
    for hours in (0, 24, 48):
        assert alarm.look(house.site, NOW + hours * HOUR, post).reasons == ()
    found = alarm.look(house.site, NOW + 49 * HOUR, post)
    assert found.reasons == (alarm.NONE_YET,)
    assert post.kinds == ["begins"]


@pytest.mark.parametrize(("every", "hours"), [(24, 48), (6, 12), (1, 2)])
def test_it_begins_after_twice_the_interval_and_a_backup_ends_it(house, every, hours):
    save_plan(house.folder, Plan(every=every))
    backup_of(house.site, hours - 0.1)
    post = Post()
    assert alarm.look(house.site, utc_now(), post).reasons == ()
    late = utc_now() + timedelta(hours=0.2)
    (reason,) = alarm.look(house.site, late, post).reasons
    assert "old; one is due every" in reason
    back_up(house.site, "manual", "Alice")
    assert alarm.look(house.site, late, post).reasons == ()
    assert post.kinds == ["begins", "over"]


@pytest.mark.parametrize("what", ["backup", "drill"])
def test_what_failed_is_told_once_then_daily_then_once_that_it_is_over(house, what):
    post = Post()
    alarm.look(house.site, NOW, post)
    fail(house, what)
    for hours in range(48):
        alarm.look(house.site, NOW + hours * HOUR, post)
    assert post.kinds == ["begins", "lasts"]
    assert post.letters[0].reasons == (f"The last {what} failed: No space is left.",)
    succeed(house, what)
    for hours in range(3):
        assert alarm.look(house.site, NOW + (47 + hours / 3) * HOUR, post).since is None
    assert post.kinds == ["begins", "lasts", "over"]
    assert post.letters[2].since == post.letters[1].since
    fail(house, what)
    alarm.look(house.site, NOW + 48 * HOUR, post)
    assert post.kinds[3:] == ["begins"]


def test_a_letter_that_nobody_took_is_tried_again_and_what_nobody_heard_of_is_not_over(house):
    post = Post()
    post.is_open = False
    fail(house)
    for minutes in range(25):
        alarm.look(house.site, NOW + timedelta(minutes=minutes), post)
    assert post.tries == 3
    succeed(house)
    assert alarm.look(house.site, NOW + HOUR, post).since is None
    assert post.tries == 3
    fail(house)
    post.is_open = True
    alarm.look(house.site, NOW + 2 * HOUR, post)
    post.is_open = False
    succeed(house)
    alarm.look(house.site, NOW + 3 * HOUR, post)
    post.is_open = True
    alarm.look(house.site, NOW + 4 * HOUR, post)
    alarm.look(house.site, NOW + 5 * HOUR, post)
    assert post.kinds == ["begins", "over"]


def test_eight_that_look_at_once_tell_it_once(house):
    fail(house)
    post, together = Post(), threading.Barrier(8)

    def watch(_: int) -> None:
        together.wait()
        alarm.look(house.site, NOW, post)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(watch, range(8)))
    assert post.kinds == ["begins"]


def test_a_full_disk_does_not_tell_it_every_half_minute(house, monkeypatch):
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    fail(house)
    post = Post()
    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_durably", full)
        for minutes in range(5):
            alarm.look(house.site, NOW + timedelta(minutes=minutes), post)
    alarm.look(house.site, NOW + HOUR, post)
    assert post.kinds == ["begins"]
    assert json.loads((house.folder / alarm.FILE).read_text())["told_at"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"reasons": 5}', '{"watched_since": 1}'])
def test_a_damaged_state_begins_anew(house, content):
    (house.folder / alarm.FILE).write_text(content)
    assert alarm.standing(house.folder) is None
    fail(house)
    post = Post()
    alarm.look(house.site, NOW, post)
    assert post.kinds == ["begins"]
    assert alarm.standing(house.folder) is not None


def test_a_clock_that_was_ahead_does_not_silence_it(house):
    fail(house)
    post = Post()
    alarm.look(house.site, NOW + 3650 * DAY, post)
    alarm.look(house.site, NOW, post)
    alarm.look(house.site, NOW + HOUR, post)
    assert post.kinds == ["begins", "lasts"]


def test_a_disk_that_cannot_be_read_is_an_alarm_and_no_empty_list(house, monkeypatch):
    def broken(directory: Path) -> Iterator[Path]:
        raise OSError(5, "Input/output error")

    back_up(house.site, "manual", "Alice")
    monkeypatch.setattr(Path, "iterdir", broken)
    (reason,) = alarm.look(house.site, utc_now(), Post()).reasons
    assert reason == f"The backups in {house.site.backup_dir} cannot be read: Input/output error."


def test_work_on_files_elsewhere_is_no_alarm(house, tmp_path):
    back_up(house.site, "manual", "Alice")
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    with pytest.raises(Refused):
        drill(house.site, junk, "Alice")
    fail(house)
    back_up(house.site, "manual", "Alice", tmp_path / "elsewhere")
    post = Post()
    reasons = alarm.look(house.site, utc_now(), post).reasons
    assert reasons == ("The last backup failed: No space is left.",)


def test_a_restore_leaves_the_alarm_as_it_is(house):
    made = back_up(house.site, "manual", "Alice")
    fail(house, "drill")
    post = Post()
    before = alarm.look(house.site, NOW, post)
    db.session.remove()
    one = sources.from_list(house.site, made.name, "Alice")
    restore.judge_and_stage(house.site, one.id)
    restores.confirm(house.folder, one.id)
    assert restore.carry_out(house.site, one.id, db.engine.dispose).stage == "done"
    assert alarm.standing(house.folder) == before


def test_pages_of_those_who_can_act_show_it_and_list_no_directory(app, cast, sign_in, monkeypatch):
    settings: Settings = app.extensions["proman_settings"]
    state = alarm.Alarm("2027-03-01T12:00:00Z", "2027-03-01T12:00:00Z", ("/backups is full.",))
    path = settings.data_dir / alarm.FILE
    path.write_text(json.dumps(state.__dict__))
    try:
        clients = {person: sign_in(person) for person in ("alice", "mona", "vera", "charlie")}

        def unwanted(directory: Path) -> list[catalogue.Backup]:
            raise AssertionError("the backups are listed")

        with monkeypatch.context() as patch:
            patch.setattr(catalogue, "backups_in", unwanted)
            pages = {person: client.get("/").text for person, client in clients.items()}
        assert "/backups is full." in pages["alice"]
        assert 'href="/admin/database">Look' in pages["alice"]
        assert "Tell whoever operates ProMan" in pages["charlie"]
        assert "/backups is full." not in pages["charlie"]
        for person in ("mona", "vera"):
            assert "Backups are not in order" not in pages[person]
        assert "Backups are not in order" not in clients["alice"].get("/admin/database").text
    finally:
        path.unlink()
    assert "Backups are not in order" not in clients["alice"].get("/").text


@contextmanager
def mailing(folder: Path, sink: Sink, make: Callable[..., Settings]) -> Iterator[House]:
    changes = {"smtp_url": sink.url, "mail_from": "proman@example.com"}
    settings = make(folder, **changes, public_url="https://homes.example.com")
    with living_in(settings) as house:
        yield house


def test_operators_and_their_administrators_are_mailed(tmp_path, new_installation):
    with Sink() as sink, mailing(tmp_path, sink, new_installation) as house:
        factories.make_user(house.organization, "anna@example.com", "administrator")
        factories.make_user(house.organization, "mona@example.com", "manager")
        other = factories.make_organization(name="Charlie's Courts")
        factories.make_user(other, "charlie@example.com", "administrator")
        fail(house, why="/backups is full.")
        alarm_letters.watch_backups()
        alarm_letters.watch_backups()
        assert [mail["To"] for mail in sink.mails] == ["alice@example.com", "anna@example.com"]
        text = sink.mails[0].get_content()
        assert "- The last backup failed: /backups is full." in text
        assert "https://homes.example.com/admin/database" in text
        sink.refuses.add("alice@example.com")
        succeed(house)
        alarm_letters.watch_backups()
        alarm_letters.watch_backups()
        assert [mail["Subject"] for mail in sink.mails][2:] == [
            "Backups of ProMan are in order again"
        ]


def test_a_server_mails_and_shows_it_until_a_backup_is_made(
    tmp_path: Path, new_installation: Callable[..., Settings]
) -> None:
    with Sink() as sink:
        with mailing(tmp_path, sink, new_installation) as house:
            fail(house)
            environment = database_of(house.site.settings)
        environment |= {"SMTP_URL": sink.url, "MAIL_FROM": "proman@example.com"}
        with serving(tmp_path, **environment) as server:
            session = requests.Session()

            def post(path: str, **fields: str) -> requests.Response:
                page = session.get(server.url + "/login" if path == "/login" else server.url)
                token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
                assert token
                return session.post(server.url + path, {"csrf_token": token[1], **fields})

            def until(said: Callable[[], bool]) -> None:
                waiting = threading.Event()
                end = utc_now() + timedelta(seconds=60)
                while not said():
                    assert utc_now() < end
                    waiting.wait(0.05)

            until(lambda: len(sink.mails) == 1)
            post("/login", email="alice@example.com", password=PASSWORD)
            until(
                lambda: "The last backup failed: No space is left." in session.get(server.url).text
            )
            post("/admin/database/backups")
            until(lambda: len(sink.mails) == 2)
            assert sink.mails[1]["Subject"] == "Backups of ProMan are in order again"
            until(lambda: "Backups are not in order" not in session.get(server.url).text)


def test_flask_jobs_run_looks_too(house):
    fail(house)
    done = house.app.test_cli_runner().invoke(args=["jobs", "run"])
    assert done.exit_code == 0, done.output
    assert alarm.standing(house.folder) is not None
