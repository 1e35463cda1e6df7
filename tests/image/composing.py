"""Does what compose.yaml and docs/compose.md say, by podman-compose, in the network of the tests.

Different is only what this machine cannot do: all services share a network that leads nowhere, in
which `database` is another name of the machine; health is asked here, for want of systemd; the
image is there already; and PostgreSQL is this machine's own, in an image that begins like the
official one.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import yaml

from tests.clusters import PROGRAMS as POSTGRESQL_PROGRAMS
from tests.containers import ROOT, Engine
from tests.servers import PROGRAMS

DESCRIPTION = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
DATABASE = DESCRIPTION["services"]["database"]
PROMAN = DESCRIPTION["services"]["proman"]["image"].removeprefix("${PROMAN_IMAGE:-")[:-1]
SECONDS = 60
STARTS = [
    f"docker compose {one}"
    for one in ("up -d", "up -d --build", "up -d --force-recreate", "start proman")
]
# `docker` as it is typed, without what needs a terminal, builds, or waits for health.
DOCKER = r"""
docker() {
  case "$1 $2" in
    "compose build") return ;;
    compose\ *) shift ;;
    *) podman "$@"; return ;;
  esac
  local one words=()
  for one; do
    case $one in
      --build | --wait) ;;
      exec | run) words+=("$one" -T) ;;
      *) words+=("$one") ;;
    esac
  done
  podman-compose "${words[@]}"
}
"""
ENTRYPOINT = """\
#!/bin/sh
set -eu
data=/var/lib/postgresql/data
[ -s "$POSTGRES_PASSWORD_FILE" ] || { echo "no password is given" >&2; exit 1; }
if [ ! -s $data/PG_VERSION ]; then
  initdb -D $data --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \\
    --auth-host=scram-sha-256 --auth-local=trust $POSTGRES_INITDB_ARGS
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D $data postgres
fi
exec postgres -D $data -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
"""


class Project:
    """The folder with compose.yaml, in which commands are typed."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        folder.mkdir()
        for name in ("compose.yaml", "deploy", "Dockerfile"):
            (folder / name).symlink_to(ROOT / name)
        here = {"network_mode": f"ns:/run/netns/{engine.network}", "healthcheck": {"disable": True}}
        programs = ["/usr:/usr:ro", "/etc/alternatives:/etc/alternatives:ro"]
        services = {
            "proman": {**here, "extra_hosts": ["database:127.0.0.1"]},
            "database": {**here, "volumes": programs},
        }
        (folder / "here.yaml").write_text(yaml.safe_dump({"services": services}), encoding="utf-8")
        engine.call("podman", "tag", "proman:test", PROMAN)
        _import_postgresql(engine)

    def type(self, commands: str) -> str:
        """What commands print; after `up` what runs is ready. The first failure ends the test."""
        said = ""
        for line in commands.splitlines():
            if line.startswith("docker compose up") and self.is_on_postgresql:
                said += self._run("docker compose up -d database")
                self._wait_for_database()
            said += self._run(line)
            if line in STARTS:
                with self.engine.within():
                    self.engine.wait_until_ready(self.container("proman"))
        return said

    @property
    def is_on_postgresql(self) -> bool:
        settings = self.folder / ".env"
        return settings.exists() and "COMPOSE_PROFILES=postgresql" in settings.read_text("utf-8")

    def container(self, service: str) -> str:
        return f"{DESCRIPTION['name']}_{service}_1"

    def _run(self, line: str) -> str:
        own = {"COMPOSE_FILE": "compose.yaml:here.yaml"}
        own["PATH"] = f"{PROGRAMS}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{DOCKER}\n{line}"],
            cwd=self.folder,
            env={**self.engine.environment, **own},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def _wait_for_database(self) -> None:
        kind, *words = DATABASE["healthcheck"]["test"]
        assert kind == "CMD"
        container, deadline = self.container("database"), time.monotonic() + SECONDS
        while self.engine.call("podman", "exec", container, *words, fails=True).returncode:
            assert time.monotonic() < deadline, self.engine.logs(container)
            time.sleep(0.1)


def _import_postgresql(engine: Engine) -> None:
    """Something of the name of PostgreSQL's image, with its user, its volume and its start."""
    programs = POSTGRESQL_PROGRAMS[-1]
    with tempfile.TemporaryDirectory(dir=engine.scratch) as made:
        root = Path(made)
        for name in ("etc", "usr", "tmp", "run", "proc", "sys", "dev"):
            (root / name).mkdir()
        for name in ("bin", "lib", "lib64"):
            (root / name).symlink_to(f"usr/{name}")
        (root / "etc/passwd").write_text("postgres:x:999:999::/tmp:/bin/sh\n", encoding="ascii")
        (root / "etc/group").write_text("postgres:x:999:\n", encoding="ascii")
        for name in ("var/lib/postgresql/data", "var/run/postgresql"):
            (root / name).mkdir(parents=True)
            os.chown(root / name, 999, 999)
            (root / name).chmod(0o3777)
        (root / "entrypoint").write_text(ENTRYPOINT, encoding="ascii")
        (root / "entrypoint").chmod(0o755)
        root.chmod(0o755)
        tar = engine.scratch / "postgresql.tar"
        engine.call("tar", "-C", made, "-cf", str(tar), ".")
    changes = ('ENTRYPOINT ["/entrypoint"]', f"ENV PATH={programs}:/usr/bin:/bin")
    words = [word for one in changes for word in ("-c", one)]
    engine.call("podman", "import", *words, str(tar), DATABASE["image"])
    tar.unlink()
