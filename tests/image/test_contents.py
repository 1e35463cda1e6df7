"""What is in the image, and what is not."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.containers import BASE, ROOT, Engine, build_from

pytestmark = [pytest.mark.image, pytest.mark.xdist_group("image")]
# What ProMan's user may change, but for the volumes and what a read-only start makes a tmpfs.
PLACES = ("/proc", "/sys", "/tmp", "/var/tmp", "/run", "/data", "/backups")
WRITABLE = rf"find / -xdev \( {' -o '.join(f'-path {one}' for one in PLACES)} \) -prune "
WRITABLE += "-o ! -type l -writable -print"
COMPILERS = "gcc cc g++ c++ clang tcc as ld make cmake rustc go"


def inside(engine: Engine, script: str) -> list[str]:
    """The lines that a script prints in the image, whose root can be written here."""
    words = ("podman", "run", "--rm", "--network", "none", "--no-healthcheck", "proman:test")
    return engine.call(*words, "sh", "-c", script).stdout.split()


def test_it_says_what_it_is(engine: Engine) -> None:
    (image,) = json.loads(engine.call("podman", "image", "inspect", "proman:test").stdout)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    labels, name = image["Config"]["Labels"], "org.opencontainers.image"
    assert labels[f"{name}.title"] == "ProMan"
    assert labels[f"{name}.version"] == project["version"]
    assert labels[f"{name}.licenses"] == project["license"]
    assert labels[f"{name}.base.name"] == BASE
    assert image["Config"]["User"] == "10001:0"
    assert set(image["Config"]["Volumes"]) == {"/data", "/backups"}
    assert image["Config"]["Cmd"] == ["serve"]


def test_it_can_neither_compile_nor_install_nor_change_itself(engine: Engine) -> None:
    assert inside(engine, f"command -v {COMPILERS} || true") == []
    assert inside(engine, "ls /opt/venv/bin | grep -E '^pip' || true") == []
    assert inside(engine, f"{WRITABLE} 2>/dev/null || true") == []


def test_what_is_compiled_goes_by_the_content(engine: Engine) -> None:
    """A header with the time of the source would differ from build to build."""
    script = "python -c '" + "; ".join(
        (
            "import pathlib, importlib.util as u",
            'found = [p for top in ("/app", "/opt") for p in pathlib.Path(top).rglob("*.pyc")]',
            "print(len(found), *(p for p in found if p.read_bytes()[4:8] != bytes((1, 0, 0, 0))))",
            "print(*(p for top in ('/app/proman', '/opt/venv/lib')".replace("'", '"')
            + ' for p in pathlib.Path(top).rglob("*.py")'
            + " if not pathlib.Path(u.cache_from_source(str(p))).exists()))",
        )
    )
    how_many, *wrong = inside(engine, script + "'")
    assert int(how_many) > 1000
    assert wrong == []


@pytest.mark.long
def test_two_builds_are_the_same(engine: Engine, tmp_path: Path) -> None:
    """Of two checkouts with another umask, at a named time: layer for layer."""
    if int(os.environ.get("PROMAN_TEST_SCALE", "1")) == 1:
        pytest.skip("two builds take two minutes: PROMAN_TEST_SCALE=20")
    layers = []
    for umask in ("022", "027"):
        checkout = tmp_path / umask
        subprocess.run(
            ["sh", "-c", f'umask {umask}; exec git clone -q "$0" "$1"', str(ROOT), str(checkout)],
            check=True,
        )
        name = f"proman:{umask}"
        build_from(engine, checkout, name, "--no-cache", "--timestamp", "1700000000")
        (image,) = json.loads(engine.call("podman", "image", "inspect", name).stdout)
        layers.append(image["RootFS"]["Layers"])
    assert layers[0] == layers[1]


def test_its_packages_are_those_that_are_pinned(engine: Engine) -> None:
    names = 'print(*(f"{one.name}=={one.version}" for one in distributions()))'
    script = f"python -c 'from importlib.metadata import distributions; {names}'"
    own = {as_pinned(one) for one in inside(engine, script)}
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    pinned = {line.split()[0] for line in lines if "==" in line and line[0].isalnum()}
    assert len(own) > 30
    assert {one for one in own if not one.startswith("proman==")} <= pinned


def as_pinned(package: str) -> str:
    """Its name as it is written in requirements.txt, and its version."""
    name, _, version = package.partition("==")
    return f"{re.sub('[-_.]+', '-', name).lower()}=={version}"
