"""Signing in and out, links for passwords, one's own login."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from proman.db import begin_write, db, utc_now
from proman.identity.actions import make_link, read_link
from proman.identity.models import AccessToken, LoginFailure
from proman.identity.queries import Account, the_user
from proman.identity.session import installation_epoch, renew_installation_epoch
from proman.identity.signing_in import check_password
from tests.conftest import Cast
from tests.factories import PASSWORD

MONA = {"email": "mona@example.com", "password": PASSWORD}


@pytest.fixture
def visitor(app: Flask, cast: Cast) -> FlaskClient:
    """A browser in which nobody is signed in."""
    return app.test_client()


def link_for(user_id: int, purpose: str = "reset") -> str:
    """A fresh link's path; needs the `home` fixture."""
    begin_write()
    link = make_link(the_user(user_id), purpose, now=utc_now())
    db.session.commit()
    return link.path


def test_signing_in_leads_where_one_wanted_to_be(visitor: FlaskClient) -> None:
    assert visitor.get("/properties/").headers["Location"] == "/login?next=/properties/?"
    answer = visitor.post("/login", data=MONA | {"next": "/properties/?q=a"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/properties/?q=a")
    assert visitor.get("/properties/").status_code == 200


def test_the_cookie_of_signing_in_serves_every_page(visitor: FlaskClient) -> None:
    before = visitor.get("/login").headers["Set-Cookie"]
    cookie = visitor.post("/login", data=MONA).headers["Set-Cookie"]
    assert cookie != before
    for address in ("/", "/properties/", "/properties/new"):
        assert "Set-Cookie" not in visitor.get(address).headers


def test_a_foreign_address_is_not_followed(visitor: FlaskClient) -> None:
    answer = visitor.post("/login", data=MONA | {"next": "//evil.example"})
    assert answer.headers["Location"] == "/"


def test_signing_out_ends_the_session(mona: FlaskClient) -> None:
    assert mona.post("/logout").status_code == 303
    assert mona.get("/properties/").status_code == 303


def test_an_unknown_email_and_a_wrong_password_get_one_answer(visitor: FlaskClient) -> None:
    answers = [
        visitor.post("/login", data={"email": email, "password": "x" * 12})
        for email in ("mona@example.com", "nobody@example.com")
    ]
    # What was typed, and a token that holds the second.
    texts = [re.sub(r'(value|content)="[^"]*"', "", answer.text) for answer in answers]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("email", ["mona@example.com", "nobody@example.com"])
def test_repeated_failures_of_an_email_wait(app: Flask, visitor: FlaskClient, email: str) -> None:
    wrong = {"email": email, "password": "wrong password"}
    codes = [visitor.post("/login", data=wrong).status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]
    right = visitor.post("/login", data=MONA | {"email": email})
    assert right.status_code == 429
    assert "too many tries" in right.text


def test_the_wait_passes_and_a_success_forgets_the_failures(
    app: Flask, visitor: FlaskClient, home: Cast
) -> None:
    for _ in range(6):
        visitor.post("/login", data=MONA | {"password": "wrong password"})
    begin_write()
    for row in db.session.query(LoginFailure):
        row.last_failed_at -= timedelta(minutes=20)
    db.session.commit()
    assert visitor.post("/login", data=MONA).status_code == 303
    db.session.rollback()
    assert sorted(row.failures for row in db.session.query(LoginFailure)) == [5]


def test_tries_at_the_same_moment_do_not_slow_each_other_down(app: Flask, home: Cast) -> None:
    earlier = utc_now()
    check_password(MONA["email"], PASSWORD, "192.0.2.1", earlier + timedelta(seconds=2))
    assert check_password(MONA["email"], PASSWORD, "192.0.2.1", earlier).id == home.mona


def test_repeated_failures_of_an_address_wait_whoever_is_tried(visitor: FlaskClient) -> None:
    codes = [
        visitor.post("/login", data={"email": f"u{n}@example.com", "password": "x"}).status_code
        for n in range(21)
    ]
    assert codes == [422] * 20 + [429]


def test_a_link_sets_a_password_once_and_ends_older_sessions(
    app: Flask, mona: FlaskClient, visitor: FlaskClient, home: Cast
) -> None:
    path = link_for(home.mona)
    assert "mona@example.com" in visitor.get(path).text
    assert visitor.post(path, data={"password": "short"}).status_code == 422
    answer = visitor.post(path, data={"password": "entirely new words"})
    assert answer.status_code == 303
    assert mona.get("/properties/").status_code == 303
    assert visitor.get(path).status_code == 404
    assert visitor.post(path, data={"password": "and once more"}).status_code == 404
    assert visitor.post("/login", data=MONA).status_code == 422
    fresh = MONA | {"password": "entirely new words"}
    assert visitor.post("/login", data=fresh).status_code == 303


def test_a_newer_link_voids_the_older(visitor: FlaskClient, home: Cast) -> None:
    old = link_for(home.mona)
    new = link_for(home.mona)
    assert visitor.get(old).status_code == 404
    assert visitor.get(new).status_code == 200


def test_a_link_grows_old_and_a_restore_voids_it(visitor: FlaskClient, home: Cast) -> None:
    path = link_for(home.mona)
    begin_write()
    db.session.query(AccessToken).update({"expires_at": utc_now() - timedelta(seconds=1)})
    db.session.commit()
    assert visitor.get(path).status_code == 404
    path = link_for(home.mona)
    assert read_link(path.rpartition("/")[2], utc_now()).user_id == home.mona
    renew_installation_epoch()
    assert visitor.get(path).status_code == 404


def test_those_who_come_first_at_the_same_moment_get_the_same_epoch(app: Flask) -> None:
    path = app.extensions["proman_settings"].data_dir / "session.epoch"
    people = 12
    start = threading.Barrier(people)

    def come(_: int) -> str:
        with app.app_context():
            start.wait()
            return installation_epoch()

    with ThreadPoolExecutor(people) as pool:
        for _ in range(20):
            path.unlink(missing_ok=True)
            assert set(pool.map(come, range(people))) == {path.read_text()}
    assert not list(path.parent.glob(".session.epoch.*"))


def test_a_login_that_changes_while_the_password_is_checked_is_not_entered(
    visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*typed: Any) -> Account:
        account = check_password(*typed)
        renew_installation_epoch()
        return replace(account, session_epoch=account.session_epoch + 1)

    monkeypatch.setattr("proman.identity.views.check_password", slow)
    answer = visitor.post("/login", data=MONA)
    assert answer.status_code == 422
    assert "Sign in again" in answer.text


def test_the_password_is_changed_here_and_other_sessions_end(
    app: Flask, mona: FlaskClient, visitor: FlaskClient
) -> None:
    visitor.post("/login", data=MONA)
    typed = {"current": "not it at all", "password": "brand new words"}
    assert mona.post("/password/change", data=typed).status_code == 422
    answer = mona.post("/password/change", data=typed | {"current": PASSWORD})
    assert answer.status_code == 303
    assert mona.get("/properties/").status_code == 200
    assert visitor.get("/properties/").status_code == 303


def test_one_can_correct_ones_name(mona: FlaskClient) -> None:
    assert mona.post("/password/name", data={"name": "Mona Müller"}).status_code == 303
    assert "Mona Müller" in mona.get("/password/change").text
    assert mona.post("/password/name", data={"name": " "}).status_code == 422


def test_without_a_mail_server_the_page_says_who_makes_a_link(visitor: FlaskClient) -> None:
    page = visitor.get("/password/forgotten").text
    assert "administrator" in page
    assert "<form" not in page.split("<h1>")[1]
    asked = visitor.post("/password/forgotten", data={"email": "mona@example.com"})
    assert asked.status_code == 422
