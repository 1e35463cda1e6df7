"""What is secret stands in the Secret and nowhere else, and its key outlives an upgrade."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.chart import charts
from tests.chart.charts import CHART, ROOT, SETS, VALUES, named, of_kind, pods
from tests.chart.cluster import Cluster, cluster

pytestmark = pytest.mark.chart


def decoded(secret: charts.Manifest) -> dict[str, str]:
    return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


def test_the_secret_holds_what_was_given() -> None:
    given = yaml.safe_load((VALUES / "postgresql.yaml").read_text("utf-8"))["secrets"]
    assert decoded(named(charts.rendered("postgresql"), "Secret", "proman")) == {
        "SECRET_KEY": given["secretKey"],
        "DATABASE_URL": given["databaseUrl"],
        "DATABASE_REPLICA_URL": given["databaseReplicaUrl"],
        "SMTP_URL": given["smtpUrl"],
        "PROMAN_BACKUP_PASSPHRASE": given["backupPassphrase"],
    }


def test_nothing_secret_stands_anywhere_else() -> None:
    given = yaml.safe_load((VALUES / "postgresql.yaml").read_text("utf-8"))["secrets"]
    others = json.dumps([one for one in charts.rendered("postgresql") if one["kind"] != "Secret"])
    for value in given.values():
        assert value not in others
        assert base64.b64encode(value.encode()).decode() not in others
    assert "s3cr" not in others


@pytest.mark.parametrize("values", SETS)
def test_containers_get_secrets_by_reference_alone(values: str) -> None:
    objects = charts.rendered(values)
    secret = "proman-secrets" if values == "mariadb" else "proman"
    held = {key for one in of_kind(objects, "Secret") for key in one["data"]}
    for name, template in pods(objects):
        for container in charts.containers(template):
            words = [*container.get("command", []), *container.get("args", [])]
            assert not any("://" in word and "@" in word.split("\n")[0] for word in words), name
            for variable in container.get("env", []):
                if variable["name"] not in (*held, "DATABASE_URL", "SECRET_KEY"):
                    continue
                reference = variable["valueFrom"]["secretKeyRef"]
                assert (reference["name"], reference["key"]) == (secret, variable["name"]), name


def test_ones_own_secret_is_taken_and_none_is_made() -> None:
    objects = charts.rendered("mariadb")
    assert not of_kind(objects, "Secret")
    for kind in ("Deployment/proman", "CronJob/proman-backup"):
        (template,) = (one for name, one in pods(objects) if name == kind)
        for container in charts.containers(template):
            (reference,) = (
                one["valueFrom"]["secretKeyRef"]
                for one in container["env"]
                if one["name"] == "DATABASE_URL"
            )
            assert reference == {"name": "proman-secrets", "key": "DATABASE_URL"}


def upgrade(there: Cluster, *words: str) -> dict[str, str]:
    """The Secret of an installation or upgrade against that cluster, which then has it."""
    done = charts.against(there.address, "--show-only", "templates/secret.yaml", *words)
    assert done.returncode == 0, done.stderr
    secret = yaml.safe_load(done.stdout)
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    there.put(secret)
    return decoded(secret)


def test_the_key_is_made_once_and_kept_until_another_is_given() -> None:
    with cluster() as there:
        first = upgrade(there)["SECRET_KEY"]
        assert len(first) == 64
        assert upgrade(there, "--set", "settings.threads=4")["SECRET_KEY"] == first
        given = "another-key-of-more-than-thirty-two-letters"
        assert upgrade(there, "--set", f"secrets.secretKey={given}")["SECRET_KEY"] == given
        assert upgrade(there)["SECRET_KEY"] == given
    with cluster() as elsewhere:
        assert upgrade(elsewhere)["SECRET_KEY"] not in (first, given)


def test_new_secrets_start_new_pods() -> None:
    def checksum(*words: str) -> str:
        (server,) = of_kind(charts.rendered("postgresql", *words), "Deployment")
        return server["spec"]["template"]["metadata"]["annotations"]["checksum/secrets"]  # type: ignore[no-any-return]

    assert checksum() != checksum("--set", "secrets.databaseUrl=postgresql://u:q@db/proman")
    assert len(checksum()) == 8


def test_the_chart_itself_holds_no_secret() -> None:
    secrets = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["secrets"]
    assert {name for name, value in secrets.items() if value} == {"generateSecretKey"}


def test_plain_manifests_are_the_same_every_time(tmp_path: Path) -> None:
    def made(*files: Path) -> str:
        return subprocess.run(
            [str(ROOT / "scripts" / "manifests"), *map(str, files)],
            env={**os.environ, "PATH": f"{charts.tools()}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert made() == made()
    objects = list(yaml.safe_load_all(made()))
    assert not of_kind(objects, "Secret")
    assert {one["metadata"]["namespace"] for one in objects} == {"proman"}
    (tmp_path / "one.yaml").write_text("replicas: 0\n", encoding="ascii")
    several = made(VALUES / "postgresql.yaml", tmp_path / "one.yaml")
    objects = list(yaml.safe_load_all(several))
    assert named(objects, "Deployment", "proman")["spec"]["replicas"] == 0
    assert "DATABASE_URL" in decoded(named(objects, "Secret", "proman"))
