"""Whoever is not signed in cannot fill the disk: what they send is read to its end and not kept."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.conftest import make_settings
from tests.database.conftest import living_in
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import Server, installation, serving

PATH = "/admin/database/restores"
PIECE, PIECES = 1 << 18, 32
LENGTH = {"Content-Length": str(PIECE * PIECES)}
FORGED = "proman=.eJwlzjEOwzAIAMC_MGcwYDDkM5.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Server]:
    folder = installation(tmp_path_factory.mktemp("receiving") / "data", migrated_file)
    with living_in(make_settings(folder)):
        pass
    with serving(folder) as server:
        yield server


def send(server: Server, headers: dict[str, str]) -> tuple[int, str, set[int]]:
    """Status and text of the answer, and how many files lay in the uploads meanwhile."""
    uploads, seen = server.folder / "uploads", set()

    def content() -> Iterator[bytes]:
        for _ in range(PIECES):
            yield bytes(PIECE)
            seen.add(len(open_files(server, uploads)))

    with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=60)) as client:
        is_chunked = "Transfer-Encoding" in headers
        client.request("POST", PATH, content(), headers, encode_chunked=is_chunked)
        answer = client.getresponse()
        return answer.status, answer.read().decode(), seen


def open_files(server: Server, folder: Path) -> list[str]:
    """What the server holds open there; a temporary file has no name."""
    found = []
    for one in Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            target = str(one.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(f"{folder}/"):
            found.append(target)
    return found


@pytest.mark.parametrize("framing", [LENGTH, {"Transfer-Encoding": "chunked"}])
@pytest.mark.parametrize("cookie", [{}, {"Cookie": FORGED}])
def test_a_stranger_is_told_to_sign_in_and_nothing_is_kept(
    server: Server, framing: dict[str, str], cookie: dict[str, str]
) -> None:
    status, text, _ = send(server, framing | cookie)
    assert status == 413
    assert "Sign in before you send so much" in text
    assert open_files(server, server.folder / "uploads") == []


def test_somebody_who_is_signed_in_may_send_more_than_a_form(server: Server) -> None:
    alice = Person(server.url, "alice@example.com", PASSWORD)
    cookies = "; ".join(f"{k}={v}" for k, v in alice.http.cookies.get_dict().items())
    status, _, seen = send(server, LENGTH | {"Cookie": cookies})
    # It is no form, but it was taken in.
    assert status == 400
    assert max(seen) == 1
