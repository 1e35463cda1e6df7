"""What is in the image, and what is not."""

import json
import re
import tomllib

import pytest

from tests.containers import BASE, ROOT, Engine

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
