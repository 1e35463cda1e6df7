"""Uploads that somebody spoiled, over HTTP: 4xx with the reason, nothing left, nothing changed."""

import gzip
import io
import re
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from proman.database import catalogue
from proman.database.driver import sqlite3
from tests.conftest import make_settings
from tests.database.conftest import living_in
from tests.database.test_restore import HOSTILE
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import flask, installation, serving

HOME = "/admin/database"
DEADLINE = 60
LARGER_THAN_ANY = 9 << 30
PAGE = 4096


@dataclass
class Site:
    """A running server, its administrator, and a good backup as file and as archive."""

    folder: Path
    url: str
    alice: Person
    file: bytes
    archive: bytes

    def files(self) -> set[str]:
        """What lies in the data directory, side files of SQLite apart."""
        found = (one for one in self.folder.rglob("*") if one.is_file())
        return {str(one) for one in found if not one.name.endswith(("-wal", "-shm"))}

    def name(self) -> str:
        with closing(sqlite3.connect(self.folder / "proman.sqlite")) as live:
            return str(live.execute("SELECT legal_name FROM organizations").fetchone()[0])

    def upload(self, content: bytes, name: str) -> tuple[int, str, str]:
        """Status, text and address of the page that says what was found."""
        answer = self.alice.http.post(
            f"{self.url}{HOME}/restores",
            data={"csrf_token": self.alice.token()},
            files={"file": (name, content)},
            timeout=DEADLINE,
        )
        until = time.monotonic() + DEADLINE
        while 'id="restore" hx-get' in answer.text:
            assert time.monotonic() < until
            answer = self.alice.get(answer.url.removeprefix(self.url))
        return answer.status_code, answer.text, answer.url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Site]:
    folder = installation(tmp_path_factory.mktemp("uploads") / "data", migrated_file)
    with living_in(make_settings(folder)) as house:
        house.rename("Unspoiled")
    with serving(folder) as server:
        alice = Person(server.url, "alice@example.com", PASSWORD)
        assert flask(folder, "database", "backup").returncode == 0
        (made,) = catalogue.backups_in(folder / "backups")
        archive = alice.get(f"{HOME}/backups/{made.name}.tar").content
        with closing(sqlite3.connect(folder / "proman.sqlite")) as live:
            live.execute("UPDATE organizations SET legal_name = 'after'")
            live.commit()
        yield Site(folder, server.url, alice, made.path.read_bytes(), archive)
        assert server.stop() == 0


def of_file(kind: str) -> Callable[[Site, Path], bytes]:
    """A good file, spoiled as the tests of restores spoil it."""

    def make(site: Site, place: Path) -> bytes:
        path = place / "copy.sqlite"
        path.write_bytes(site.file)
        HOSTILE[kind][0](path)
        return path.read_bytes()

    return make


def tar_of(name: str, **about: object) -> Callable[[Site, Path], bytes]:
    """An archive with a member of that name before a good database."""

    def make(site: Site, place: Path) -> bytes:
        into = io.BytesIO()
        with tarfile.open(fileobj=into, mode="w") as out:
            member = tarfile.TarInfo(name)
            for key, value in about.items():
                setattr(member, key, value)
            out.addfile(member, io.BytesIO(b"evil"))
            good = tarfile.TarInfo("proman-20260101-020000.sqlite")
            good.size = len(site.file)
            out.addfile(good, io.BytesIO(site.file))
        return into.getvalue()

    return make


def link_of(kind: bytes) -> Callable[[Site, Path], bytes]:
    return tar_of("proman-20260101-020001.sqlite", type=kind, linkname="/etc/passwd")


def oversized(site: Site, place: Path) -> bytes:
    member = tarfile.TarInfo("proman-20260101-020000.sqlite")
    member.size = 1 << 45
    return member.tobuf(tarfile.GNU_FORMAT) + site.file


def oversized_key(site: Site, place: Path) -> bytes:
    member = tarfile.TarInfo("proman-key-0123456789abcdef.age")
    member.size = 1 << 70
    return member.tobuf(tarfile.GNU_FORMAT) + site.archive


def nothing(site: Site, place: Path) -> bytes:
    return b""


def cut_off(site: Site, place: Path) -> bytes:
    return site.archive[: -len(site.file) // 2]


def flipped_page(site: Site, place: Path) -> bytes:
    at = site.archive.index(site.file[: 2 * PAGE]) + 5 * PAGE
    page = bytes(byte ^ 0xFF for byte in site.archive[at : at + PAGE])
    return site.archive[:at] + page + site.archive[at + PAGE :]


def flipped_payload(site: Site, place: Path) -> bytes:
    assert site.archive.count(b"Unspoiled") >= 1
    return site.archive.replace(b"Unspoiled", b"UnspoiLed")


def broken_index(site: Site, place: Path) -> bytes:
    path = place / "copy.sqlite"
    path.write_bytes(site.file)
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        (root,) = copy.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'users'"
        ).fetchone()
        copy.execute("PRAGMA journal_mode = DELETE")
    content = bytearray(path.read_bytes())
    start = (root - 1) * PAGE
    assert content[start] == 10, "a leaf of an index"
    content[start + 3 : start + 5] = bytes(2)  # as if it had no entries
    return bytes(content)


def bomb(site: Site, place: Path) -> bytes:
    into = io.BytesIO()
    with gzip.GzipFile(fileobj=into, mode="wb", compresslevel=1) as out:
        for _ in range(1 << 8):
            out.write(bytes(1 << 20))
    return into.getvalue()


fault = pytest.mark.fault
BAD = [
    (of_file("truncated"), r"incomplete", "sqlite",
     fault("Truncated upload", how="a backup without its last pages",
           outcome="refused: incomplete")),
    (cut_off, r"archive (is damaged|ends)", "tar",
     fault("Truncated upload", how="an archive cut off in its database",
           outcome="refused: damaged")),
    (nothing, r"empty", "sqlite",
     fault("Empty upload", how="a file of no bytes", outcome="refused: empty")),
    (oversized, r"Not enough space|damaged", "tar",
     fault("Oversized upload", how="an archive that claims a database of 32 TiB",
           outcome="refused before it is written")),
    (oversized_key, r"no key", "tar",
     fault("Oversized upload", how="an archive whose key is said to be endless",
           outcome="refused: its key is no key")),
    (bomb, r"gzip", "gz",
     fault("Gzip bomb", how="256 MiB of zeros in a gzip file",
           outcome="refused, never expanded")),
    (tar_of("../../../proman.sqlite", size=4), r"not part of a backup", "tar",
     fault("Path traversal", how="an archive with a path that leads out",
           outcome="refused: not part of a backup")),
    (tar_of("/etc/cron.d/evil", size=4), r"not part of a backup", "tar",
     fault("Path traversal", how="an archive with an absolute path",
           outcome="refused: not part of a backup")),
    (link_of(tarfile.SYMTYPE), r"not part of a backup", "tar",
     fault("Symlink in an archive", how="an archive with a symbolic link",
           outcome="refused: not part of a backup")),
    (link_of(tarfile.LNKTYPE), r"not part of a backup", "tar",
     fault("Symlink in an archive", how="an archive with a hard link",
           outcome="refused: not part of a backup")),
    (flipped_page, r"SHA-256|not what", "tar",
     fault("Flipped page", how="a page of the database in an archive",
           outcome="refused by its manifest")),
    (flipped_payload, r"SHA-256|not what", "tar",
     fault("Flipped payload", how="one letter of a name in an archive",
           outcome="refused by its manifest")),
    (broken_index, r"integrity", "sqlite",
     fault("Broken index", how="an index page without its entries",
           outcome="refused by the integrity check")),
    (of_file("orphan"), r"refers to a row", "sqlite",
     fault("Foreign-key breach", how="a row that refers to nothing",
           outcome="refused with the table")),
    (of_file("foreign"), r"not one of ProMan", "sqlite",
     fault("Foreign database", how="a SQLite file of another program",
           outcome="refused: not one of ProMan")),
    (of_file("newer"), r"newer ProMan", "sqlite",
     fault("Newer revision", how="a backup of a later version",
           outcome="refused: made by a newer ProMan")),
    (of_file("trigger"), r"that is not ProMan", "sqlite",
     fault("Malicious trigger", how="one that makes people operators",
           outcome="refused by name, never run")),
    (of_file("table as view"), r"holds a view", "sqlite",
     fault("Malicious view", how="a view in the place of a table", outcome="refused, never read")),
    (of_file("endless view"), r"holds a view", "sqlite",
     fault("Endless query", how="a view over an endless recursion",
           outcome="refused within the deadline, never run")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "reason", "ending"), [pytest.param(*row, marks=marked) for *row, marked in BAD]
)
def test_a_spoiled_upload_is_refused_and_leaves_nothing(site, tmp_path, make, reason, ending):
    before = site.files()
    status, page, address = site.upload(make(site, tmp_path), f"../../copy.{ending}")
    assert status == 422
    assert re.search(reason, page), page
    left = {one.rsplit("/", 1)[-1] for one in site.files() - before}
    assert left <= {"state.json", "running.lock"}
    assert site.name() == "after"
    confirmation = f"{address.removeprefix(site.url)}/confirmation"
    answer = site.alice.post(confirmation, password=PASSWORD, word="RESTORE")
    assert answer.status_code == 422
    assert site.name() == "after"


@pytest.mark.fault(
    "Flipped payload",
    how="one letter of a name in a bare file, restored",
    outcome="exactly the rows that the file holds; doctor is content",
)
def test_a_bare_file_restores_what_it_holds(site, tmp_path):
    file = tmp_path / "bare.sqlite"
    file.write_bytes(site.file.replace(b"Unspoiled", b"UnspoiLed"))
    folder = installation(tmp_path / "other", site.folder / "proman.sqlite")
    done = flask(folder, "database", "restore", str(file), "--yes")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(folder / "proman.sqlite")) as live:
        assert live.execute("SELECT legal_name FROM organizations").fetchone() == ("UnspoiLed",)
    assert flask(folder, "doctor").returncode == 0


@pytest.mark.fault(
    "Oversized upload",
    how="a request that announces nine gigabytes",
    outcome="413 before a byte of it is read",
)
def test_an_upload_beyond_the_cap_is_refused_at_once(site):
    with closing(HTTPConnection(site.url.removeprefix("http://"), timeout=DEADLINE)) as client:
        client.putrequest("POST", f"{HOME}/restores")
        client.putheader("Content-Length", str(LARGER_THAN_ANY))
        client.endheaders()
        assert client.getresponse().status == 413
    assert list((site.folder / "uploads").iterdir()) == []
