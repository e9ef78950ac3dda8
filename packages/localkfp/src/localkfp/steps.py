"""Runs and records one task that is not a graph, a container or an importer, with its attempts."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from localkfp import inputs, placeholders, recorder, step_io
from localkfp.inputs import Scope
from localkfp.kubernetes import KubernetesSettings
from localkfp.recorder import ArtifactRecord, Recorder
from localkfp.step_process import StepProcess, StepProcesses
from localkfp.values import Artifact, TaskError, Values, python_value

_LONGEST_BACKOFF_S = 3600
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task that is not a graph.

    Attributes:
        task: its PipelineTaskSpec message.
        component: its ComponentSpec message.
        executor: its ExecutorSpec message.
        scope: the graph around it.
    """

    name: str
    task: Any
    component: Any
    executor: Any
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRunner:
    """Runs the steps of one run, several at once on separate threads.

    Attributes:
        kubernetes: the tasks' settings for Kubernetes, by executor label.
        facts: the values of placeholders such as `{{$.pipeline_job_name}}` in every task.
    """

    record: Recorder
    processes: StepProcesses
    kubernetes: Mapping[str, KubernetesSettings]
    facts: Mapping[str, str]

    def run(self, step: Step) -> Values:
        """Runs a step to its end and returns its outputs.

        Raises:
            TaskError: it failed; says why.
        """
        facts = self.facts_of(step.name, step.scope)
        try:
            if step.executor.WhichOneof("spec") not in {"container", "importer"}:
                raise TaskError("it is a job of Google Cloud, and there is no such service here")
            given = inputs.resolve_inputs(step.task, step.component, step.scope, facts)
        except TaskError as error:
            self._refuse(step, error)
            raise
        if step.executor.WhichOneof("spec") == "importer":
            return self._import(step, given, facts)
        policy = step.task.retry_policy
        for attempt in range(policy.max_retry_count):
            try:
                return self._attempt(step, given, facts)
            except TaskError:
                time.sleep(_backoff_s(policy, attempt))
        return self._attempt(step, given, facts)

    def facts_of(self, task_name: str, scope: Scope) -> dict[str, str]:
        """Returns the values of placeholders in one task."""
        return {**self.facts, "pipeline_task_name": task_name, "pipeline_task_uuid": str(scope.execution_id)}

    def record_artifacts(self, values: Values) -> list[ArtifactRecord]:
        """Converts artifacts to records."""
        return [
            ArtifactRecord(
                key=name,
                type=item.type,
                uri=self.processes.places.uri_of(item.uri),
                metadata=dict(item.metadata),
            )
            for name, found in sorted(values.artifacts.items())
            for item in found
        ]

    def _attempt(self, step: Step, given: Values, facts: Mapping[str, str]) -> Values:
        process = self._process(step)
        pod_uid = str(uuid.uuid4())
        execution_id = self._start_container(step, given, process, pod_uid)
        try:
            outputs = self._run_process(step, given, facts, process, pod_uid)
        except BaseException as error:
            if isinstance(error, TaskError) and str(error) != process.reason:
                process.note(str(error))
            self.record.finish(execution_id, recorder.FAILED)
            raise
        finally:
            process.clear()
        self._complete(execution_id, outputs)
        return outputs

    def _run_process(
        self, step: Step, given: Values, facts: Mapping[str, str], process: StepProcess, pod_uid: str
    ) -> Values:
        container, settings = step.executor.container, self._settings(step)
        asked = step_io.executor_input(step.component, given, process.output_folder)
        own = [] if process.command.code else list(container.command)
        words = placeholders.words([*own, *container.args], asked, facts)
        variables = {item.name: placeholders.word(item.value, asked, facts) for item in container.env}
        lacks = _remote(given)
        if settings:
            more, missing = settings.environment(
                process.pod_name, pod_uid, lambda spec: inputs.parameter("name", spec, step.scope, facts)
            )
            variables |= more
            lacks += [*missing, *settings.missing_volumes()]
        if process.run(words, variables):
            raise TaskError("; ".join([process.reason, *lacks]))
        return step_io.read_outputs(step.component, process.output_folder, process.scratch)

    def _import(self, step: Step, given: Values, facts: Mapping[str, str]) -> Values:
        execution_id = self._start_importer(step)
        importer = step.executor.importer
        asked = step_io.executor_input(step.component, given, Path())
        try:
            if importer.artifact_uri.WhichOneof("value") == "constant":
                uri = placeholders.word(importer.artifact_uri.constant.string_value, asked, facts)
            else:
                uri = str(given.parameters[importer.artifact_uri.runtime_parameter])
            made = Artifact(
                name="artifact",
                type=importer.type_schema.schema_title,
                version=importer.type_schema.schema_version,
                uri=self._readable(uri),
                metadata=_filled(python_value(importer.metadata), asked, facts),
            )
        except BaseException:
            self.record.finish(execution_id, recorder.FAILED)
            raise
        outputs = Values(artifacts={name: [made] for name in step.component.output_definitions.artifacts})
        self._complete(execution_id, outputs)
        return outputs

    def _readable(self, uri: str) -> str:
        """Returns the local file for a URI of this server or machine, because steps read files, not an object store."""
        path = self.processes.places.path_of(uri)
        if path is None and uri.startswith(("file://", "/")):
            path = Path(unquote(urlsplit(uri).path)) if uri.startswith("file://") else Path(uri)
        if path is not None and not path.exists():
            raise TaskError(f"there is nothing at {uri} on this machine")
        return uri if path is None else str(path)

    def _process(self, step: Step) -> StepProcess:
        return self.processes.prepare(step.name, step.component.executor_label)

    def _settings(self, step: Step) -> KubernetesSettings | None:
        return self.kubernetes.get(step.component.executor_label)

    def _start_container(self, step: Step, given: Values, process: StepProcess, pod_uid: str) -> int:
        return self.record.start(
            recorder.CONTAINER,
            task_name=step.name,
            display_name=step.task.task_info.name or step.name,
            parent_id=step.scope.execution_id,
            namespace="kubeflow",
            inputs=given.parameters,
            artifacts=self.record_artifacts(given),
            image=step.executor.container.image,
            pod_name=process.pod_name,
            pod_uid=pod_uid,
        )

    def _start_importer(self, step: Step) -> int:
        # In Kubeflow the launcher writes it, which knows an importer by its display name only.
        shown = step.task.task_info.name or step.name
        return self.record.start(recorder.IMPORTER, task_name=shown, display_name="", parent_id=step.scope.execution_id)

    def _refuse(self, step: Step, error: TaskError) -> None:
        """Records a step without inputs, with the reason in its log."""
        if step.executor.WhichOneof("spec") == "importer":
            execution_id = self._start_importer(step)
        else:
            process = self._process(step)
            process.note(str(error))
            execution_id = self._start_container(step, Values(), process, str(uuid.uuid4()))
        self.record.finish(execution_id, recorder.FAILED)

    def _complete(self, execution_id: int, outputs: Values) -> None:
        self.record.finish(
            execution_id,
            recorder.COMPLETE,
            outputs=outputs.parameters,
            artifacts=self.record_artifacts(outputs),
        )


def _remote(given: Values) -> list[str]:
    """Returns a clause about each artifact that a step would get in a cluster but does not get here."""
    return [
        f"its input {name!r} is at {item.uri}, which is not fetched here"
        for name, found in given.artifacts.items()
        for item in found
        if not item.uri.startswith("/")
    ]


def _backoff_s(policy: Any, attempt: int) -> float:
    longest = policy.backoff_max_duration.seconds if policy.HasField("backoff_max_duration") else _LONGEST_BACKOFF_S
    return float(min(policy.backoff_duration.seconds * (policy.backoff_factor or 2.0) ** attempt, longest))


def _filled(value: Any, asked: Mapping[str, Any], facts: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return placeholders.word(value, asked, facts)
    if isinstance(value, list):
        return [_filled(item, asked, facts) for item in value]
    if isinstance(value, dict):
        return {str(_filled(name, asked, facts)): _filled(item, asked, facts) for name, item in value.items()}
    return value
