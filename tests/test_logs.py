"""What a real server and real commands log: a line for each event, and nothing about people."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from proman import logs
from proman.db import db
from proman.identity.session import acting_for
from proman.settings import Settings
from tests.conftest import Cast
from tests.factories import PASSWORD, make_property
from tests.people import Person
from tests.servers import Server, database_of, flask, serving

VERA = "vera@example.com"
TRIGGER = (
    "CREATE TRIGGER stumble BEFORE UPDATE OF name ON users BEGIN"
    " SELECT RAISE(ABORT, 'Zenobia of Palmyra is refused'); END"
)


class House:
    """An installation with the cast, and servers on it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder

    def serving(self, *words: str, **more: str) -> Any:
        """A server whose log is JSON unless told otherwise."""
        told = {"PROMAN_LOG": "json", **database_of(self.settings), **more}
        return serving(self.folder, *words, **told)

    def flask(self, *words: str, **more: str) -> Any:
        """A command on it."""
        return flask(self.folder, *words, **{**database_of(self.settings), **more})


@pytest.fixture
def house(app: Flask, cast: Cast, tmp_path: Path) -> House:
    """The database of the test, and a folder of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    return House(app.extensions["proman_settings"], folder)


def ended(server: Server) -> list[dict[str, Any]]:
    """Every line of a server in JSON, after it was told to end."""
    assert server.stop() == 0
    return [json.loads(line) for line in server.rest()]


def access(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["logger"] == "proman.access"]


@pytest.mark.engines
@pytest.mark.parametrize("processes", ["1", "2"])
def test_each_request_has_its_line_and_its_id(house: House, processes: str) -> None:
    with house.serving("--processes", processes) as server:
        mona = Person(server.url, "mona@example.com", PASSWORD)
        answers = [mona.get(path) for path in ("/properties/?q=x", "/nowhere/12", "/healthz")]
        answers.append(requests.get(f"{server.url}/static/logo.svg", timeout=30))
        lines = ended(server)
    of_request = {line["request"]: line for line in access(lines)}
    assert len(of_request) == len(access(lines))
    mine = [of_request[answer.headers["X-Request-ID"]] for answer in answers]
    assert [(one["method"], one["route"], one["status"]) for one in mine] == [
        ("GET", "/properties/", 200),
        ("GET", "(none)", 404),
        ("GET", "/healthz", 200),
        ("GET", "/static/<path:filename>", 200),
    ]
    assert 1 < mine[0]["statements"] <= 6
    assert [one["statements"] for one in mine[2:]] == [0, 0]
    assert all(one["duration_ms"] > 0 for one in mine)
    assert answers[1].headers["X-Request-ID"] in answers[1].text
    for line in lines:
        assert {"time", "level", "logger", "message", "process"} <= line.keys()
    assert any("ProMan is running on" in line["message"] for line in lines)


@pytest.mark.sqlite
def test_no_line_tells_of_people_or_secrets(app: Flask, cast: Cast, house: House) -> None:
    with app.app_context():
        with db.engine.execution_options(write=True).begin() as connection:
            connection.execute(text(TRIGGER))
        db.engine.dispose()
    link = re.search(r"/password/[\w-]+", house.flask("users", "reset-password", VERA).stdout)
    assert link is not None
    path = link[0]
    mailing = {"SMTP_URL": "smtp://postman:geheim@127.0.0.1:9", "MAIL_FROM": "office@example.com"}
    with house.serving(**mailing, PROMAN_URL="http://127.0.0.1") as server:
        mona = Person(server.url, "mona@example.com", PASSWORD)
        token = mona.token()
        cookie = mona.http.cookies["proman"]
        assert mona.get("/tenants/?q=Zenobia").ok
        broken = mona.post("/password/name", name="Zenobia")
        assert broken.status_code == 500
        assert broken.headers["X-Request-ID"] in broken.text
        assert mona.get(path).status_code == 200
        assert mona.get(f"{path}?next=geheim").status_code == 200
        stranger = requests.Session()
        wrong = {"email": "nobody@example.com", "password": "geheim-geheim"}
        field = re.search(r'csrf-token" content="([^"]+)', stranger.get(f"{server.url}/login").text)
        assert field is not None
        wrong["csrf_token"] = field[1]
        assert stranger.post(f"{server.url}/login", data=wrong).status_code == 422
        asked = {"email": "mona@example.com", "csrf_token": field[1]}
        forgotten = stranger.post(f"{server.url}/password/forgotten", data=asked)
        assert forgotten.ok
        unmailed = json.loads(server.wait_for("A link was not mailed"))
        lines = ended(server)
    assert unmailed["request"] in {one["request"] for one in access(lines)}
    assert "ConnectionRefusedError" in unmailed["message"]
    (error,) = [one for one in lines if "trace" in one]
    assert error["request"] == broken.headers["X-Request-ID"]
    assert error["error"].startswith("IntegrityError (SQLITE_CONSTRAINT)")
    assert any(place.startswith("proman/identity/views.py:") for place in error["trace"])
    said = json.dumps(lines, ensure_ascii=False)
    last = path.rpartition("/")[2]
    for kept in (PASSWORD, token, cookie, last, "Zenobia", "geheim", "example.com", "Mona", "Vera"):
        assert kept not in said
    assert str(house.settings.secret_key) not in said


def test_an_id_counts_only_when_a_trusted_proxy_brings_a_sane_one(house: House) -> None:
    def given(url: str, id: str) -> str:
        answer = requests.get(f"{url}/healthz", headers={"X-Request-ID": id}, timeout=30)
        return str(answer.headers["X-Request-ID"])

    with house.serving() as server:
        assert given(server.url, "0123456789abcdef") != "0123456789abcdef"
    with house.serving(PROMAN_TRUSTED_PROXIES="1") as server:
        assert given(server.url, "4bf92f35-77b3:4da6.a3ce") == "4bf92f35-77b3:4da6.a3ce"
        for insane in ("short", "x" * 65, "anna@example.com", 'quote"quote"', "-leading-dash", ""):
            assert re.fullmatch(r"[0-9a-f]{12}", given(server.url, insane))


def test_what_the_server_refuses_by_itself_has_its_line_too(house: House) -> None:
    with house.serving() as server:
        port = urlsplit(server.url).port
        with socket.create_connection(("127.0.0.1", port), 30) as line:
            line.sendall(b"NONSENSE\r\n\r\n")
            answer = line.makefile("rb").read().decode()
        large = b"x" * (2 << 20)
        refused = requests.post(f"{server.url}/login", data=large, timeout=30)
        lines = access(ended(server))
    assert refused.status_code == 413
    found = {one["request"]: (one["route"], one["status"]) for one in lines}
    assert found[refused.headers["X-Request-ID"]] == ("(refused)", 413)
    first = re.search(r"X-Request-I[dD]: (\w+)", answer)
    assert first is not None
    assert found[first[1]] == ("(refused)", 400)


def test_in_a_terminal_a_line_is_to_be_read(app: Flask, cast: Cast, house: House) -> None:
    with app.app_context(), acting_for(cast.organization):
        page = f"/properties/{make_property()}"
        db.engine.dispose()
    with house.serving(PROMAN_LOG="text") as server:
        mona = Person(server.url, "mona@example.com", PASSWORD)
        id = mona.get(page).headers["X-Request-ID"]
        line = server.wait_for(id)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d INFO proman\.access: GET /properties/<int:property_id> 200"
        rf"  duration_ms=[\d.]+ statements=\d request={id}",
        line,
    )


def test_commands_and_jobs_log_in_the_same_way(house: House) -> None:
    refused = house.flask("database", "verify", "nowhere.sqlite", PROMAN_LOG="json")
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith("Error: ")
    done = house.flask("doctor", PROMAN_LOG="json")
    (line,) = [json.loads(one) for one in done.stderr.splitlines()]
    assert (line["command"], line["status"]) == ("doctor", 0)
    assert house.flask("jobs", "run").returncode == 0
    make_all_due(house)
    done = house.flask("jobs", "run", PROMAN_LOG="json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(one) for one in done.stderr.splitlines()]
    assert {one["command"] for one in lines} == {"jobs run"}
    told = {one["task"]: one for one in lines if "task" in one}
    assert {"backup", "statistics", "drill", "tidy"} <= told.keys()
    assert all(one["duration_ms"] >= 0 for one in told.values())
    assert (lines[-1]["message"], lines[-1]["status"]) == ("jobs run ended with 0", 0)


def make_all_due(house: House) -> None:
    engine = create_engine(house.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE scheduled_jobs SET next_due_at = '2026-01-01 00:00:00'"))
    engine.dispose()


def test_a_command_speaks_for_itself_in_a_terminal(house: House) -> None:
    done = house.flask("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    refused = house.flask("database", "verify", "nowhere.sqlite")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1


def test_a_kind_of_log_that_is_none_stops_the_start(house: House) -> None:
    done = house.flask("doctor", PROMAN_LOG="loud")
    assert done.returncode == 1
    said = "Error: PROMAN_LOG is “loud”, not text or json. Example: PROMAN_LOG=json\n"
    assert done.stderr == said


@pytest.mark.parametrize(
    ("message", "as_logged"),
    [
        ("at postgresql://proman:p:w@db/x", "at postgresql://…@db/x"),
        ("smtp://a%40b:c@mail.example.com is slow", "smtp://…@mail.example.com is slow"),
        ("“anna.b+c@mail.example.com” is away", "“…@…” is away"),
        ("GET /password/Abc-123_x?y=1 failed", "GET /password/…?y=1 failed"),
        ("3 issued", "3 issued"),
    ],
)
def test_no_message_keeps_what_is_nobodys_business(message: str, as_logged: str) -> None:
    assert logs.masked(message) == as_logged


def raised(act: Callable[[], Any]) -> BaseException:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_of_an_error_its_kind_and_code_are_told_and_not_its_words() -> None:
    assert logs.told(raised(lambda: {}["Anna"])) == "KeyError"
    assert logs.told(raised(lambda: int("Anna"))) == "ValueError"
    assert logs.told(raised(lambda: Path("/no/Anna").read_text())) == (
        "FileNotFoundError (No such file or directory)"
    )
    assert logs.told(raised(lambda: None.name)) == (  # type: ignore[attr-defined]
        "AttributeError ('NoneType' object has no attribute 'name')"
    )
    twice = IntegrityError("INSERT …", {"name": "Anna"}, Exception(1062, "Duplicate 'Anna'"))
    assert logs.told(twice) == "IntegrityError (1062)"
