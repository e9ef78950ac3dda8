"""The input and output of a component: its ExecutorInput as JSON, and the results that it writes.

Source: kubeflow/pipelines, backend/src/v2/component/launcher_v2.go.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from kfp.pipeline_spec import pipeline_spec_pb2

from localkfp.values import Artifact, TaskError, Values, whole

_OUTPUT_FILE: Final = "executor_output.json"
_STRING: Final = pipeline_spec_pb2.ParameterType.STRING
_BOOLEAN: Final = pipeline_spec_pb2.ParameterType.BOOLEAN
_DOUBLE: Final = pipeline_spec_pb2.ParameterType.NUMBER_DOUBLE


def executor_input(component: Any, inputs: Values, folder: Path) -> dict[str, Any]:
    """Returns an ExecutorInput as JSON.

    Args:
        component: a ComponentSpec message.
        inputs: of the task.
        folder: for the outputs.
    """
    declared = component.output_definitions
    return {
        "inputs": {
            "parameterValues": {name: value for name, value in inputs.parameters.items() if value is not None},
            "artifacts": {
                name: {"artifacts": [item.to_json() for item in found]} for name, found in inputs.artifacts.items()
            },
        },
        "outputs": {
            "parameters": {name: {"outputFile": str(folder / name)} for name in declared.parameters},
            "artifacts": {
                name: {"artifacts": [_new_artifact(name, spec, folder).to_json()]}
                for name, spec in declared.artifacts.items()
            },
            "outputFile": str(folder / _OUTPUT_FILE),
        },
    }


def read_outputs(component: Any, folder: Path, worked_in: Path) -> Values:
    """Returns the outputs of a component.

    A container's own command writes no list of its artifacts; its artifacts are the existing files.

    Args:
        component: a ComponentSpec message.
        folder: contains the outputs.
        worked_in: the working directory of its process.

    Raises:
        TaskError: a file contradicts its declaration.
    """
    written = _written(folder / _OUTPUT_FILE)
    parameters = {name: whole(value) for name, value in (written.get("parameterValues") or {}).items()}
    for name, spec in component.output_definitions.parameters.items():
        if (folder / name).is_file():
            parameters[name] = _file_value(name, folder / name, spec.parameter_type)
        if spec.parameter_type == _DOUBLE and isinstance(parameters.get(name), int):
            parameters[name] = float(parameters[name])
    artifacts = {
        name: _artifacts(_new_artifact(name, spec, folder), (written.get("artifacts") or {}).get(name), worked_in)
        for name, spec in component.output_definitions.artifacts.items()
    }
    return Values(parameters=parameters, artifacts={name: found for name, found in artifacts.items() if found})


def _new_artifact(name: str, spec: Any, folder: Path) -> Artifact:
    return Artifact(
        name=name,
        type=spec.artifact_type.schema_title,
        version=spec.artifact_type.schema_version,
        uri=str(folder / name),
    )


def _written(path: Path) -> Mapping[str, Any]:
    with suppress(FileNotFoundError):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise TaskError("its component wrote results that are not JSON") from error
        if isinstance(found, dict):
            return found
    return {}


def _file_value(name: str, path: Path, kind: int) -> Any:
    text = path.read_text(encoding="utf-8", errors="replace")
    if kind == _STRING:
        return text
    try:
        return whole(json.loads(text.lower() if kind == _BOOLEAN else text))
    except ValueError as error:
        raise TaskError(f"its output {name!r} cannot be read as JSON: {text:.100!r}") from error


def _artifacts(expected: Artifact, written: Mapping[str, Any] | None, worked_in: Path) -> list[Artifact]:
    if written is None:
        return [expected] if Path(expected.uri).exists() else []
    return [
        Artifact(
            name=item.get("name") or expected.name,
            type=expected.type,
            version=expected.version,
            uri=_settled(item.get("uri") or expected.uri, item.get("custom_path") or "", worked_in),
            metadata=item.get("metadata") or {},
        )
        for item in written.get("artifacts") or []
    ]


def _settled(uri: str, custom_path: str, worked_in: Path) -> str:
    """Returns where an artifact is read from; copies one that was written elsewhere to it, like the launcher."""
    source = worked_in / custom_path
    if custom_path and source.exists() and uri.startswith("/") and not Path(uri).exists():
        if source.is_dir():
            shutil.copytree(source, uri)
        else:
            shutil.copy2(source, uri)
    return uri
