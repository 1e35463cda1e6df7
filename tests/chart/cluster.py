"""What `lookup` in a chart asks of a cluster: its version, what it knows, and objects in it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_KINDS = {
    "v1": "Secret Service ServiceAccount PersistentVolumeClaim Pod",
    "apps/v1": "Deployment",
    "batch/v1": "CronJob",
    "networking.k8s.io/v1": "NetworkPolicy",
    "policy/v1": "PodDisruptionBudget",
}


def _resources(group: str) -> dict[str, Any]:
    kinds = [
        {"name": f"{kind.lower()}s", "kind": kind, "namespaced": True, "verbs": ["get", "create"]}
        for kind in _KINDS[group].split()
    ]
    return {"kind": "APIResourceList", "groupVersion": group, "resources": kinds}


def _group(name: str) -> dict[str, Any]:
    version = {"groupVersion": name, "version": "v1"}
    return {"name": name.partition("/")[0], "versions": [version], "preferredVersion": version}


_GROUPS = [_group(name) for name in _KINDS if "/" in name]
_ANSWERS: dict[str, dict[str, Any]] = {
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": _GROUPS},
    "/api/v1": _resources("v1"),
    **{f"/apis/{group}": _resources(group) for group in _KINDS if "/" in group},
}
_NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "reason": "NotFound", "code": 404}


class Cluster:
    """What is in it, and its address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._objects: dict[tuple[str, ...], dict[str, Any]] = {}

    def put(self, made: dict[str, Any]) -> None:
        """Take in an object as an installation of the release `proman` does."""
        place = made["metadata"]
        # helm takes over nothing without them.
        release = {"meta.helm.sh/release-name": place["name"].partition("-")[0]}
        release |= {"meta.helm.sh/release-namespace": place["namespace"]}
        place["annotations"] = {**place.get("annotations", {}), **release}
        self._objects[place["namespace"], f"{made['kind'].lower()}s", place["name"]] = made

    def answer(self, path: str) -> dict[str, Any] | None:
        parts = path.strip("/").split("/")
        if parts[:3] == ["api", "v1", "namespaces"]:
            return self._objects.get(tuple(parts[3:]))
        return _ANSWERS.get(path)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """One with nothing in it, on a port of its own."""
    known: list[Cluster] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = known[0].answer(self.path.partition("?")[0])
            body = json.dumps(found or _NOT_FOUND).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known.append(Cluster(f"http://127.0.0.1:{server.server_port}"))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield known[0]
        finally:
            server.shutdown()
