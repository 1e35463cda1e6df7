"""The CronJob's words on a server, as rendered, with the clients of this machine on its servers."""

import gzip
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from sqlalchemy import URL, NullPool, create_engine, inspect

from tests import engines
from tests.chart import charts
from tests.chart.pods import Node
from tests.containers import Engine
from tests.servers import flask

pytestmark = [pytest.mark.chart, pytest.mark.image, pytest.mark.xdist_group("image")]
SERVERS = {"postgresql": engines.POSTGRESQL, "mariadb": engines.MYSQL}
SUFFIX = {"postgresql": "dump", "mariadb": "sql.gz"}
HARD = """p@ss:w/o%r?d&"'$(x)#\\; `"""
"""A password with every sign that a shell, an address or a file of options takes for its own."""


def programs() -> str:
    """Where this machine has pg_dump itself, not Debian's wrapper around several versions."""
    return str(max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name)))


@dataclass
class Site:
    """A release on a server: its node, its backup pod, the database."""

    kind: str
    node: Node
    pod: charts.Manifest
    url: URL

    @property
    def folder(self) -> Path:
        return self.node.claim("proman-backups") / "nightly"

    def back_up(self) -> subprocess.CompletedProcess[str]:
        image = self.node.stand_in(programs())
        return self.node.run(self.pod, "backup", network="host", image=image)

    def files(self) -> dict[str, bytes]:
        """Everything in the folder, hidden files too."""
        return {one.name: one.read_bytes() for one in self.folder.iterdir() if one.is_file()}


def site_of(engine: Engine, kind: str, url: URL) -> Site:
    """The release that values with this address make."""
    given = {"engine": kind, "secrets": {"databaseUrl": text(url)}}
    folder = Path(tempfile.mkdtemp(dir=engine.scratch))
    folder.chmod(0o755)
    (folder / "values.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    done = charts.helm_template("--values", str(folder / "values.yaml"))
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    (pod,) = (one for name, one in charts.pods(objects) if name == "CronJob/proman-backup")
    return Site(kind, Node(engine, folder, objects), pod, url)


def text(url: URL) -> str:
    plain = url.set(drivername=url.get_backend_name()).difference_update_query(["charset"])
    return plain.render_as_string(hide_password=False)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mysql),
    ],
)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, URL]]:
    """An engine and a database on it that holds a demonstration; its user has a hard password."""
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    with engines.fresh_database(SERVERS[kind]) as url, user(kind, url) as own:
        for words in ("database deploy", "demo load --leases 2 --months 1 --password unimportant"):
            done = flask(folder, *words.split(), DATABASE_URL=text(own))
            assert done.returncode == 0, done.stderr
        yield kind, own


@pytest.fixture
def site(filled: tuple[str, URL], podman: Engine) -> Site:
    """A release on that database that has no backups yet."""
    return site_of(podman, *filled)


@contextmanager
def user(kind: str, url: URL) -> Iterator[URL]:
    """The same address with a user who may do anything there, and nothing elsewhere."""
    name = str(url.database)
    with engines.administration(SERVERS[kind]) as server:
        quoted = HARD.replace("%", "%%").replace("'", "''")
        if kind == "postgresql":
            server.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD '{quoted}'")
            server.exec_driver_sql(f"ALTER DATABASE {name} OWNER TO {name}")
        else:
            quoted = quoted.replace("\\", "\\\\")
            server.exec_driver_sql(f"CREATE USER {name}@'%%' IDENTIFIED BY '{quoted}'")
            server.exec_driver_sql(f"GRANT ALL ON {name}.* TO {name}@'%%'")
    try:
        yield url.set(username=name, password=HARD)
    finally:
        with engines.administration(SERVERS[kind]) as server:
            # A role of PostgreSQL goes only after what it owns.
            engines.drop(server, name)
            who = f"ROLE {name}" if kind == "postgresql" else f"USER {name}@'%%'"
            server.exec_driver_sql(f"DROP {who}")


def rows(url: URL) -> dict[str, int]:
    """How many each table has."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in inspect(connection).get_table_names()
        }


def restore(kind: str, file: Path, url: URL) -> None:
    """As docs/kubernetes.md says."""
    if kind == "postgresql":
        words = ["pg_restore", "--no-owner", "--exit-on-error", "--single-transaction"]
        words += ["--dbname", text(url), str(file)]
        subprocess.run(words, check=True, timeout=120)
        return
    words = ["mariadb", f"--host={url.host}", f"--port={url.port}", f"--user={url.username}"]
    words += [f"--password={url.password or ''}", str(url.database)]
    subprocess.run(words, input=gzip.decompress(file.read_bytes()), check=True, timeout=120)


def test_a_dump_restores_to_the_same_books(site: Site, tmp_path: Path) -> None:
    done = site.back_up()
    assert done.returncode == 0, done.stderr
    (name,) = site.files()
    assert done.stdout.strip() == f"/backups/nightly/{name}"
    assert name.endswith(SUFFIX[site.kind])
    file = site.folder / name
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (10001, 0o600)
    with engines.fresh_database(SERVERS[site.kind]) as other:
        restore(site.kind, file, other)
        assert rows(other) == rows(site.url)
        assert rows(other)["leases"] == 2
        doctor = flask(tmp_path / "data", "doctor", DATABASE_URL=text(other))
        assert doctor.returncode == 0, doctor.stdout


def dump_of(site: Site) -> Path:
    """A further dump."""
    done = site.back_up()
    assert done.returncode == 0, done.stderr
    return site.folder / Path(done.stdout.strip()).name


def test_old_dumps_go_but_three_good_ones_stay(site: Site) -> None:
    first = dump_of(site)
    days = ("99991231", "20250107", "20250106", "20250105")
    ahead, damaged, third, fourth = (
        first.with_name(f"proman-{day}-020000.{SUFFIX[site.kind]}") for day in days
    )
    for one in (ahead, damaged, third, fourth):
        shutil.copyfile(first, one)
    os.truncate(damaged, first.stat().st_size // 2)
    done = site.back_up()
    assert done.returncode == 0
    assert "the clock is behind the newest dump; nothing was deleted" in done.stderr
    assert len(site.files()) == 6
    ahead.unlink()
    (site.folder / Path(done.stdout.strip()).name).unlink()
    second = dump_of(site)
    assert site.files().keys() == {one.name for one in (first, second, damaged, third)}


def fail_by_address(site: Site) -> None:
    """No server answers there."""
    site.node.secrets["proman"]["DATABASE_URL"] = text(site.url.set(port=1))


def fail_by_space(site: Site) -> None:
    """The disk is full before the dump is whole."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20k", "t", str(site.folder)], check=True)


@pytest.mark.parametrize(
    ("fails", "told"), [(fail_by_address, "127.0.0.1"), (fail_by_space, "No space left on device")]
)
def test_a_dump_that_fails_leaves_nothing_and_takes_nothing(
    site: Site, fails: Callable[[Site], None], told: str
) -> None:
    site.folder.mkdir(parents=True)
    os.chown(site.folder, 10001, 10001)
    fails(site)
    try:
        before = {}
        for day in ("20250103", "20250102", "20250101", "20241231"):
            file = site.folder / f"proman-{day}-020000.{SUFFIX[site.kind]}"
            file.write_bytes(b"good")
            before[file.name] = b"good"
        done = site.back_up()
        assert done.returncode == 1
        assert site.files() == before
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("dump.sh: the dump failed; older ones were kept: ")
        assert told in line
        assert HARD not in line
    finally:
        subprocess.run(["umount", str(site.folder)], check=False, capture_output=True)
