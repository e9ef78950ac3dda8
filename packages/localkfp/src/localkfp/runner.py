"""The process of one run: `python -m localkfp.runner DATA_DIR RUN_ID STEPS_PYTHON PARENT_PID`.

The server's scheduler starts it. It writes to the store while it runs, and reports its result as a state of the run,
not as an exit code.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from localkfp import recorder, run_state, specs
from localkfp.graph import OWN_ERROR, GraphRunner
from localkfp.inputs import FAILED, Scope
from localkfp.kubernetes import KubernetesSettings
from localkfp.places import DEFAULT_ROOT, Places
from localkfp.recorder import Recorder
from localkfp.step_commands import StepCommand, parse_command
from localkfp.step_environments import StepEnvironments
from localkfp.step_launcher import die_with
from localkfp.step_process import StepProcesses, job_name
from localkfp.steps import StepRunner
from localkfp.store import Row, Store
from localkfp.values import TaskError, Values

_MOST_FAILURES = 20
_log = logging.getLogger(__name__)


def main() -> None:
    """Runs one run to its end and records the result."""
    data_dir, run_id, steps_python, parent = sys.argv[1:]
    die_with(int(parent))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    places = Places(root=Path(data_dir))
    store = Store(path=places.database)
    try:
        error = _run(store, places, run_id, Path(steps_python))
    except json_format.ParseError as failure:
        error = f"the compiled pipeline cannot be read: {failure}"
    except Exception:  # noqa: BLE001 - the edge of a run; it is logged
        _log.exception("The run ended with an exception")
        error = f"the pipeline could not be run: {OWN_ERROR}"
    state = run_state.FAILED if error else run_state.SUCCEEDED
    run_state.change(store, run_id, state, from_states=(run_state.RUNNING,), error=error)


def _run(store: Store, places: Places, run_id: str, steps_python: Path) -> str:
    """Executes the run; returns an error, "" for none."""
    row = store.one("SELECT * FROM runs WHERE id = ?", run_id)
    if row is None:
        return "the run was deleted"
    whole = json.loads(row["spec"])
    raw = specs.pipeline_spec(whole)
    spec = json_format.ParseDict(dict(raw), pipeline_spec_pb2.PipelineSpec(), ignore_unknown_fields=True)
    executors = _executors(raw)
    processes = _processes(places, row, spec.pipeline_info.name, steps_python, _commands(executors))
    parameters = specs.with_defaults(raw, json.loads(row["parameters"]))
    record = Recorder(store=store, run_id=run_id)
    steps = StepRunner(
        record=record,
        processes=processes,
        kubernetes=_kubernetes(places, whole),
        facts=_facts(places, row, processes),
    )
    graph = GraphRunner(components=spec.components, executors=executors, steps=steps)
    scope = Scope(
        execution_id=record.start(recorder.DAG, inputs=parameters), inputs=Values(parameters=parameters), is_root=True
    )
    try:
        graph.run(spec.root, scope)
    except TaskError as error:
        return f"the pipeline could not be run: {error}"
    if FAILED not in scope.states.values():
        return ""
    return "\n".join(graph.failures[:_MOST_FAILURES]) or "a step failed"


def _executors(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the ExecutorSpec messages of a pipeline by label."""
    found = (raw.get("deploymentSpec") or {}).get("executors") or {}
    kind = pipeline_spec_pb2.PipelineDeploymentConfig.ExecutorSpec
    return {label: json_format.ParseDict(item, kind(), ignore_unknown_fields=True) for label, item in found.items()}


def _kubernetes(places: Places, whole: Mapping[str, Any]) -> dict[str, KubernetesSettings]:
    """Returns the Kubernetes settings of the platform spec, by executor label."""
    platforms = (whole.get("platform_spec") or {}).get("platforms") or {}
    deployment = (platforms.get("kubernetes") or {}).get("deploymentSpec") or {}
    return {
        label: KubernetesSettings(config=config, secrets=places.secrets, config_maps=places.config_maps)
        for label, config in (deployment.get("executors") or {}).items()
    }


def _facts(places: Places, row: Row, processes: StepProcesses) -> dict[str, str]:
    """Returns the values of placeholders other than inputs and outputs, as defined in kfp.dsl."""
    workspace = places.run(row["id"]) / "workspace"
    workspace.mkdir(parents=True, exist_ok=True)
    created_at = datetime.fromtimestamp(row["created_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "pipeline_job_name": row["display_name"],
        "pipeline_job_resource_name": processes.job_name,
        "pipeline_job_uuid": row["id"],
        "pipeline_root": str(processes.root),
        "pipeline_job_create_time_utc": created_at,
        "pipeline_job_schedule_time_utc": created_at,
        "workspace_path": str(workspace),
    }


def _processes(
    places: Places, row: Row, pipeline: str, steps_python: Path, commands: Mapping[str, StepCommand]
) -> StepProcesses:
    wanted = row["pipeline_root"].rstrip("/")
    root = places.path_of(wanted) if wanted else None
    if wanted and root is None:
        _log.warning("pipeline root %s is no minio:// location: using %s", wanted, DEFAULT_ROOT)
    root = root or places.path_of(DEFAULT_ROOT)
    if root is None:
        raise RuntimeError(f"{DEFAULT_ROOT} leads out of the data directory")
    return StepProcesses(
        places=places,
        run_id=row["id"],
        job_name=job_name(pipeline, row["id"]),
        root=root / (pipeline or "pipeline") / row["id"],
        environments=StepEnvironments(python=steps_python, folder=places.step_environments),
        commands=commands,
    )


def _commands(executors: Mapping[str, Any]) -> dict[str, StepCommand]:
    """Returns the commands of containers, by executor label."""
    containers = {label: item.container for label, item in executors.items() if item.WhichOneof("spec") == "container"}
    return {
        label: parse_command(list(container.command)) or StepCommand(image=container.image)
        for label, container in containers.items()
    }


if __name__ == "__main__":
    main()
