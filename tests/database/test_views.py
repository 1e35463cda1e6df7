"""The database page: for the operator only; every action by plain forms, and 409 when under way."""

import json
import re
import time

import pytest

from proman.database import catalogue, restores
from proman.database import lock as locks
from proman.database.backup import back_up
from proman.database.journal_checks import standing
from proman.database.lock import ops_lock
from proman.database.maintenance import Notice, maintenance
from proman.db import db
from tests import factories
from tests.factories import PASSWORD

HOME = "/admin/database"


def text_of(answer) -> str:
    return answer.get_data(as_text=True)


def uploaded(client, content: bytes, name: str = "copy.sqlite"):
    # Written out by hand: of a large form the client would leave its temporary file open.
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    data = head.encode() + content + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    return client.post(f"{HOME}/restores", data=data, content_type=kind)


def confirmed(client, address: str, password: str = PASSWORD, word: str = "RESTORE"):
    return client.post(f"{address}/confirmation", data={"password": password, "word": word})


def followed(client, address: str) -> str:
    """The page of a restore once nothing moves any more."""
    until = time.monotonic() + 60
    while re.search('id="(restore|progress)" hx-get', page := text_of(client.get(address))):
        assert time.monotonic() < until, page
        time.sleep(0.01)
    return page


def test_only_an_operator_may_open_it(app, sign_in):
    assert sign_in("alice").get(HOME).status_code == 200
    for person in ("mona", "vera", "charlie"):
        assert sign_in(person).get(HOME).status_code == 403
    assert app.test_client().get(HOME).status_code == 303


def test_back_up_now_makes_one_and_lists_it(house):
    client = house.client()
    assert client.post(f"{HOME}/backups").status_code == 303
    page = text_of(client.get(HOME))
    assert "Backed up and verified." in page
    assert page.count("Verified</span>") == 1
    assert "By hand" in page
    assert house.sql("SELECT count(*) FROM audit_entries WHERE action = 'backed up'") == 1


@pytest.mark.fault(
    "Two backups at once",
    how="a request while the lock is held",
    outcome="409 with who holds it",
)
def test_while_another_backup_runs_it_answers_409_with_the_holder(house):
    client = house.client()
    with ops_lock(house.site.settings, "backup", "Bob Builder") as held:
        held.report("copying", 3, 10)
        answer = client.post(f"{HOME}/backups")
        assert answer.status_code == 409
        assert "started by Bob Builder" in text_of(answer)
        assert f'href="{HOME}"' in text_of(answer)
        part = client.get(f"{HOME}/operation", headers={"HX-Request": "true"})
        assert 'value="3" max="10"' in text_of(part)
        assert "Bob Builder" in text_of(client.get(HOME))
    over = client.get(f"{HOME}/operation", headers={"HX-Request": "true"})
    assert "backups" in json.loads(over.headers["HX-Trigger"])


@pytest.mark.fault(
    "Interrupted download",
    how="Range and If-Range for parts of file and archive",
    outcome="the same bytes as in one piece",
)
def test_a_download_goes_on_where_it_broke_off(house):
    made = back_up(house.site, "manual", "Alice")
    client = house.client()
    for ending in ("sqlite", "tar"):
        address = f"{HOME}/backups/{made.name}.{ending}"
        whole = client.get(address)
        assert whole.status_code == 200
        assert f"{made.name}.{ending}" in whole.headers["Content-Disposition"]
        headers = {"Range": "bytes=5000-", "If-Range": whole.headers["ETag"]}
        rest = client.get(address, headers=headers)
        assert rest.status_code == 206
        assert rest.data == whole.data[5000:]
        middle = client.get(address, headers={"Range": "bytes=100-199"})
        assert middle.data == whole.data[100:200]
        stale = client.get(address, headers=headers | {"If-Range": '"other"'})
        assert stale.status_code == 200
    assert whole.data != made.path.read_bytes()
    assert client.get(f"{HOME}/backups/{made.name}").data == made.path.read_bytes()


@pytest.mark.parametrize(
    "name",
    ["proman-20200101-020000.sqlite", "..%2fproman.sqlite", "proman.sqlite", "last-backup.json"],
)
def test_nothing_but_listed_backups_can_be_downloaded(house, name):
    back_up(house.site, "manual", "Alice")
    assert house.client().get(f"{HOME}/backups/{name}").status_code == 404


def test_a_backup_can_be_pinned_proven_verified_and_deleted(house):
    first, newest = (back_up(house.site, "manual", "Alice") for _ in range(2))
    client = house.client()
    here = f"{HOME}/backups/{first.name}"
    assert "Delete for good" in text_of(client.get(f"{here}/details"))
    for what in ("verification", "drill"):
        assert client.post(f"{here}/{what}").status_code == 303
        while locks.holder(house.site.settings):
            pass
    assert client.post(f"{here}/pin", data={"pinned": "1"}).status_code == 303
    listed = catalogue.backup_named(house.site.backup_dir, first.name)
    assert listed.is_pinned
    assert listed.proven_at
    assert client.post(f"{here}/deletion").status_code == 422
    client.post(f"{here}/pin", data={"pinned": "0"})
    assert client.post(f"{here}/deletion").status_code == 303
    assert client.post(f"{HOME}/backups/{newest.name}/deletion").status_code == 422
    assert [one.name for one in catalogue.backups_in(house.site.backup_dir)] == [newest.name]


def test_an_upload_is_shown_confirmed_followed_and_undone(house):
    content = back_up(house.site, "manual", "Alice").path.read_bytes()
    client = house.client()
    house.rename("after")
    answer = uploaded(client, content)
    assert answer.status_code == 303
    address = answer.headers["Location"]
    page = followed(client, address)
    assert "Replace the database" in page
    assert "audit entries" in page.lower()
    assert house.name() == "after"

    db.session.remove()
    answer = confirmed(client, address)
    assert answer.status_code == 303, text_of(answer)
    assert "Sign in again" in followed(client, answer.headers["Location"])
    assert house.name() == "before"
    # The old cookie is void, the page of the progress still answers the one who asked.
    assert client.get("/").headers["Location"].startswith("/login")
    stranger = house.app.test_client()
    assert stranger.get(answer.headers["Location"]).headers["Location"] == "/login"

    client = house.client()
    page = text_of(client.get(HOME))
    assert "Undo this restore" in page
    undo = f"{address}/undo"
    db.session.remove()
    answer = client.post(undo)
    assert answer.status_code == 303, text_of(answer)
    assert "Sign in again" in followed(client, answer.headers["Location"])
    assert house.name() == "after"
    assert house.client().post(undo).status_code == 422


@pytest.mark.parametrize(
    ("password", "word"), [("wrong", "RESTORE"), (PASSWORD, "restore"), ("", "")]
)
def test_without_password_and_word_nothing_happens(house, password, word):
    client = house.client()
    made = back_up(house.site, "manual", "Alice")
    house.rename("after")
    address = client.post(f"{HOME}/restores", data={"name": made.name}).headers["Location"]
    followed(client, address)
    answer = confirmed(client, address, password, word)
    assert answer.status_code == 422
    assert "field-error" in text_of(answer)
    assert house.name() == "after"
    assert restores.load(house.folder, address.rsplit("/", 1)[-1]).stage == "ready"


def test_a_refused_upload_answers_422_with_the_reason(house):
    client = house.client()
    answer = uploaded(client, b"hello" * 1000)
    followed(client, answer.headers["Location"])
    page = client.get(answer.headers["Location"])
    assert page.status_code == 422
    assert "not a SQLite database" in text_of(page)
    empty = client.post(f"{HOME}/restores", data={})
    assert empty.status_code == 422
    assert "Choose a file first" in text_of(empty)


def test_an_upload_larger_than_other_forms_allow_is_taken(house):
    content = back_up(house.site, "manual", "Alice").path.read_bytes()
    house.app.config["MAX_CONTENT_LENGTH"] = 1000
    try:
        assert uploaded(house.client(), content).status_code == 303
    finally:
        house.app.config["MAX_CONTENT_LENGTH"] = None


def test_a_restore_can_be_left(house, files):
    client = house.client()
    before = files()
    address = uploaded(client, back_up(house.site, "manual", "A").path.read_bytes()).location
    followed(client, address)
    assert client.post(f"{address}/dismissal").status_code == 303
    assert client.get(address).status_code == 404
    assert not {one for one in files() - before if one.startswith("restores/")}


def test_in_maintenance_others_wait_and_the_watchers_are_told(house):
    client = house.client()
    db.session.remove()
    with maintenance(house.site.settings, Notice("a backup is being restored", "Bob", "now")):
        for answer in (client.get("/"), client.post("/login", data={})):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "5"
            assert "Bob" in text_of(answer)
        ready = client.get("/readyz")
        assert (ready.status_code, "maintenance" in text_of(ready)) == (200, True)
        assert client.get("/healthz").status_code == 200
        with pytest.raises(Exception, match="maintenance"):
            factories.make_organization(name="Another")
    assert client.get("/readyz").status_code == 200
    assert "maintenance" not in text_of(client.get("/readyz"))
    assert client.get(HOME).status_code == 200


def test_every_download_from_its_beginning_has_a_line_in_the_journal(house):
    made = back_up(house.site, "manual", "Alice")
    client = house.client()

    def lines() -> int:
        return [one.what for one in standing(house.site).lines].count("download")

    for ending in ("sqlite", "tar"):
        address = f"{HOME}/backups/{made.name}.{ending}"
        for headers, code, more in (
            ({}, 200, 1),
            ({"Range": "bytes=0-"}, 206, 1),
            ({"Range": "bytes=0-99"}, 206, 1),
            ({"Range": "bytes=5-", "If-Range": '"x"'}, 200, 1),
            ({"Range": "bytes=5-"}, 206, 0),
            ({"Range": "bytes=999999999-"}, 416, 0),
            ({"If-None-Match": client.head(address).headers["ETag"]}, 304, 0),
        ):
            before = lines()
            assert client.get(address, headers=headers).status_code == code
            assert lines() - before == more, headers
