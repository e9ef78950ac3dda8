"""Fills in placeholders in commands, arguments, variables and constants, like Kubeflow's driver and launcher."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localkfp.values import TaskError, text_of

_INPUT: Final = re.compile(r"\{\{\$\.inputs\.parameters\['+([^']+)'+\]\}\}")
_FACT: Final = re.compile(r"\{\{\$\.(\w+)\}\}")
_ANY: Final = re.compile(r"\{\{\$(?:\.([^{}]*))?\}\}")
_IO: Final = re.compile(
    r"(?P<side>inputs|outputs)\.(?P<kind>parameters|artifacts)\['+(?P<name>[^']+)'+\]"
    r"(?:\.(?P<field>\w+)(?:\['+(?P<key>[^']+)'+\])?)?"
)
_OUTPUT_FILE: Final = frozenset({"outputs.output_file", "outputMetadataUri"})
# kfp.dsl.constants.WORKSPACE_MOUNT_PATH, which compiled pipelines contain as text.
_WORKSPACE: Final = "/kfp-workspace"


def fill_texts(value: Any, parameters: Mapping[str, Any]) -> Any:
    """Fills in placeholders of input parameters in every text of a JSON value; those without a value stay."""

    def fill(match: re.Match[str]) -> str:
        found = parameters.get(match[1])
        return match[0] if found is None else text_of(found)

    if isinstance(value, str):
        return _INPUT.sub(fill, value)
    if isinstance(value, list):
        return [fill_texts(item, parameters) for item in value]
    return {name: fill_texts(item, parameters) for name, item in value.items()} if isinstance(value, dict) else value


def fill_facts(value: Any, facts: Mapping[str, str]) -> Any:
    """Fills in placeholders such as `{{$.pipeline_job_name}}` in every text of a JSON value."""
    if isinstance(value, str):
        text = _FACT.sub(lambda match: facts.get(match[1], match[0]), value)
        return text.replace(_WORKSPACE, facts["workspace_path"])
    if isinstance(value, list):
        return [fill_facts(item, facts) for item in value]
    return {name: fill_facts(item, facts) for name, item in value.items()} if isinstance(value, dict) else value


def words(parts: Sequence[str], executor_input: Mapping[str, Any], facts: Mapping[str, str]) -> list[str]:
    """Returns a command with its placeholders filled in; `dsl.IfPresentPlaceholder` may add or remove words.

    Args:
        parts: as compiled.
        executor_input: an ExecutorInput as JSON.
        facts: the values of placeholders other than inputs and outputs.

    Raises:
        TaskError: a part cannot be parsed.
    """
    inputs = executor_input["inputs"]
    present = {name for name, value in inputs["parameterValues"].items() if value is not None} | set(
        inputs["artifacts"]
    )
    return [word(text, executor_input, facts) for part in parts for text in _texts(part, present)]


def word(text: str, executor_input: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """Returns one text with its placeholders filled in; unknown ones stay."""

    def fill(match: re.Match[str]) -> str:
        found = _text(match[1] or "", executor_input, facts)
        return match[0] if found is None else found

    # In one pass, because placeholders in the values of parameters are user text.
    return _ANY.sub(fill, text.replace(_WORKSPACE, facts["workspace_path"]))


def _text(name: str, executor_input: Mapping[str, Any], facts: Mapping[str, str]) -> str | None:
    if not name:
        return json.dumps(executor_input)
    if name in _OUTPUT_FILE:
        return str(executor_input["outputs"]["outputFile"])
    match = _IO.fullmatch(name)
    return facts.get(name) if match is None else _io_text(match, executor_input)


def _texts(part: str, present: set[str]) -> list[str]:
    if not part.startswith(('{"Concat"', '{"IfPresent"')):
        return [part]
    try:
        return _struct_texts(json.loads(part), present)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise TaskError(
            f"its argument {part:.100} is not a Concat or IfPresent placeholder that can be read"
        ) from error


def _struct_texts(struct: Any, present: set[str]) -> list[str]:
    if struct is None:
        return []
    if isinstance(struct, str):
        return [struct]
    if isinstance(struct, list):
        return [text for item in struct for text in _struct_texts(item, present)]
    if "Concat" in struct:
        return ["".join(_struct_texts(struct["Concat"], present))]
    branch = struct["IfPresent"]
    return _struct_texts(branch["Then"] if branch["InputName"] in present else branch.get("Else"), present)


def _io_text(match: re.Match[str], executor_input: Mapping[str, Any]) -> str | None:
    side = executor_input[match["side"]]
    if match["kind"] == "artifacts":
        return _artifact_text(match, side["artifacts"].get(match["name"], {}).get("artifacts", []))
    if match["side"] == "outputs":
        found = side["parameters"].get(match["name"])
        return None if found is None else str(found["outputFile"])
    value = side["parameterValues"].get(match["name"])
    return None if value is None else text_of(value)


def _artifact_text(match: re.Match[str], artifacts: list[dict[str, Any]]) -> str | None:
    if match["field"] is None:
        return json.dumps(artifacts)
    if not artifacts:
        return None
    # Within a step, an artifact's URI is its path.
    value = artifacts[0].get("uri" if match["field"] == "path" else match["field"], "")
    return text_of(value.get(match["key"], "") if match["key"] else value)
