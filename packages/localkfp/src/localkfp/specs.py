"""Compiled pipelines as JSON: parses and checks uploaded packages, and checks a run's parameters against them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import yaml

from localkfp.errors import bad_request

_LARGEST_MEMBER: Final = 16 * 1024**2
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}


def read_package(content: bytes) -> dict[str, Any]:
    """Returns the spec in an uploaded package (.yaml, .json, .zip, .tar.gz), in Kubeflow's form.

    That is the pipeline's IR, or `{"pipeline_spec": IR, "platform_spec": ...}` if the package contains both.

    Raises:
        ApiError: 400; the text says what is wrong with it.
    """
    try:
        documents = [item for item in yaml.load_all(_unpacked(content), _LOADER) if item is not None]
    except (yaml.YAMLError, ValueError) as error:
        raise bad_request(f"The package is not YAML: {error}") from error
    except RecursionError:
        raise bad_request("The package is nested too deeply.") from None
    if not documents or not all(isinstance(item, dict) for item in documents):
        raise bad_request("The package holds no pipeline.")
    check(documents[0])
    # YAML parses some plain text as times and dates, which JSON does not have.
    spec: dict[str, Any] = json.loads(json.dumps(documents[0], default=str))
    if len(documents) == 1:
        return spec
    return {"pipeline_spec": spec, "platform_spec": json.loads(json.dumps(documents[1], default=str))}


def check(spec: Mapping[str, Any]) -> None:
    """Raises an ApiError unless this looks like a pipeline compiled by KFP 2."""
    inner = pipeline_spec(spec)
    if "spec" in inner and "apiVersion" in inner:
        raise bad_request("This is an Argo workflow (KFP 1.x). Compile the pipeline with KFP 2.")
    name = inner.get("pipelineInfo")
    tasks = ((inner.get("root") or {}).get("dag") or {}).get("tasks")
    if not isinstance(name, dict) or not name.get("name") or not isinstance(tasks, dict):
        raise bad_request("This is not a compiled pipeline: pipelineInfo.name or root.dag.tasks is missing.")


def pipeline_spec(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the IR, with or without a platform spec next to it."""
    inner = spec.get("pipeline_spec", spec)
    return inner if isinstance(inner, Mapping) else {}


def pipeline_name(spec: Mapping[str, Any]) -> str:
    """Returns the name that the pipeline was compiled with."""
    return str(pipeline_spec(spec)["pipelineInfo"]["name"])


def read_parameters(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a run's parameters, converted to the types that its pipeline declares.

    Text is parsed as JSON if the type is not STRING, because the `kfp` command sends every parameter as text.

    Raises:
        ApiError: 400 for a parameter that is unknown, missing or of another type.
    """
    declared = _declared(spec)
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise bad_request(f"The pipeline has no parameter {unknown[0]!r}; it has {', '.join(declared) or 'none'}.")
    missing = [name for name, item in declared.items() if name not in given and not _may_be_left_out(item)]
    if missing:
        raise bad_request(f"The pipeline needs a value for parameter {missing[0]!r}.")
    return {name: _typed(name, value, declared[name]) for name, value in given.items()}


def with_defaults(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters including all defaults; None for an optional one without a default."""
    defaults = {name: _default(item) for name, item in _declared(spec).items()}
    return {**defaults, **given}


def _declared(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    root = pipeline_spec(spec).get("root") or {}
    declared = (root.get("inputDefinitions") or {}).get("parameters") or {}
    return declared if isinstance(declared, Mapping) else {}


def _may_be_left_out(item: Mapping[str, Any]) -> bool:
    return bool(item.get("isOptional")) or "defaultValue" in item


def _default(item: Mapping[str, Any]) -> Any:
    value = item.get("defaultValue")
    is_whole = isinstance(value, float) and item.get("parameterType") == "NUMBER_INTEGER"
    return int(value) if is_whole and value is not None else value


def _typed(name: str, value: Any, item: Mapping[str, Any]) -> Any:
    kind = str(item.get("parameterType", ""))
    if kind not in _KINDS or (value is None and _may_be_left_out(item)):
        return value
    if isinstance(value, str) and kind != "STRING":
        value = _json(name, value.lower() if kind == "BOOLEAN" else value, kind)
    if kind == "NUMBER_INTEGER" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "BOOLEAN"):
        raise bad_request(f"Parameter {name!r} must be a {kind}, not {value!r:.100}.")
    return value


def _json(name: str, text: str, kind: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"Parameter {name!r} must be a {kind}, not {text!r:.100}.") from error


def _unpacked(content: bytes) -> str:
    try:
        if content.startswith(b"PK"):
            content = _first_of_zip(content)
        elif content.startswith(b"\x1f\x8b"):
            content = _first_of_tar(content)
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError) as error:
        raise bad_request(f"The package cannot be unpacked: {error}") from error
    return content.decode("utf-8")


def _first_of_zip(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith((".yaml", ".yml", ".json")):
                with archive.open(entry) as file:
                    return _limited(file.read(_LARGEST_MEMBER + 1))
    raise bad_request("The package holds no .yaml file.")


def _first_of_tar(content: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.name.endswith((".yaml", ".yml", ".json")) else None
            if file is not None:
                return _limited(file.read(_LARGEST_MEMBER + 1))
    raise bad_request("The package holds no .yaml file.")


def _limited(content: bytes) -> bytes:
    if len(content) > _LARGEST_MEMBER:
        raise bad_request("The pipeline in the package is larger than 16 MB.")
    return content
