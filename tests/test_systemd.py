"""The units of a plain server: systemd takes them, they are closed, and their commands run."""

import os
import shlex
import signal
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.servers import PROGRAMS, ROOT

UNITS = ROOT / "deploy" / "systemd"
SERVICES = ("proman.service", "proman-backup.service")
HOME = "/opt/proman"


def settings_of(name: str) -> dict[str, list[str]]:
    """What a unit says, by key; a key may be said several times."""
    found = defaultdict(list)
    for line in (UNITS / name).read_text("utf-8").splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, whose programs are those of this machine."""
    for unit in UNITS.iterdir():
        text = unit.read_text("utf-8").replace(f"{HOME}/.venv/bin", str(PROGRAMS))
        (tmp_path / unit.name).write_text(text)
    return tmp_path


@pytest.mark.systemd
def test_systemd_takes_them(units: Path) -> None:
    names = sorted(str(path) for path in units.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.systemd
@pytest.mark.parametrize("name", SERVICES)
def test_they_are_closed(units: Path, name: str) -> None:
    judge = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager"]
    done = subprocess.run([*judge, str(units / name)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_services_are_closed_alike_and_write_only_where_data_is() -> None:
    server, backup = map(settings_of, SERVICES)
    of_the_work = {
        "Description", "Type", "ExecStartPre", "ExecStart", "Restart", "RestartSec", "KillMode",
        "TimeoutStartSec", "TimeoutStopSec", "WantedBy", "Nice", "IOSchedulingClass",
    }  # fmt: skip
    alike = [{k: v for k, v in one.items() if k not in of_the_work} for one in (server, backup)]
    assert alike[0] == alike[1]
    assert server["ProtectSystem"] == ["strict"]
    assert server["NoNewPrivileges"] == ["yes"]
    assert (server["StateDirectory"], server["ReadWritePaths"]) == (
        ["proman"],
        ["/var/backups/proman"],
    )
    assert "PROMAN_BACKUP_DIR=/var/backups/proman" in server["Environment"][0]


class Machine:
    """Runs the commands of the units with their environment, on folders of its own."""

    def __init__(self, folder: Path) -> None:
        self._paths = {
            f"{HOME}/.venv/bin": str(PROGRAMS),
            HOME: str(ROOT),
            "/var/lib/proman": str(folder / "lib"),
            "/var/backups/proman": str(folder / "backups"),
        }
        (folder / "lib").mkdir()
        (folder / "backups").mkdir()

    def here(self, text: str) -> str:
        for there, here in self._paths.items():
            text = text.replace(there, here)
        return text

    def words(self, name: str, key: str) -> list[list[str]]:
        return [shlex.split(self.here(line)) for line in settings_of(name)[key]]

    def environment(self, name: str) -> dict[str, str]:
        told = [word for line in settings_of(name)["Environment"] for word in shlex.split(line)]
        own = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
        return own | {"PORT": "0"} | dict(self.here(word).split("=", 1) for word in told)

    def run(self, name: str, words: list[str]) -> subprocess.CompletedProcess[str]:
        (place,) = settings_of(name)["WorkingDirectory"]
        return subprocess.run(
            words, cwd=self.here(place), env=self.environment(name),
            capture_output=True, text=True, check=False,
        )  # fmt: skip


def test_their_commands_migrate_serve_end_in_time_and_back_up(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (prepare,), (serve,) = (
        machine.words("proman.service", key) for key in ("ExecStartPre", "ExecStart")
    )
    done = machine.run("proman.service", prepare)
    assert done.returncode == 0, done.stderr
    (seconds,) = settings_of("proman.service")["TimeoutStopSec"]
    with subprocess.Popen(
        serve,
        cwd=ROOT,
        env=machine.environment("proman.service"),
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert "ProMan is running on" in server.stdout.readline()
        for command in machine.words("proman-backup.service", "ExecStart"):
            done = machine.run("proman-backup.service", command)
            assert done.returncode == 0, done.stderr
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=int(seconds)) == 0
    assert len(list((tmp_path / "backups").glob("*.sqlite"))) == 1
