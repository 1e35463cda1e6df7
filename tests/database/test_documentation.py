"""Every command of docs/database.md and upgrade.md runs as it is written; what cannot is named."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from proman.database.driver import sqlite3
from tests.database.typing_in import Machine
from tests.servers import ROOT, flask, installation

DOCUMENT = ROOT / "docs" / "database.md"
CHAPTERS = [
    "Engines", "Migrations", "Development: `flask database push`", "Production: migrations",
    "Migration workflow", "Transitioning from `push`, or from tables made by hand",
    "At the start of a container", "Backup and recovery", "Backup", "Automated backups", "Recovery",
    "The schema",
]  # fmt: skip
"""Those of the strategy that the document answers to, in its order."""
ELSEWHERE = {"Moving to another engine": "test_copy.test_the_commands_of_the_documentation_move_it"}
NOT_HERE = {
    "kubectl scale deployment proman --replicas=0": "a Kubernetes cluster",
    "kubectl scale deployment proman --replicas=1": "a Kubernetes cluster",
}
BACKUP = "proman-20260208-020000.sqlite"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a root directory")


def fences(document: Path = DOCUMENT) -> dict[str, list[tuple[str, str]]]:
    """Language and text of every fenced block, by the heading it stands under."""
    found: dict[str, list[tuple[str, str]]] = {}
    for part in re.split(r"^##+ ", document.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        found[heading] = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return found


FENCES = fences()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One on which nothing has been made yet."""
    return Machine(tmp_path / "machine")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """A database at the newest revision that holds a demonstration."""
    folder = installation(tmp_path_factory.mktemp("filled"), migrated_file)
    words = ("--leases", "5", "--months", "1", "--password", "correct horse battery")
    done = flask(folder, "demo", "load", *words)
    assert done.returncode == 0, done.stderr
    return folder / "proman.sqlite"


@pytest.fixture
def at_head(machine: Machine, filled: Path) -> Machine:
    """A machine with that database."""
    shutil.copyfile(filled, machine.data / "proman.sqlite")
    return machine


def runnable(commands: str) -> str:
    """Those that this machine has a use for."""
    return "\n".join(line for line in commands.splitlines() if line not in NOT_HERE)


def value(file: Path, statement: str) -> Any:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchone()[0]


def test_its_chapters_are_those_of_the_strategy_in_its_order() -> None:
    assert [one for one in FENCES if one in CHAPTERS] == CHAPTERS


def test_no_command_is_left_out() -> None:
    ran = {*RUN, *ELSEWHERE, "At the start of a container", "Automated backups"}
    assert {heading for heading, found in FENCES.items() if found} == ran
    typed = {line for found in FENCES.values() for _, text in found for line in text.splitlines()}
    assert NOT_HERE.keys() <= typed
    kinds = {kind for found in FENCES.values() for kind, _ in found}
    assert kinds == {"sh", "yaml", "dockerfile"}


@pytest.mark.parametrize("command", NOT_HERE)
def test_what_this_machine_cannot_run(command: str) -> None:
    pytest.skip(f"{command}: needs {NOT_HERE[command]}")


def push(machine: Machine, type_in: Callable[[], str]) -> None:
    said = type_in()
    assert "The database matches the models." in said
    assert said.splitlines()[-1] == "Nothing to do."


def migrate(machine: Machine, type_in: Callable[[], str]) -> None:
    models = machine.checkout / "proman" / "payments" / "models.py"
    after = "    payment_group: Mapped"
    column = '    status: Mapped[str] = mapped_column(String(9), server_default="")\n'
    models.write_text(models.read_text().replace(after, column + after, 1))
    said = type_in()
    (written,) = machine.checkout.glob("migrations/versions/*_add_payment_status.py")
    revision = written.name[:13]
    assert f"Took back {revision}" in said
    assert f"The database is at {revision}." in said
    assert len(list(machine.checkout.glob(f"migrations/fingerprints/*/{revision}.txt"))) >= 1
    assert len(list(machine.backups.glob("proman-*.json"))) == 1
    assert value(machine.data / "proman.sqlite", "SELECT max(status) FROM payments") == ""


def baseline(machine: Machine, type_in: Callable[[], str]) -> None:
    with closing(sqlite3.connect(machine.data / "proman.sqlite")) as connection:
        connection.execute("DROP TABLE alembic_version")
    assert "Stamped " in type_in()
    assert len(list(machine.backups.glob("proman-*.json"))) == 1


def stand(machine: Machine, type_in: Callable[[], str]) -> None:
    assert '"engine": "sqlite"' in type_in()


def back_up(machine: Machine, type_in: Callable[[], str]) -> None:
    said = type_in()
    assert "is good: revision" in said
    assert "restores: " in said
    assert len(list(machine.backups.glob("proman-*.sqlite"))) == 3
    assert len(list((machine.checkout / "backups").glob("proman-*.sqlite"))) == 1


def recover(machine: Machine, type_in: Callable[[], str]) -> None:
    live = machine.data / "proman.sqlite"
    shutil.copyfile(live, machine.backups / BACKUP)
    by_command, *by_hand = (text for _, text in FENCES["Recovery"])
    leave_a_log(live)
    assert "Restored " in machine.type(by_command)
    assert value(live, "SELECT max(name) FROM organizations") != "lost"
    leave_a_log(live)
    assert "All is well: " in machine.type(runnable("".join(by_hand)))
    assert value(live, "SELECT max(name) FROM organizations") != "lost"


def leave_a_log(live: Path) -> None:
    """Changes the database in a process that is killed before its log is written back."""
    words = (
        "import os, sys; from proman.database.driver import sqlite3;"
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode = WAL');"
        "c.execute('UPDATE organizations SET name = ?', ('lost',)); c.commit(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", words, str(live)], cwd=ROOT, check=True)
    assert Path(f"{live}-wal").stat().st_size


RUN: dict[str, tuple[str, Callable[[Machine, Callable[[], str]], None]]] = {
    "Development: `flask database push`": ("machine", push),
    "Production: migrations": ("at_head", migrate),
    "Transitioning from `push`, or from tables made by hand": ("at_head", baseline),
    "How it stands": ("at_head", stand),
    "Backup": ("at_head", back_up),
    "Recovery": ("at_head", recover),
}


# What a migration makes is written down for every engine.
MARKS = {"Production: migrations": (pytest.mark.postgresql, pytest.mark.mysql)}


@pytest.mark.faults
@needs_root
@pytest.mark.parametrize("heading", [pytest.param(one, marks=MARKS.get(one, ())) for one in RUN])
def test_the_commands_do_what_is_said(heading: str, request: pytest.FixtureRequest) -> None:
    state, proves = RUN[heading]
    machine: Machine = request.getfixturevalue(state)
    typed = "".join(text for _, text in FENCES[heading])
    proves(machine, lambda: machine.type(typed))


@pytest.mark.faults
@needs_root
def test_an_upgrade_goes_there_and_back_as_it_is_written(at_head: Machine) -> None:
    found = fences(ROOT / "docs" / "upgrade.md")
    ((_, before),), ((_, after),) = found["Before"], found["After"]
    (_, take_back), (_, restore) = found["Back to the version from before"]
    assert "All is well: " in at_head.type(before)
    assert "Took back" in at_head.type(take_back)
    at_head.type("flask database deploy")
    assert "pending: –" in at_head.type(after)
    (made,) = (one for one in at_head.backups.glob("*.json") if "before-upgrade" in one.read_text())
    said = at_head.type(restore.replace(BACKUP, f"{made.stem}.sqlite"))
    assert "Restored " in said
    assert "All is well: " in said


def containers(document: Any) -> list[dict[str, Any]]:
    """Every container of a manifest of Kubernetes."""
    if isinstance(document, list):
        return [found for one in document for found in containers(one)]
    if not isinstance(document, dict):
        return []
    own = [*document.get("initContainers", []), *document.get("containers", [])]
    return own + [found for one in document.values() for found in containers(one)]


@pytest.mark.faults
@needs_root
def test_the_containers_run_what_their_manifests_say(at_head: Machine) -> None:
    (kind, lines), (_, init) = FENCES["At the start of a container"]
    assert kind == "dockerfile"
    assert lines in (ROOT / "Dockerfile").read_text()
    ((_, job),) = FENCES["Automated backups"]
    (migrating, *_), (saving,) = (containers(yaml.safe_load(text)) for text in (init, job))
    for container in (migrating, saving):
        at_head.type(" ".join(f"'{word}'" for word in container["command"]))
    assert len(list(at_head.backups.glob("proman-*.sqlite"))) == 1
    assert yaml.safe_load(job)["spec"]["schedule"] == "0 2 * * *"
