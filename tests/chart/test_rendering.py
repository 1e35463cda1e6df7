"""For every set of values the chart renders to what Kubernetes takes, or is refused."""

import json
from pathlib import Path

import pytest
import yaml

from tests.chart import charts
from tests.chart.charts import CHART, ROOT, SETS, VALUES

pytestmark = pytest.mark.chart
URL = "secrets.databaseUrl=postgresql://u:p@db/proman"
KINDS = {
    "sqlite": "CronJob Deployment NetworkPolicy NetworkPolicy PersistentVolumeClaim"
    " PersistentVolumeClaim Pod Secret Service ServiceAccount",
    "postgresql": "CronJob Deployment NetworkPolicy NetworkPolicy PersistentVolumeClaim"
    " PersistentVolumeClaim Pod PodDisruptionBudget Secret Service ServiceAccount",
    "mariadb": "CronJob Deployment NetworkPolicy NetworkPolicy Pod Service ServiceAccount",
    "published": "CronJob Deployment Ingress NetworkPolicy NetworkPolicy PersistentVolumeClaim"
    " PersistentVolumeClaim Pod Pod Secret Service ServiceAccount ServiceMonitor",
    "minimal": "Deployment Pod Service",
}


@pytest.mark.parametrize("values", SETS)
def test_helm_finds_nothing_to_complain_about(values: str) -> None:
    done = charts.run("helm", "lint", "--strict", str(CHART), "-f", str(VALUES / f"{values}.yaml"))
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("values", SETS)
def test_what_is_made_of_the_values(values: str) -> None:
    objects = charts.rendered(values)
    assert " ".join(sorted(one["kind"] for one in objects)) == KINDS[values]
    for one in objects:
        assert one["metadata"]["namespace"] == "rent"
        assert one["metadata"]["name"].startswith("proman")


@pytest.mark.parametrize("version", ["1.30", "1.34"])
def test_kubernetes_knows_every_word(version: str, tmp_path: Path) -> None:
    files = []
    for values in SETS:
        done = charts.helm_template(
            *("--values", str(VALUES / f"{values}.yaml"), "--kube-version", f"{version}.0")
        )
        files.append(tmp_path / f"{values}.yaml")
        files[-1].write_text(done.stdout, encoding="utf-8")
    done = charts.run("kubernetes-validate", "--strict", "-k", version, *map(str, files))
    assert done.returncode == 0, done.stdout + done.stderr
    said = (done.stdout + done.stderr).splitlines()
    passed = [line for line in said if " passed for resource " in line]
    unknown = [line for line in said if "find schema" in line]
    assert len(passed) + len(unknown) == sum(len(kinds.split()) for kinds in KINDS.values())
    # Of the Prometheus operator, not of Kubernetes.
    assert [line.split("kind ")[1].split()[0] for line in unknown] == ["ServiceMonitor"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("replicas=3", "SQLite is one file for one replica, and replicas is 3"),
        ("engine=postgresql", "engine is postgresql and no address is given"),
        (f"engine=mariadb,{URL}", 'begins with "postgresql" and engine is mariadb'),
        (URL, "let both name the same engine"),
        ("secrets.databaseUrl=sqlite:////elsewhere.sqlite", "the database is /data/proman.sqlite"),
        (f"engine=mysql,secrets.existingSecret=a,{URL}", "secrets.databaseUrl are both set"),
        ("secrets.databaseReplicaUrl=postgresql://db/proman", "needs engine postgresql"),
        ("secrets.smtpUrl=smtp://mail", "needs settings.mailFrom"),
        ("ingress.enabled=true", "needs at least one name in ingress.hosts"),
        ("ingress.enabled=true,ingress.hosts={*.example.com}", "cannot begin with a star"),
        ("ingress.hosts={https://a.example/proman}", "at '/ingress/hosts/0'"),
        ("backup.deadline=1000000", "at '/backup/deadline'"),
        (
            f"engine=postgresql,replicas=2,persistence.data.accessModes={{ReadWriteOnce}},{URL}",
            "Several replicas share /data and /backups",
        ),
        ("replica=2", "additional properties 'replica' not allowed"),
        ("engine=oracle", "value must be one of 'sqlite', 'postgresql', 'mariadb', 'mysql'"),
        ("secrets.secretKey=short", "at '/secrets/secretKey'"),
        ("persistence.data.size=much", "at '/persistence/data/size'"),
        ("backup.schedule=nightly", "at '/backup/schedule'"),
        ("backup.retentionDays=0", "at '/backup/retentionDays'"),
        ("image.digest=latest", "at '/image/digest'"),
    ],
)
def test_what_cannot_work_is_refused(settings: str, told: str) -> None:
    done = charts.helm_template("--set", settings)
    assert done.returncode == 1
    assert told in done.stderr
    assert not done.stdout


def test_every_value_is_described_and_every_description_has_a_value() -> None:
    def same(value: object, schema: dict[str, object], where: str) -> None:
        schema = definitions[str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else schema
        if isinstance(value, dict) and "properties" in schema:
            assert schema["additionalProperties"] is False, where
            assert value.keys() == schema["properties"].keys() - {"global"}, where  # type: ignore[attr-defined]
            for name, inner in value.items():
                same(inner, schema["properties"][name], f"{where}.{name}")  # type: ignore[index]

    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    definitions = schema["definitions"]
    same(yaml.safe_load((CHART / "values.yaml").read_text("utf-8")), schema, "values")


def test_the_chart_has_the_version_of_the_program() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert f'version = "{chart["appVersion"]}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_notes_say_how_to_go_on() -> None:
    done = charts.run("helm", "install", "proman", str(CHART), "--dry-run=client", "-n", "rent")
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    for words in (
        "kubectl --namespace rent rollout status deployment/proman",
        "port-forward service/proman 8000:80",
        'logs deployment/proman --container proman | grep "asks for"',
        "cronjob/proman-backup",
    ):
        assert words in notes
