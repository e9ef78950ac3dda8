"""Checks a request for a visualization: type, source, arguments and code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.conf import settings
from renderer import RenderSpec, option_names
from vizkit.types import arguments
from vizkit.types.entities import VisualizationType

from apps.runs.entities import Artifact, RunDetails, Step
from apps.runs.exceptions import NotFoundError as RunsNotFoundError
from apps.runs.gateway import Gateway
from apps.visualizations import selectors
from apps.visualizations.exceptions import InvalidRequestError, SourceError
from apps.visualizations.lines import line_clean, line_of
from apps.visualizations.services.code import custom_check, spec_begin
from apps.visualizations.services.naming import title_of
from apps.visualizations.sources import address_allow, address_parse, parts_below
from apps.visualizations.states import Reason

MAX_TITLE_CHARS = 200
# Artifacts of these types hold their data in the lineage store; the object at their URI need not exist.
METADATA_TYPES: Final = frozenset(
    {"system.Metrics", "system.ClassificationMetrics", "system.SlicedClassificationMetrics"}
)
MAX_METADATA_BYTES: Final = 4 * 1024**2
SAMPLE_ROWS: Final = 1000
SAMPLE_TITLE: Final = " (sample)"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualizationRequest:
    """A request for a visualization as the form or the API reads it, unchecked.

    Attributes:
        artifact_name: an artifact of the step; "" leaves the choice to `source` or to the type.
        source: a URI; "" for the artifact's own.
        code: for CUSTOM only.
        options: options of `RenderSpec` by name; missing ones have their defaults, the time limit KERNEL_TIMEOUT.
        force: render even if a saved result has the same cache key.
        is_sample: read only the first rows.
        environment: for CUSTOM only; "" for the one that its code chooses.
        edited: id of the render that was edited to make this request; "" for none.
    """

    type_key: str
    run_id: str = ""
    step_id: str = ""
    artifact_name: str = ""
    source: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    is_sample: bool = False
    environment: str = ""
    edited: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRequest:
    """A request that passed all checks, ready to be saved.

    Attributes:
        details, step, artifact: where the data comes from; None for a request without a run, or if none is chosen.
        artifact_uri: the URI of the step's artifact that is, or contains, the source; only this is read through
            Kubeflow's own API. "" for any other source.
        is_titled: whether a person gave the title.
        pipeline_name: the pipeline of a visualization without a run that still belongs to one; "" for none.
        sealed_credential: the caller's own Kubeflow credential, encrypted; "" if the portal's is used.
    """

    type_key: str
    spec: RenderSpec
    title: str
    is_titled: bool
    endpoint_key: str
    namespace: str
    sealed_credential: str = field(default="", repr=False)
    details: RunDetails | None
    step: Step | None
    artifact: Artifact | None
    artifact_uri: str = ""
    pipeline_name: str = ""


def request_check(request: VisualizationRequest, gateway: Gateway | None) -> CheckedRequest:
    """Checks a request.

    Args:
        gateway: acts with the caller's permissions; None for a request without a run.

    Raises:
        InvalidRequestError: names the fields that are wrong.
        CustomOffError: the type is CUSTOM, and the server does not allow it.
        RunsError: Kubeflow does not answer, or does not know the run or the step.
    """
    kind = selectors.type_get(request.type_key)
    custom_check(kind)
    if kind.reads_results:
        raise InvalidRequestError.at(
            "type", f"{kind.title} reads saved results: choose them in the gallery, or use /api/v1/comparisons."
        )
    values = arguments_clean(kind, request.arguments)
    begun = spec_begin(kind, request.code, request.environment)
    details, step = _step(request, gateway)
    artifact = _artifact(request, kind, step)
    source_uri = _source_uri(request, kind, step, artifact)
    endpoint_key = gateway.endpoint.key if gateway else ""
    spec = replace(
        begun,
        arguments=values,
        source_uri=source_uri,
        source_metadata=own_metadata(artifact, source_uri),
        source_scope=(
            endpoint_key,
            details.run.id if details else "",
            step.id if step else "",
            artifact.name if artifact else "",
        ),
        sample_rows=SAMPLE_ROWS if request.is_sample else None,
        **options_clean(request.options),
    )
    return CheckedRequest(
        type_key=kind.key,
        spec=spec,
        title=_title(request, title_of(kind, spec, artifact, details.run.name if details else "")),
        is_titled=bool(request.title.strip()),
        endpoint_key=endpoint_key,
        namespace=((details.run.namespace if details else "") or gateway.endpoint.namespace) if gateway else "",
        sealed_credential=gateway.sealed_credential if gateway else "",
        details=details,
        step=step,
        artifact=artifact,
        artifact_uri=_holder_uri(step, source_uri),
    )


def _holder_uri(step: Step | None, source_uri: str) -> str:
    """Returns the URI of the step's artifact that is, or contains, the source; "" if there is none."""
    uris = (each.uri for each in step.artifacts) if step and source_uri else ()
    held = [uri for uri in uris if parts_below(source_uri, uri) is not None]
    return max(held, key=len, default="")


def source_in(artifact: Artifact, source_uri: str, old_uri: str) -> str:
    """Returns the URI of the same part of an artifact whose URI used to be `old_uri`."""
    parts = parts_below(source_uri, old_uri)
    return "/".join((artifact.uri.rstrip("/"), *parts)) if parts else artifact.uri


def own_metadata(artifact: Artifact | None, source_uri: str) -> dict[str, Any]:
    """Returns an artifact's metadata if that is its data and no other source was named; otherwise {}."""
    if artifact is None or artifact.type not in METADATA_TYPES or source_uri != artifact.uri:
        return {}
    metadata = dict(artifact.metadata)
    text = json.dumps(metadata)
    # PostgreSQL accepts no NUL, not even in JSON.
    return metadata if len(text) <= MAX_METADATA_BYTES and "\\u0000" not in text else {}


def arguments_clean(kind: VisualizationType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments with defaults filled in.

    Raises:
        InvalidRequestError: fields `arguments.<name>`, or `arguments` for the whole.
    """
    try:
        return arguments.clean(kind.schema, values)
    except arguments.ArgumentsError as error:
        fields = {f"arguments.{name}" if name else "arguments": text for name, text in error.fields.items()}
        raise InvalidRequestError(f"The arguments do not fit {kind.title}.", fields=fields) from error


def options_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the render options among the values of a form or an API request; None counts as not given."""
    return {name: values[name] for name in option_names() if values.get(name) is not None}


def options_clean(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options with the time limit checked, or set to the server's.

    Raises:
        InvalidRequestError: the time limit is not above 0, or exceeds KERNEL_TIMEOUT.
    """
    return {**options, "timeout_s": timeout_clean(options.get("timeout_s"))}


def timeout_clean(timeout_s: float | None) -> float:
    """Returns how many seconds a render may run; None means the server's limit.

    Raises:
        InvalidRequestError: not above 0, or exceeds KERNEL_TIMEOUT.
    """
    most = float(settings.KERNEL_TIMEOUT)
    if timeout_s is None:
        return most
    if not 0 < timeout_s <= most:
        raise InvalidRequestError.at("timeout_s", f"The time limit must be above 0 and at most {most:g} seconds.")
    return float(timeout_s)


def _step(request: VisualizationRequest, gateway: Gateway | None) -> tuple[RunDetails | None, Step | None]:
    for name, given, other in (("step_id", request.step_id, "run"), ("run_id", request.run_id, "step")):
        if not given and (request.run_id or request.step_id):
            raise InvalidRequestError.at(name, f"Name the run and the step, or neither: only the {other} is named.")
    if not request.run_id or gateway is None:
        return None, None
    details = gateway.run_details(request.run_id)
    step = details.step(request.step_id)
    if step is None:
        raise RunsNotFoundError(f"The run {details.run.name} has no step {request.step_id[:100]!r}.")
    return details, step


def _artifact(request: VisualizationRequest, kind: VisualizationType, step: Step | None) -> Artifact | None:
    """Returns the named artifact, else the one that the source is or lies in, else the one that fits the type best."""
    artifacts = step.artifacts if step else ()
    if request.artifact_name:
        wanted = request.artifact_name
        # Prefer outputs: a step may pass an input on under the same name.
        ordered = sorted(artifacts, key=lambda each: each.direction != "output")
        found = next((each for each in ordered if wanted in {each.name, each.id}), None)
        if found is None:
            names = ", ".join(each.name for each in artifacts) or "none"
            raise InvalidRequestError.at("artifact", f"The step has no artifact {wanted[:100]!r}. It has: {names}.")
        return found
    if request.source:
        held = _holder_uri(step, request.source.strip())
        return next((each for each in artifacts if held and each.uri == held), None)
    return _best_artifact(kind, artifacts)


def _best_artifact(kind: VisualizationType, artifacts: tuple[Artifact, ...]) -> Artifact | None:
    fitting = [each for each in artifacts if _has_data(each) and selectors.type_fit(kind, each)]
    if not fitting:
        return None
    return max(fitting, key=lambda each: (selectors.type_fit(kind, each), each.direction == "output"))


def _has_data(artifact: Artifact) -> bool:
    return bool(artifact.uri) or (artifact.type in METADATA_TYPES and bool(artifact.metadata))


def _source_uri(
    request: VisualizationRequest, kind: VisualizationType, step: Step | None, artifact: Artifact | None
) -> str:
    text = request.source.strip()
    known = {each.uri for each in step.artifacts} if step else set()
    if not text:
        if artifact is None and kind.needs_source and step is None:
            raise InvalidRequestError.at(
                "source",
                f"{kind.title} needs a source: name a run and a step, or a source.",
                code=Reason.SOURCE_MISSING,
            )
        if artifact is None and kind.needs_source:
            raise InvalidRequestError.at(
                "source", f"{kind.title} needs a source: choose an artifact.", code=Reason.SOURCE_MISSING
            )
        return artifact.uri if artifact else ""
    if text in known:
        return text
    try:
        address = address_parse(text)
        if not _holder_uri(step, address.uri):
            address_allow(address, settings.VIZPORTAL_SOURCE_ALLOW)
    except SourceError as error:
        raise InvalidRequestError.at("source", str(error), code=error.code) from error
    return address.uri


def title_clean(text: str, *, is_cut: bool = False) -> str:
    """Returns a title in its stored form.

    Args:
        is_cut: shorten a long title instead of rejecting it, for titles that nobody typed.

    Raises:
        InvalidRequestError: the title is too long.
    """
    return line_of(text)[:MAX_TITLE_CHARS] if is_cut else line_clean(text, most=MAX_TITLE_CHARS)


def _title(request: VisualizationRequest, automatic: str) -> str:
    named = title_clean(request.title) or automatic
    sampled = named.removesuffix(SAMPLE_TITLE)[: MAX_TITLE_CHARS - len(SAMPLE_TITLE)] + SAMPLE_TITLE
    return sampled if request.is_sample else named[:MAX_TITLE_CHARS]
