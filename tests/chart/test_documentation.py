"""docs/kubernetes.md names what there is, and what can be run without a cluster is run."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.chart import charts
from tests.chart.charts import CHART, ROOT

pytestmark = pytest.mark.chart
DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
COMMANDS = [
    line
    for fence in re.findall(r"^```sh\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    for line in fence.splitlines()
    if not line.startswith("#")
]
KINDS = {"deployment": "Deployment", "cronjob": "CronJob", "service": "Service", "pod": "Pod"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are typed: the chart, the scripts, and the values of the document."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("deploy", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    (values,) = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    (folder / "values.yaml").write_text(values, encoding="utf-8")
    return folder


def without_a_cluster(command: str) -> str:
    """The part of it that needs none."""
    command = command.partition(" | kubectl")[0]
    if command.startswith(("helm install", "helm upgrade")):
        return command.replace("helm upgrade", "helm install") + " --dry-run=client"
    return command


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith(("helm", "script"))])
def test_what_needs_no_cluster_runs_as_it_is_written(command: str, checkout: Path) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", without_a_cluster(command)],
        cwd=checkout,
        env={**os.environ, "PATH": f"{charts.tools()}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = done.stdout
    if "> " in command:
        made = (checkout / shlex.split(command)[-1]).read_text("utf-8")
    assert "kind: " in made


def test_kubectl_is_told_of_what_the_chart_makes() -> None:
    objects = charts.rendered("published")
    there = {(one["kind"], one["metadata"]["name"]) for one in objects}
    named = {
        (KINDS[kind], name)
        for command in COMMANDS
        for kind, name in re.findall(rf"\b({'|'.join(KINDS)})[/ ](proman(?:-[a-z]+)*)", command)
    }
    named |= {("Pod", one.split()[2]) for one in COMMANDS if one.startswith("kubectl exec proman")}
    assert named <= there
    assert {kind for kind, _ in named} == set(KINDS.values())


def test_every_value_that_is_named_exists() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for name in re.findall(r"`([a-zA-Z]+(?:\.[a-zA-Z]+)+)(?:=[^`]*)?`", DOCUMENT):
        if name.endswith((".yaml", ".env", ".md")):
            continue
        found = values
        for part in name.split("."):
            assert part in found, name
            found = found[part]


def test_it_is_found() -> None:
    assert "(docs/kubernetes.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "(docs/kubernetes.md)" in (ROOT / "CHANGELOG.md").read_text("utf-8")
