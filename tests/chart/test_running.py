"""What the chart renders, run as rendered: init, server, backup, test and workbench."""

import re
import shlex
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
import yaml

from tests import engines
from tests.chart import charts
from tests.chart.pods import Node
from tests.containers import Engine

pytestmark = [pytest.mark.chart, pytest.mark.image, pytest.mark.xdist_group("image")]
DOCUMENT = charts.ROOT / "docs" / "kubernetes.md"
SERVER = "Deployment/proman"
START_SECONDS = 120
# Dies as a node does: nothing is written back, and the log stays beside the file.
LEAVE_A_LOG = """
import os
from proman.database.driver import sqlite3
live = sqlite3.connect("/data/proman.sqlite")
live.execute("UPDATE organizations SET name = 'lost'")
live.commit()
os._exit(0)
"""


class Release:
    """A release on a node of its own."""

    def __init__(self, engine: Engine, name: str, given: dict[str, object], *words: str) -> None:
        self.engine, folder = engine, engine.scratch / name
        folder.mkdir()
        (folder / "values.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
        done = charts.helm_template("--values", str(folder / "values.yaml"), *words)
        assert done.returncode == 0, done.stderr
        objects = [one for one in yaml.safe_load_all(done.stdout) if one]
        self.node = Node(engine, folder, objects)
        self.pods = dict(charts.pods(objects))
        (self.server,) = self.pods[SERVER]["spec"]["containers"]

    def probe(self, container: str, name: str, port: str) -> bool:
        """Whether a probe of the server's succeeds."""
        asked = self.server[f"{name}Probe"]["httpGet"]
        assert asked["port"] == self.server["ports"][0]["name"]
        address = f"http://127.0.0.1:{port}{asked['path']}"
        words = ("podman", "exec", container, "python", "-c", _ASK, address)
        return self.engine.call(*words, fails=True).returncode == 0

    @contextmanager
    def serving(self, network: str = "") -> Iterator[str]:
        """A server that is ready, stopped at the end as the kubelet does it; its container."""
        started = self.node.run(self.pods[SERVER], "migrate", network=network)
        assert started.returncode == 0, started.stderr
        container = self.node.start(self.pods[SERVER], "proman", network=network)
        deadline = time.monotonic() + START_SECONDS
        while not (found := _PORT.search(self.engine.logs(container))):
            assert time.monotonic() < deadline, self.engine.logs(container)
            self._require_running(container)
            time.sleep(0.1)
        for name in ("startup", "liveness", "readiness"):
            while not self.probe(container, name, found[1]):
                assert time.monotonic() < deadline, self.engine.logs(container)
                self._require_running(container)
                time.sleep(0.1)
        yield container
        self.engine.call("podman", "exec", container, *_at_once(self.server["lifecycle"]))
        self.engine.call("podman", "stop", "--time", "30", container)
        code = self.engine.call("podman", "inspect", "-f", "{{.State.ExitCode}}", container)
        assert code.stdout.strip() == "0", self.engine.logs(container)

    def _require_running(self, container: str) -> None:
        state = self.engine.call("podman", "inspect", "-f", "{{.State.Status}}", container)
        assert state.stdout.strip() == "running", self.engine.logs(container)

    def back_up(self) -> Path:
        """Run the CronJob's container; its backup."""
        done = self.node.run(self.pods["CronJob/proman-backup"], "backup")
        assert done.returncode == 0, done.stderr
        name = done.stdout.strip()
        assert re.fullmatch(r"/backups/nightly/proman-\d{8}-\d{6}\.sqlite", name)
        return self.node.claim("proman-backups") / name.removeprefix("/backups/")


_PORT = re.compile(r"ProMan is running on http://127.0.0.1:(\d+)")
_ASK = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)"


def _at_once(lifecycle: charts.Manifest) -> list[str]:
    """The words before the end, without the wait."""
    program, seconds = lifecycle["preStop"]["exec"]["command"]
    assert float(seconds) > 0
    return [program, "0"]


def value(file: Path, statement: str) -> object:
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(statement).fetchone()[0]


def recovery() -> list[str]:
    """The words that docs/kubernetes.md has typed into the workbench, in its order."""
    chapter = DOCUMENT.read_text("utf-8").partition("\n## Recovery\n")[2]
    fence = re.findall(r"^```sh\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)[1]
    before = "kubectl exec proman-workbench -- "
    lines = [line for line in fence.splitlines() if line.startswith(before)]
    return [line.removeprefix(before) for line in lines]


def test_an_installation_on_sqlite_from_its_first_start_to_its_recovery(image: Engine) -> None:
    release = Release(image, "release", {"service": {"port": 8000}, "workbench": {"enabled": True}})
    data = release.node.claim("proman-data")
    with release.serving() as container:
        assert "asks for" in image.logs(container)
        words = "flask demo load --leases 2 --months 1 --password unimportant"
        image.call("podman", "exec", container, *words.split())
        assert not (data / "secret.key").exists()
        # The Service's name, which leads to the one server there is.
        asked = release.node.run(release.pods["Pod/proman-test"], "ask", hosts=("proman",))
        assert asked.returncode == 0, asked.stderr
        hot = release.back_up()
        inside = f"/backups/nightly/{hot.name}"
        verified = image.call("podman", "exec", container, "flask", "database", "verify", inside)
        assert "is good" in verified.stdout
    assert not (data / "proman.sqlite-wal").exists()
    before = _state(data)
    cold = release.back_up()
    assert _state(data) == before
    assert value(cold, "SELECT count(*) FROM leases") == 2
    _recover(release, cold)
    with release.serving():
        pass
    assert value(data / "proman.sqlite", "SELECT max(name) FROM organizations") != "lost"


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    return {
        one.name: (one.stat().st_size, one.stat().st_mtime_ns)
        for one in folder.rglob("*")
        if one.is_file()
    }


def _recover(release: Release, backup: Path) -> None:
    """Type what the documentation says into the workbench, after the worst that can be there."""
    workbench = release.node.start(release.pods["Pod/proman-workbench"], "workbench")
    call = release.engine.call
    call("podman", "exec", workbench, "python", "-c", LEAVE_A_LOG)
    assert (release.node.claim("proman-data") / "proman.sqlite-wal").stat().st_size
    commands = recovery()
    assert len(commands) == 5
    for command in commands:
        named = command.replace("proman-20260208-020000.sqlite", backup.name)
        done = call("podman", "exec", workbench, *shlex.split(named))
    assert "All is well" in done.stdout
    call("podman", "rm", "--force", "--time", "1", workbench)


@pytest.mark.parametrize(
    ("kind", "replicas"),
    [
        pytest.param("postgresql", 2, marks=pytest.mark.postgresql),
        pytest.param("mariadb", 1, marks=pytest.mark.mysql),
    ],
)
def test_replicas_on_a_server_migrate_once_and_serve(
    image: Engine, kind: str, replicas: int
) -> None:
    engine = engines.POSTGRESQL if kind == "postgresql" else engines.MYSQL
    with engines.fresh_database(engine) as url, ExitStack() as stack:
        plain = url.set(drivername=kind).difference_update_query(["charset"])
        given = {
            "engine": kind,
            "replicas": replicas,
            "secrets": {"databaseUrl": plain.render_as_string(hide_password=False)},
            # All of them are on this machine, which has each port once.
            "extraEnv": [{"name": "PORT", "value": "0"}],
        }
        release = Release(image, f"release-{kind}", given)
        for _ in range(replicas):
            container = stack.enter_context(release.serving("host"))
            assert "asks for" in image.logs(container)
        again = release.node.run(release.pods[SERVER], "migrate", network="host")
        assert "nothing to do" in again.stdout
