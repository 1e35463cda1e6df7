"""Renders the chart with the real helm, and finds one's way in what comes out."""

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "proman"
VALUES = Path(__file__).parent / "values"
SETS = ("sqlite", "postgresql", "mariadb", "published", "minimal")
Manifest = dict[str, Any]


@cache
def tools() -> Path:
    """The folder with helm and its company."""
    where = (str(ROOT / "scripts" / "chart-tools"), "--where")
    found = subprocess.run(where, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return Path(found.stdout.strip())


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one of the tools; its output, both kinds."""
    return subprocess.run(
        [str(tools() / program), *words], capture_output=True, text=True, timeout=300, check=False
    )


def helm_template(*words: str) -> subprocess.CompletedProcess[str]:
    """`helm template proman` in the namespace rent."""
    return run("helm", "template", "proman", str(CHART), "--namespace", "rent", *words)


def against(address: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The same against the cluster at that address, in which `lookup` finds what is there."""
    server = ("--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", address)
    return helm_template(*server, *words)


@cache
def rendered(values: str, *words: str) -> list[Manifest]:
    """Every object that one of the value sets makes; `words` go to helm."""
    done = helm_template("--values", str(VALUES / f"{values}.yaml"), *words)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of_kind(objects: list[Manifest], kind: str) -> list[Manifest]:
    return [one for one in objects if one["kind"] == kind]


def named(objects: list[Manifest], kind: str, name: str) -> Manifest:
    """The one object of that kind and name."""
    (found,) = (one for one in of_kind(objects, kind) if one["metadata"]["name"] == name)
    return found


def pods(objects: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Kind and name, and what is in it, of every pod and template of pods."""
    for one in objects:
        spec, template = one.get("spec", {}), None
        if one["kind"] == "Pod":
            template = one
        elif one["kind"] == "Deployment":
            template = spec["template"]
        elif one["kind"] == "CronJob":
            template = spec["jobTemplate"]["spec"]["template"]
        if template:
            yield f"{one['kind']}/{one['metadata']['name']}", template


def containers(template: Manifest) -> list[Manifest]:
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def matches(selector: Manifest, template: Manifest) -> bool:
    """Whether a selector of labels means this pod."""
    return selector.items() <= template["metadata"]["labels"].items()
