"""compose.yaml is what the specification knows, and docs/compose.md is typed as it is written."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from compose_spec import PyCompose

from tests.clusters import PROGRAMS as POSTGRESQL_PROGRAMS
from tests.containers import ROOT, Engine
from tests.image.composing import DESCRIPTION, PROMAN, Project
from tests.image.test_walk import DEMONSTRATION, add_tenant, sign_in

DOCUMENT = (ROOT / "docs" / "compose.md").read_text("utf-8")
BACKUP = "proman-20260208-020000.sqlite"
CAREFUL = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "restart": "unless-stopped",
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
}
needs_postgresql = pytest.mark.skipif(
    not POSTGRESQL_PROGRAMS, reason="needs the programs of a PostgreSQL server"
)


def commands(heading: str) -> str:
    """The fenced commands right below a heading."""
    below = DOCUMENT.partition(f"\n{heading}\n")[2]
    part = re.split(r"^#+ [A-Z]", below, flags=re.MULTILINE)[0]
    return "".join(re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL))


def test_it_is_what_the_specification_knows() -> None:
    """With every variable at its default; an unknown word or value is an error."""
    plain = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "compose.yaml").read_text("utf-8"))
    assert "$" not in plain
    # Its anchors are taken apart first: the reader takes each service as it stands.
    read = PyCompose.from_yaml(yaml.safe_dump(yaml.safe_load(plain)))
    read.validate()
    assert set(read.service_names()) == {"proman", "database"}
    with pytest.raises(ValueError, match="cap_drops"):
        PyCompose.from_yaml(plain.replace("cap_drop:", "cap_drops:"))


@pytest.mark.parametrize("service", DESCRIPTION["services"])
def test_its_services_are_locked_down_and_bounded(service: str) -> None:
    said = DESCRIPTION["services"][service]
    assert {key: said[key] for key in CAREFUL} == CAREFUL
    assert said["mem_limit"]
    assert said["pids_limit"]
    assert "privileged" not in said
    assert not any(one.startswith(("/", ".")) for one in said["volumes"])


def test_it_runs_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"proman:{project['version']}" == PROMAN
    assert f"`{PROMAN}`" in DOCUMENT


def test_it_is_found() -> None:
    for place in ("README.md", "CHANGELOG.md"):
        assert "(docs/compose.md)" in (ROOT / place).read_text("utf-8")


@pytest.mark.image
@pytest.mark.xdist_group("image")
@needs_postgresql
def test_what_is_documented_does_it_from_the_start_to_the_way_back(image: Engine) -> None:
    project = Project(image, image.scratch / "compose")
    start, keep = commands("## Start").split("docker compose exec", 1)
    assert "asks for" in project.type(start)
    project.type(f"docker compose exec proman flask {shlex.join(DEMONSTRATION)}")
    project.type(f"docker compose exec{keep}")
    packed = image.call("tar", "-tf", str(project.folder / "backups.tar")).stdout
    (backup,) = re.findall(r"proman-\d{8}-\d{6}\.sqlite$", packed, re.MULTILINE)
    with changed(project):
        by_hand = commands("### Recovery by hand").replace(BACKUP, backup)
        assert "All is well" in project.type(by_hand)
    with changed(project):
        assert "Restored" in project.type(commands("## Recovery").replace(BACKUP, backup))
    said = project.type(commands("### From SQLite to PostgreSQL"))
    assert "engine: postgresql" in said
    assert "All is well" in said
    assert "nothing to do" in project.type(commands("## Upgrade"))
    assert "Took back" in project.type(commands("## Rollback"))
    project.type("docker compose down --volumes")


@contextmanager
def changed(project: Project) -> Iterator[None]:
    """Something is entered that what is done meanwhile takes back."""
    with project.engine.within():
        address = add_tenant(sign_in(), "Of a day that is given up")
    yield
    with project.engine.within():
        assert sign_in().get(address).status_code == 404
