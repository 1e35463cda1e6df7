"""Runs containers of rendered pods as a node of a cluster would, by podman.

What the manifest says is what is given: command, arguments, environment, mounts, user and group,
capabilities, read-only root, limits. A claim is a folder that belongs to the pod's fsGroup.
"""

import base64
import json
import os
import subprocess
import tempfile
from pathlib import Path

from tests.chart.charts import Manifest, containers, of_kind
from tests.containers import Engine

_HOST = ("/usr", "/etc/alternatives", "/etc/ssl", "/etc/nsswitch.conf")


class Node:
    """A machine on which the release's volumes are mounted; it knows the Secrets of the release."""

    def __init__(self, engine: Engine, folder: Path, objects: list[Manifest]) -> None:
        self._engine, self._folder = engine, folder
        self.secrets = {
            one["metadata"]["name"]: {
                key: base64.b64decode(value).decode() for key, value in one["data"].items()
            }
            for one in of_kind(objects, "Secret")
        }

    def claim(self, name: str, group: int = 10001) -> Path:
        """The folder of a claim; made when it is first asked for, as the kubelet does it."""
        folder = self._folder / name
        if not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, 0, group)
            folder.chmod(0o2775)
        return folder

    def run(
        self,
        template: Manifest,
        name: str,
        *,
        network: str = "",
        image: tuple[str, ...] = (),
        hosts: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run one container to its end; its output and exit code.

        `image` is what `stand_in` gave; `hosts` are names that mean this machine.
        """
        words = [word for one in hosts for word in ("--add-host", f"{one}:127.0.0.1")]
        words += self._words(template, name, network, image)
        return self._engine.call("podman", "run", "--rm", *words, fails=True)

    def start(self, template: Manifest, name: str, *, network: str = "") -> str:
        """Start one container; its id."""
        words = self._words(template, name, network, ())
        return self._engine.call("podman", "run", "-d", *words).stdout.split()[-1]

    def stand_in(self, programs: str) -> tuple[str, ...]:
        """Instead of an image: this machine's own programs, `programs` before the others."""
        root = self._folder / "root"
        for one in (*_HOST, "/data", "/backups", "/tmp", "/proc", "/dev", "/sys", "/run"):
            place = root / one[1:]
            if Path(one).is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            else:
                place.mkdir(parents=True, exist_ok=True)
        for one in ("bin", "lib", "lib64"):
            if not (root / one).is_symlink():
                (root / one).symlink_to(f"usr/{one}")
        mounts = [word for one in _HOST for word in ("-v", f"{one}:{one}:ro")]
        path = f"PATH={programs}:/usr/bin:/bin"
        return (*mounts, "-e", path, "--rootfs", str(root))

    def _words(
        self, template: Manifest, name: str, network: str, image: tuple[str, ...]
    ) -> list[str]:
        (container,) = (one for one in containers(template) if one["name"] == name)
        words = [
            "--no-healthcheck",
            "--network",
            network or f"ns:/run/netns/{self._engine.network}",
        ]
        words += _security(template["spec"]["securityContext"], container["securityContext"])
        limits = container["resources"]["limits"]
        words += ["--memory", limits["memory"].replace("i", "").lower()]
        for variable in container.get("env", []):
            value = self._value(variable)
            if value is not None:
                words += ["-e", f"{variable['name']}={value}"]
        volumes = {one["name"]: one for one in template["spec"].get("volumes", [])}
        for mount in container.get("volumeMounts", []):
            words += self._mount(volumes[mount["name"]], mount)
        if image:
            return [*words, *image, *container["command"], *container.get("args", [])]
        if "command" in container:
            words += ["--entrypoint", json.dumps(container["command"])]
        return [*words, "proman:test", *container.get("args", [])]

    def _value(self, variable: Manifest) -> str | None:
        if "value" in variable:
            assert isinstance(variable["value"], str)
            return variable["value"]
        reference = variable["valueFrom"]["secretKeyRef"]
        found = self.secrets.get(reference["name"], {}).get(reference["key"])
        assert found is not None or reference.get("optional"), variable
        return found

    def _mount(self, volume: Manifest, mount: Manifest) -> list[str]:
        if "emptyDir" in volume:
            empty = tempfile.mkdtemp(dir=self._folder)
            os.chown(empty, 0, 10001)
            os.chmod(empty, 0o2777)
            return ["-v", f"{empty}:{mount['mountPath']}"]
        folder = self.claim(volume["persistentVolumeClaim"]["claimName"])
        option = ":ro" if mount.get("readOnly") else ""
        return ["-v", f"{folder}:{mount['mountPath']}{option}"]


def _security(pod: Manifest, container: Manifest) -> list[str]:
    # The default profile of the container engine is what RuntimeDefault means.
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    words = ["--user", f"{pod['runAsUser']}:{pod['runAsGroup']}"]
    words += ["--group-add", str(pod["fsGroup"])]
    for capability in container["capabilities"]["drop"]:
        words += ["--cap-drop", capability.lower()]
    if container["readOnlyRootFilesystem"]:
        words += ["--read-only", "--read-only-tmpfs=false"]
    if not container["allowPrivilegeEscalation"]:
        words += ["--security-opt", "no-new-privileges"]
    return words
