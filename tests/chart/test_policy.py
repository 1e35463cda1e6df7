"""checkov's policies hold, but for the exceptions that are written down with their reasons."""

import json
from pathlib import Path

import pytest
import yaml

from tests.chart import charts
from tests.chart.charts import ROOT, SETS, VALUES

pytestmark = pytest.mark.chart
EXCEPTIONS = ROOT / "deploy" / "helm" / "policy-exceptions.yaml"


def test_every_finding_is_an_exception_with_its_reason(tmp_path: Path) -> None:
    for values in SETS:
        done = charts.helm_template("--values", str(VALUES / f"{values}.yaml"))
        (tmp_path / f"{values}.yaml").write_text(done.stdout, encoding="utf-8")
    words = ("--framework", "kubernetes", "--output", "json", "--quiet", "--skip-download")
    done = charts.run("checkov", "--directory", str(tmp_path), *words)
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 1000, done.stderr
    assert report["summary"]["parsing_errors"] == 0
    exceptions = yaml.safe_load(EXCEPTIONS.read_text("utf-8"))
    for one in exceptions:
        assert one.keys() == {"check", "asks", "of", "reason"}
    found = {(one["check_id"], one["check_name"]) for one in report["results"]["failed_checks"]}
    # A release without the NetworkPolicy is what one of the sets is about.
    without = (
        "CKV2_K8S_6",
        "Minimize the admission of pods which lack an associated NetworkPolicy",
    )
    assert {
        one["file_path"]
        for one in report["results"]["failed_checks"]
        if one["check_id"] == without[0]
    } <= {"/minimal.yaml"}
    assert found - {without} == {(one["check"], one["asks"]) for one in exceptions}


def test_pods_that_serve_are_probed() -> None:
    for values in SETS:
        for name, template in charts.pods(charts.rendered(values)):
            if name.startswith("Deployment/"):
                for container in template["spec"]["containers"]:
                    assert {"livenessProbe", "readinessProbe", "startupProbe"} <= container.keys()
