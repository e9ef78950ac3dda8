"""The Kubernetes settings of a task: variables, which a process can have, and volumes, which it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from localkfp.values import text_of

# Returns the value of an InputParameterSpec message; None if it has none.
Resolve = Callable[[Any], Any]
_FIELDS: Final = {
    "metadata.namespace": "kubeflow",
    "spec.nodeName": "localhost",
    "spec.serviceAccountName": "default",
    "status.podIP": "127.0.0.1",
    "status.hostIP": "127.0.0.1",
}
_VOLUMES: Final = {
    "pvcMount": "a volume claim",
    "secretAsVolume": "a secret",
    "configMapAsVolume": "a config map",
    "genericEphemeralVolume": "an ephemeral volume",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesSettings:
    """The settings of one task, from the platform spec of its pipeline.

    Attributes:
        config: its KubernetesExecutorConfig as JSON.
        secrets: contains a folder for each secret, with a file for each key.
        config_maps: the same for config maps.
    """

    config: Mapping[str, Any]
    secrets: Path
    config_maps: Path

    def environment(self, pod_name: str, pod_uid: str, resolve: Resolve) -> tuple[dict[str, str], list[str]]:
        """Returns the variables that the task requests, and a clause about each one without a value."""
        fields = {**_FIELDS, "metadata.name": pod_name, "metadata.uid": pod_uid, **self._metadata()}
        variables = {item["name"]: fields.get(item["fieldPath"], "") for item in self._items("fieldPathAsEnv")}
        missing: list[str] = []
        for key, kind, folder in (
            ("secretAsEnv", "secret", self.secrets),
            ("configMapAsEnv", "configMap", self.config_maps),
        ):
            for item in self._items(key):
                found, lacking = _keys(item, kind, folder, resolve)
                variables |= found
                missing += lacking
        return variables, missing

    def missing_volumes(self) -> list[str]:
        """Returns a clause about each volume that the step does not get."""
        return [
            f"its volume {item.get('mountPath', '')} ({kind}) is not mounted here"
            for key, kind in _VOLUMES.items()
            for item in self._items(key)
            if not item.get("optional")
        ]

    def _items(self, key: str) -> list[Mapping[str, Any]]:
        return list(self.config.get(key) or [])

    def _metadata(self) -> dict[str, str]:
        metadata = self.config.get("podMetadata") or {}
        return {
            f"metadata.{kind}['{name}']": str(value)
            for kind in ("labels", "annotations")
            for name, value in (metadata.get(kind) or {}).items()
        }


def _keys(item: Mapping[str, Any], kind: str, folder: Path, resolve: Resolve) -> tuple[dict[str, str], list[str]]:
    """Returns the variables from one secret or config map, and a clause about each required one that is missing."""
    name = item.get(f"{kind}Name") or _resolved(item.get(f"{kind}NameParameter") or {}, resolve)
    found: dict[str, str] = {}
    missing: list[str] = []
    for pair in item.get("keyToEnv") or []:
        key, variable = pair[f"{kind}Key"], pair["envVar"]
        text = _read(folder, name, key)
        if text is not None:
            found[variable] = text
        elif not item.get("optional"):
            missing.append(
                f"its variable {variable} is not set: put it into {folder.name}/{name}/{key} of the data directory"
            )
    return found, missing


def _resolved(spec: Mapping[str, Any], resolve: Resolve) -> str:
    message = json_format.ParseDict(
        dict(spec), pipeline_spec_pb2.TaskInputsSpec.InputParameterSpec(), ignore_unknown_fields=True
    )
    value = resolve(message)
    return "" if value is None else text_of(value)


def _read(folder: Path, name: str, key: str) -> str | None:
    """Returns the text of a key; None if there is none, or if the name leads out of the folder."""
    path = (folder / name / key).resolve()
    if not name or path.parent.parent != folder.resolve() or not path.is_file():
        return None
    return path.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
