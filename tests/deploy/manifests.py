"""Builds the Kubernetes files with kustomize as for a cluster, validates them, and queries them."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

from vizportal.settings import BASE_DIR

KUBERNETES = BASE_DIR / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
SCHEMAS = Path(__file__).with_name("schemas")
# The newest version that kubernetes-validate knows.
VERSION = kubernetes_validate.latest_version()
WORKLOADS = {"Deployment", "StatefulSet", "Job"}
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"


def kustomize(folder: Path) -> list[dict[str, Any]]:
    """Returns the documents of a kustomization."""
    command = ["kubectl", "kustomize"] if shutil.which("kubectl") else ["kustomize", "build"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@functools.cache
def _overlay_text(name: str) -> str:
    return json.dumps(kustomize(KUBERNETES / "overlays" / name))


def overlay(name: str) -> list[dict[str, Any]]:
    """Returns a new copy of an overlay's documents."""
    return json.loads(_overlay_text(name))


def combined(folder: Path, name: str, component: str) -> list[dict[str, Any]]:
    """Returns an overlay's documents with a component's. Builds them in `folder`."""
    target = folder / "kubernetes"
    shutil.copytree(KUBERNETES, target)
    place = target / "overlays" / "combined"
    place.mkdir()
    made = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": yaml.safe_load((target / "overlays" / name / "kustomization.yaml").read_text())["namespace"],
        "resources": [f"../{name}"],
        "components": [f"../../components/{component}"],
    }
    (place / "kustomization.yaml").write_text(yaml.safe_dump(made))
    return kustomize(place)


def validate(document: dict[str, Any]) -> None:
    """Raises an error if a document has an unknown field, a wrong value or an unknown kind."""
    schema = SCHEMAS / f"{document['kind'].lower()}.yaml"
    if schema.exists():
        jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text())).validate(document)
    else:
        kubernetes_validate.validate(document, VERSION, strict=True)


def of_kind(documents: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] in kinds]


def named(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in of_kind(documents, kind) if each["metadata"]["name"] == name]
    return found


def workloads(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return of_kind(documents, *WORKLOADS)


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def pod_labels(workload: dict[str, Any]) -> dict[str, str]:
    return workload["spec"]["template"]["metadata"]["labels"]


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod(workload).get("initContainers", []), *pod(workload)["containers"]]


def is_portal(workload: dict[str, Any]) -> bool:
    return pod_labels(workload).get("vizportal/pod") == "portal"


def environ(documents: list[dict[str, Any]], container: dict[str, Any]) -> dict[str, str]:
    """Returns a container's environment variables. A variable that is read from a file has the file's name."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= named(documents, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {entry["name"]: entry["value"] for entry in container.get("env", [])}


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Returns whether a label selector matches a pod with these labels."""
    wanted = selector.get("matchLabels", {})
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", "no other is used"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in wanted.items())


def ports_of(workload: dict[str, Any]) -> dict[str, int]:
    """Returns a workload's container ports by name."""
    return {port["name"]: port["containerPort"] for each in containers(workload) for port in each.get("ports", [])}
