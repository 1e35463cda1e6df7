"""What the rendered objects say to each other: selectors, volumes, strategy, probes, networks."""

import json
from copy import deepcopy

import pytest
import yaml

from tests.chart import charts
from tests.chart.charts import SETS, VALUES, Manifest, named, of_kind, pods
from tests.chart.cluster import cluster

pytestmark = pytest.mark.chart


def deployment(values: str, *words: str) -> Manifest:
    return named(charts.rendered(values, *words), "Deployment", "proman")["spec"]  # type: ignore[no-any-return]


def test_on_sqlite_the_old_pod_is_gone_before_the_new_one_starts() -> None:
    for values in ("sqlite", "published", "minimal"):
        assert deployment(values)["replicas"] == 1
        assert deployment(values)["strategy"] == {"type": "Recreate"}


def test_several_replicas_on_a_server_roll_and_share_their_volumes() -> None:
    objects = charts.rendered("postgresql")
    spec = deployment("postgresql")
    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    for claim in of_kind(objects, "PersistentVolumeClaim"):
        assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert named(objects, "PodDisruptionBudget", "proman")["spec"]["maxUnavailable"] == 1
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert charts.matches(spread["labelSelector"]["matchLabels"], spec["template"])


def test_one_replica_on_a_server_with_a_volume_for_one_node_does_not_roll() -> None:
    assert deployment("mariadb")["strategy"] == {"type": "Recreate"}


def test_it_can_be_scaled_to_none() -> None:
    assert deployment("sqlite", "--set", "replicas=0")["replicas"] == 0


@pytest.mark.parametrize("values", SETS)
def test_selectors_mean_the_server_and_nothing_else(values: str) -> None:
    objects = charts.rendered(values)
    selectors = [deployment(values)["selector"]["matchLabels"]]
    selectors += [one["spec"]["selector"] for one in of_kind(objects, "Service")]
    selectors += [
        one["spec"]["selector"]["matchLabels"] for one in of_kind(objects, "PodDisruptionBudget")
    ]
    for selector in selectors:
        found = [name for name, template in pods(objects) if charts.matches(selector, template)]
        assert found == ["Deployment/proman"]


@pytest.mark.parametrize("values", SETS)
def test_every_pod_is_locked_down(values: str) -> None:
    for name, template in pods(charts.rendered(values)):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (10001,) * 3
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in charts.containers(template):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}, name
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name


@pytest.mark.parametrize("values", SETS)
def test_every_mount_has_its_volume(values: str) -> None:
    objects = charts.rendered(values)
    claims = {one["metadata"]["name"] for one in of_kind(objects, "PersistentVolumeClaim")}
    for name, template in pods(objects):
        volumes = {one["name"]: one for one in template["spec"].get("volumes", [])}
        for container in charts.containers(template):
            assert {one["name"] for one in container.get("volumeMounts", [])} <= volumes.keys(), (
                name
            )
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                given = volume["persistentVolumeClaim"]["claimName"]
                assert given in (claims or {"rent-data", "rent-backups"}), name


def test_a_claim_says_what_was_asked_for_and_outlives_the_release() -> None:
    words = "persistence.data.size=3Gi,persistence.data.storageClass=fast"
    objects = charts.rendered("sqlite", "--set", f"{words},persistence.backups.storageClass=-")
    data = named(objects, "PersistentVolumeClaim", "proman-data")
    assert data["spec"]["resources"]["requests"]["storage"] == "3Gi"
    assert data["spec"]["storageClassName"] == "fast"
    assert data["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert data["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    backups = named(objects, "PersistentVolumeClaim", "proman-backups")
    assert backups["spec"]["storageClassName"] == ""


def test_a_claim_that_is_there_stays_as_it_is_whatever_the_replicas() -> None:
    words = ("--values", str(VALUES / "postgresql.yaml"), "--set")
    with cluster() as there:
        for claim in of_kind(charts.rendered("postgresql"), "PersistentVolumeClaim"):
            there.put(deepcopy(claim))
        fewer = charts.against(there.address, *words, "replicas=0")
        assert fewer.returncode == 0, fewer.stderr
        objects = [one for one in yaml.safe_load_all(fewer.stdout) if one]
        for claim in of_kind(objects, "PersistentVolumeClaim"):
            assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
        (server,) = of_kind(objects, "Deployment")
        assert server["spec"]["strategy"]["type"] == "RollingUpdate"
    with cluster() as there:
        for claim in of_kind(charts.rendered("sqlite"), "PersistentVolumeClaim"):
            there.put(deepcopy(claim))
        more = charts.against(there.address, *words, "replicas=2")
        assert more.returncode == 1
        assert "name new claims in existingClaim" in more.stderr


def test_a_platform_may_choose_the_user() -> None:
    free = ",".join(
        f"podSecurityContext.{one}=null" for one in "runAsUser runAsGroup fsGroup".split()
    )
    for name, template in pods(charts.rendered("sqlite", "--set", free)):
        assert (
            not {"runAsUser", "runAsGroup", "fsGroup"} & template["spec"]["securityContext"].keys()
        ), name


def test_probes_ask_for_life_until_it_serves_and_then_for_readiness() -> None:
    (container,) = deployment("sqlite")["template"]["spec"]["containers"]
    paths = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 300
    assert container["ports"] == [{"name": "http", "containerPort": 8000}]


def test_the_init_container_migrates_before() -> None:
    for values in SETS:
        (init,) = deployment(values)["template"]["spec"]["initContainers"]
        assert init["command"] == ["flask", "database", "deploy"]


SHARED = (
    "persistence.data.accessModes={ReadWriteMany},persistence.backups.accessModes={ReadWriteMany}"
)


@pytest.mark.parametrize(
    ("values", "words", "together"),
    [
        ("sqlite", (), True),
        # Whoever reads SQLite's file beside a writer shares its memory.
        ("sqlite", ("--set", SHARED), True),
        ("mariadb", (), True),
        ("postgresql", (), False),
    ],
)
def test_the_backup_runs_where_its_volumes_are(
    values: str, words: tuple[str, ...], together: bool
) -> None:
    objects = charts.rendered(values, *words)
    spec = named(objects, "CronJob", "proman-backup")["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 2 * * *", "Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    pod = spec["jobTemplate"]["spec"]["template"]
    assert ("affinity" in pod["spec"]) == together
    if together:
        (term,) = pod["spec"]["affinity"]["podAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        server = deployment(values)["template"]
        assert charts.matches(term["labelSelector"]["matchLabels"], server)
        # A scheduler lets a pod that matches its own rule go anywhere.
        assert not charts.matches(term["labelSelector"]["matchLabels"], pod)


def test_the_backup_and_the_workbench_go_to_nodes_that_the_server_may_go_to() -> None:
    zone = {"key": "zone", "operator": "In", "values": ["a"]}
    near = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [zone]}]
            }
        },
        "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []},
    }
    for values in ("sqlite", "postgresql"):
        found = {
            name: template["spec"]["affinity"]
            for name, template in pods(
                charts.rendered(
                    *(values, "--set-json", f"affinity={json.dumps(near)}"),
                    *("--set", "workbench.enabled=true"),
                )
            )
            if name != "Pod/proman-test"
        }
        assert found.pop("Deployment/proman") == near
        assert found.keys() == {"CronJob/proman-backup", "Pod/proman-workbench"}
        for affinity in found.values():
            assert affinity["nodeAffinity"] == near["nodeAffinity"]
            assert "podAntiAffinity" not in affinity


def test_the_backup_knows_the_variables_that_were_added() -> None:
    for values in ("sqlite", "postgresql"):
        objects = charts.rendered(
            values, "--set", "extraEnv[0].name=PGSSLMODE,extraEnv[0].value=verify-full"
        )
        for name, template in pods(objects):
            if name.startswith(("CronJob", "Deployment")):
                for container in charts.containers(template):
                    assert {"name": "PGSSLMODE", "value": "verify-full"} in container["env"], name


def test_numbers_stay_whole() -> None:
    job = named(
        charts.rendered("sqlite", "--set-json", "backup.deadline=604800"),
        "CronJob",
        "proman-backup",
    )
    assert job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 604800


@pytest.mark.parametrize(
    ("words", "url", "path", "tls"),
    [
        ("", "http://rent.example.com", "/", None),
        ("ingress.tls=true", "https://rent.example.com", "/", [{"hosts": ["rent.example.com"]}]),
        ("settings.url=https://a.example/pro/man/", "https://a.example/pro/man/", "/pro/man", None),
        ("settings.url=https://a.example/", "https://a.example/", "/", None),
    ],
)
def test_an_ingress_takes_the_path_of_the_address(
    words: str, url: str, path: str, tls: object
) -> None:
    objects = charts.rendered(
        "sqlite", "--set", f"ingress.enabled=true,ingress.hosts={{rent.example.com}},{words}"
    )
    spec = of_kind(objects, "Ingress")[0]["spec"]
    assert spec["rules"][0]["http"]["paths"][0]["path"] == path
    assert spec.get("tls") == tls
    (container,) = named(objects, "Deployment", "proman")["spec"]["template"]["spec"]["containers"]
    assert {"name": "PROMAN_URL", "value": url} in container["env"]


def test_the_ingress_tells_proman_its_address() -> None:
    objects = charts.rendered("published")
    spec = of_kind(objects, "Ingress")[0]["spec"]
    assert spec["rules"][0]["host"] == "rent.example.com"
    assert spec["tls"] == [{"secretName": "rent-example-com", "hosts": ["rent.example.com"]}]
    (container,) = deployment("published")["template"]["spec"]["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert variables["PROMAN_URL"] == "https://rent.example.com"
    assert variables["PROMAN_TRUSTED_PROXIES"] == "1"
    assert variables["PROMAN_METRICS"] == "on"
    assert container["args"] == ["serve", "--processes", "2"]
    (endpoint,) = of_kind(objects, "ServiceMonitor")[0]["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    (service,) = of_kind(objects, "Service")
    assert service["spec"]["ports"][0]["name"] == "http"
    monitored = of_kind(objects, "ServiceMonitor")[0]["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= service["metadata"]["labels"].items()


def test_networks_let_in_whom_the_values_name_and_out_to_what_is_needed() -> None:
    objects = charts.rendered("published")
    every = named(objects, "NetworkPolicy", "proman")["spec"]
    assert every["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in every
    for _, template in pods(objects):
        assert charts.matches(every["podSelector"]["matchLabels"], template)
    (rule,) = named(objects, "NetworkPolicy", "proman-server")["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8000]
    assert len(rule["from"]) == 3


@pytest.mark.parametrize(
    ("values", "words", "ports"),
    [
        ("sqlite", "", []),
        ("sqlite", "networkPolicy.databasePort=5432", [5432]),
        # The replica of this set is on the usual port.
        ("postgresql", "", [5432]),
        ("mariadb", "", [3306]),
        ("postgresql", "secrets.databaseUrl=postgresql://u:1:2@db:6543/p?a=b:9", [6543, 5432]),
        ("postgresql", "secrets.databaseUrl=postgresql://u:p@db/p", [5432]),
        ("postgresql", r"secrets.databaseUrl=postgresql://u:p@a:5433\,b/p", [5433, 5432]),
        ("postgresql", "secrets.databaseUrl=postgresql://u:p@[::1]:5433/p", [5433, 5432]),
        (
            "postgresql",
            "secrets.databaseUrl=postgresql://u:p@db:1234/p,"
            "secrets.databaseReplicaUrl=postgresql://u:p@copy:4321/p",
            [1234, 4321],
        ),
        (
            "postgresql",
            "secrets.databaseUrl=postgresql://u:p@db:1234/p,networkPolicy.databasePort=7",
            [7],
        ),
    ],
)
def test_out_goes_what_asks_for_names_and_the_database(
    values: str, words: str, ports: list[int]
) -> None:
    objects = charts.rendered(values, *(("--set", words) if words else ()))
    egress = named(objects, "NetworkPolicy", "proman")["spec"]["egress"]
    found = [one["port"] for rule in egress for one in rule["ports"]]
    assert found == [53, 53, 5353, 5353, 8000, *ports]
