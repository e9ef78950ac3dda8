"""Listens to a run inside its own process and records each step as it happens."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from localkfp import kfp_hooks, recorder
from localkfp.kfp_hooks import FAILURE, SUCCESS, Outcome
from localkfp.recorder import ArtifactRecord, Recorder
from localkfp.step_process import StepProcess, StepProcesses

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Scope:
    """A graph that is running: its execution, its tasks by name, and whose condition was already false."""

    execution_id: int
    tasks: Mapping[str, Any]
    skipped: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunningStep:
    """The present attempt of a step.

    Attributes:
        facts: what the execution of each attempt is started with.
        label: of its executor.
        component: its ComponentSpec message.
        is_tried: whether its process ran already: what comes then is the next attempt.
    """

    execution_id: int
    process: StepProcess
    facts: Mapping[str, Any]
    label: str
    component: Any
    is_tried: bool = False


class RunObserver:
    """Implements kfp_hooks.Observer for one run.

    Loops run their iterations on threads of their own, so what is going on is kept per thread.

    Attributes:
        failures: what went wrong, for people, in the order it happened.
    """

    def __init__(self, record: Recorder, processes: StepProcesses, spec: Any, root_id: int) -> None:
        self.failures: list[str] = []
        self._record = record
        self._processes = processes
        self._root = _Scope(execution_id=root_id, tasks=spec.root.dag.tasks)
        self._thread = threading.local()
        self._loops: dict[tuple[int, str], int] = {}
        self._counted: set[int] = set()

    def task(self, call: Mapping[str, Any], proceed: Callable[[], Outcome]) -> Outcome:
        """Records a graph as an execution; a step is left to `step`."""
        component = call["components"][call["task_spec"].component_ref.name]
        if component.WhichOneof("implementation") != "dag":
            return proceed()
        name: str = call["task_name"]
        loop_id = self._loops.get((id(call["io_store"]), kfp_hooks.loop_name(name)))
        index = None if loop_id is None else int(name.rpartition("-")[2])
        execution_id = self._start_graph(
            call, kfp_hooks.loop_name(name) if loop_id else name, loop_id, iteration_index=index
        )
        with self._inside(_Scope(execution_id=execution_id, tasks=component.dag.tasks)):
            outputs, status = self._guarded(name, proceed)
        self._finish(execution_id, outputs, status)
        return outputs, status

    def loop(self, call: Mapping[str, Any], proceed: Callable[[], bool]) -> bool:
        """Records a ParallelFor; its iterations are its children."""
        execution_id = self._start_graph(call, call["task_name"], None, iteration_count=None)
        self._loops[id(call["io_store"]), call["task_name"]] = execution_id

        def run() -> Outcome:
            return {}, FAILURE if proceed() else SUCCESS

        _outputs, status = self._guarded(call["task_name"], run)
        if execution_id not in self._counted:
            # Its list was empty: no iteration was ever started.
            self._record.update(execution_id, iteration_count=0)
        self._finish(execution_id, {}, status)
        return status is FAILURE

    def loop_size(self, io_store: Any, task_name: str, count: int) -> None:
        """Notes a loop's iteration count, which is known only once its items are."""
        self._counted.add(self._loops[id(io_store), task_name])
        self._record.update(self._loops[id(io_store), task_name], iteration_count=count)

    def condition(self, expression: str, *, is_true: bool) -> None:
        """Records a task whose condition is false as Kubeflow's driver does: a DAG execution, CANCELED."""
        scope = self._scope
        if is_true:
            return
        for name, task in scope.tasks.items():
            if task.trigger_policy.condition == expression and name not in scope.skipped:
                scope.skipped.add(name)
                self._record.start(
                    recorder.DAG,
                    task_name=name,
                    parent_id=scope.execution_id,
                    state=recorder.CANCELED,
                    display_name=task.task_info.name or name,
                )
                return

    def step(self, call: Mapping[str, Any], proceed: Callable[[], Outcome]) -> Outcome:
        """Records a container or importer, runs it, and keeps its log."""
        name, executor = call["task_name"], _executor_of(call)
        is_importer = executor.WhichOneof("spec") == "importer"
        shown = call["task_spec"].task_info.name or name
        label = _executor_label(call)
        process = self._processes.prepare(name, label)
        values = kfp_hooks.resolve_inputs(call["task_spec"].inputs, call["io_store"])
        facts: dict[str, Any] = {"parent_id": self._scope.execution_id}
        if is_importer:
            # Written by the launcher in Kubeflow, which knows an importer by its display name only.
            facts |= {"kind": recorder.IMPORTER, "task_name": shown, "display_name": ""}
        else:
            facts |= {"kind": recorder.CONTAINER, "task_name": name, "display_name": shown, "namespace": "kubeflow"}
            facts |= {"inputs": _parameters(values), "artifacts": self._artifacts(values)}
            facts["image"] = executor.container.image
        execution_id = self._start_attempt(facts, process)
        component = call["components"][call["task_spec"].component_ref.name]
        self._thread.step = _RunningStep(
            execution_id=execution_id, process=process, facts=facts, label=label, component=component
        )
        outputs, status = self._guarded(name, proceed, process)
        running = self._thread.step
        if status is FAILURE and running.process.reason:
            self.failures.append(f"step {name} failed: {running.process.reason}")
        self._finish(running.execution_id, outputs, status)
        return outputs, status

    def _start_attempt(self, facts: Mapping[str, Any], process: StepProcess) -> int:
        pod: dict[str, Any] = {}
        if facts["kind"] == recorder.CONTAINER:
            pod = {"pod_name": process.pod_name, "pod_uid": str(uuid.uuid4())}
        return self._record.start(**facts, **pod)

    def task_root(self) -> str:
        """The folder of the current step's outputs; another attempt gets a log and an execution of its own."""
        step: _RunningStep = self._thread.step
        if step.is_tried:
            self._record.finish(step.execution_id, recorder.FAILED)
            process = self._processes.prepare(step.facts["task_name"], step.label)
            execution_id = self._start_attempt(step.facts, process)
            step = self._thread.step = replace(step, execution_id=execution_id, process=process, is_tried=False)
        return str(step.process.output_folder)

    def process(self, arguments: list[str], env: Mapping[str, str]) -> int:
        """Runs the current step's component."""
        step: _RunningStep = self._thread.step
        self._thread.step = replace(step, is_tried=True)
        code = step.process.run(arguments, env)
        if code == 0 and not step.process.command.code:
            kfp_hooks.write_outputs(step.component, step.process.output_folder)
        return code

    def imported(self, outputs: dict[str, Any]) -> None:
        """Lets later steps read what this server's own URIs name: they see files, not an object store."""
        for artifact in outputs.values():
            path = self._processes.places.path_of(artifact.uri)
            if path is None and artifact.uri.startswith("file://"):
                path = Path(unquote(urlsplit(artifact.uri).path))
            if path is not None and not path.exists():
                raise FileNotFoundError(f"there is nothing at {artifact.uri} on this machine")
            if path is not None:
                artifact.uri = str(path)

    @property
    def _scope(self) -> _Scope:
        scope: _Scope = getattr(self._thread, "scope", self._root)
        return scope

    @contextmanager
    def _inside(self, scope: _Scope) -> Iterator[None]:
        before = self._scope
        self._thread.scope = scope
        try:
            yield
        finally:
            self._thread.scope = before

    def _start_graph(self, call: Mapping[str, Any], name: str, loop_id: int | None, **properties: Any) -> int:
        values = kfp_hooks.resolve_inputs(call["task_spec"].inputs, call["io_store"])
        return self._record.start(
            recorder.DAG,
            task_name=name,
            parent_id=loop_id or self._scope.execution_id,
            inputs=_parameters(values),
            artifacts=self._artifacts(values),
            display_name=call["task_spec"].task_info.name or name,
            **properties,
        )

    def _guarded(self, name: str, proceed: Callable[[], Outcome], process: StepProcess | None = None) -> Outcome:
        """Turns an exception of kfp.local into a failed task, so that siblings and exit handlers still run."""
        try:
            return proceed()
        except Exception as error:  # noqa: BLE001 - the edge of a step; it is logged
            _log.exception("Task %s ended with an exception", name)
            text = f"{type(error).__name__}: {error}"
            if process is not None:
                process.note(text)
            self.failures.append(f"step {name} failed: {text}")
            return {}, FAILURE

    def _finish(self, execution_id: int, outputs: Mapping[str, Any], status: Any) -> None:
        self._record.finish(
            execution_id,
            recorder.COMPLETE if status is SUCCESS else recorder.FAILED,
            outputs=_parameters(outputs),
            artifacts=self._artifacts(outputs),
        )

    def _artifacts(self, values: Mapping[str, Any]) -> list[ArtifactRecord]:
        return [
            ArtifactRecord(
                key=name,
                type=item.schema_title,
                uri=self._processes.places.uri_of(item.uri),
                metadata=dict(item.metadata),
            )
            for name, value in sorted(values.items())
            for item in _items(value)
        ]


def _executor_label(call: Mapping[str, Any]) -> str:
    return str(call["components"][call["task_spec"].component_ref.name].executor_label)


def _executor_of(call: Mapping[str, Any]) -> Any:
    return call["executors"][_executor_label(call)]


def _items(value: Any) -> list[Any]:
    """Returns the artifacts in a value: itself, a list's members (of loops in loops too), or none."""
    if isinstance(value, list):
        return [item for member in value for item in _items(member)]
    return [value] if hasattr(value, "schema_title") else []


def _parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sorted(values.items()) if not _items(value)}
